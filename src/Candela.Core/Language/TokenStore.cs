using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace Candela.Language;

/// <summary>A long row of token ids in a memory-mapped file, so that a corpus larger than memory can be trained on. Each id has a mark whether it is to be learned or only read
/// (the question before an answer). Reading is safe from several threads.</summary>
public sealed class TokenStore : IDisposable
{
    private const uint NotLearned = 1u << 31;
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;

    private TokenStore(string path, long length)
    {
        Length = length;
        if (length == 0)
            return;
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        _view = _file.CreateViewAccessor(0, length * sizeof(uint), MemoryMappedFileAccess.Read);
    }

    /// <summary>Number of tokens.</summary>
    public long Length { get; }

    /// <summary>Copies tokens out.</summary>
    /// <param name="start">Of the first.</param>
    /// <param name="ids">Receives the ids.</param>
    /// <param name="learned">Receives whether each is to be learned; as long as <paramref name="ids"/>.</param>
    public void Read(long start, Span<int> ids, Span<bool> learned)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start + ids.Length, Length);
        if (ids.Length == 0)
            return;
        _view!.SafeMemoryMappedViewHandle.ReadSpan((ulong)(start * sizeof(uint)), MemoryMarshal.Cast<int, uint>(ids));
        for (int i = 0; i < ids.Length; i++)
        {
            learned[i] = ((uint)ids[i] & NotLearned) == 0;
            ids[i] &= int.MaxValue;
        }
    }

    /// <summary>Opens a store that <see cref="Writer"/> wrote. The file must not change while this is open.</summary>
    public static TokenStore Open(string path) => new(path, new FileInfo(path).Length / sizeof(uint));

    /// <inheritdoc/>
    public void Dispose()
    {
        _view?.Dispose();
        _file?.Dispose();
    }

    /// <summary>Writes tokens one after the other.</summary>
    /// <param name="path">The file; replaced.</param>
    public sealed class Writer(string path) : IDisposable
    {
        private readonly FileStream _stream = new(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);

        /// <summary>Tokens so far.</summary>
        public long Length { get; private set; }

        /// <summary>Adds tokens.</summary>
        /// <param name="ids">0 or more each.</param>
        /// <param name="learned">Whether they are to be learned. Default true.</param>
        public void Add(ReadOnlySpan<int> ids, bool learned = true)
        {
            Span<uint> buffer = stackalloc uint[256];
            while (ids.Length > 0)
            {
                int count = Math.Min(ids.Length, buffer.Length);
                for (int i = 0; i < count; i++)
                    buffer[i] = (uint)ids[i] | (learned ? 0 : NotLearned);
                _stream.Write(MemoryMarshal.AsBytes(buffer[..count]));
                Length += count;
                ids = ids[count..];
            }
        }

        /// <inheritdoc/>
        public void Dispose() => _stream.Dispose();
    }
}
