using System.IO.Compression;
using System.Security.Cryptography;

namespace Candela.Data;

/// <summary>The bytes of a data file, gunzipped when they are gzip (whatever the extension says), optionally hashed as they lie on disk.</summary>
internal sealed class DataBytes : IDisposable
{
    private readonly Stream _stream;
    private readonly HashingStream? _hashed;
    private readonly bool _gzip;

    public DataBytes(string path, IncrementalHash? hash = null)
    {
        Path = path;
        Stream file = Open(path);
        Span<byte> magic = stackalloc byte[2];
        _gzip = file.ReadAtLeast(magic, 2, throwOnEndOfStream: false) == 2 && magic is [0x1f, 0x8b];
        file.Position = 0;
        if (hash != null)
            file = _hashed = new HashingStream(file, hash);
        _stream = _gzip ? new GZipStream(file, CompressionMode.Decompress) : file;
    }

    public string Path { get; }

    /// <summary>Opens a file for one pass from start to end.</summary>
    public static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.Read, BufferSize = 1 << 17, Options = FileOptions.SequentialScan });
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FileFormatException(path, Fault.Missing, "there is no such file.", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new DataException($"{path}: may not be read ({e.Message}).", e);
        }
    }

    /// <summary>Fills <paramref name="into"/> as far as the file goes; fewer bytes mean its end.</summary>
    /// <exception cref="FileFormatException">The gzip data is broken or ends early.</exception>
    public int Read(Span<byte> into)
    {
        try
        {
            int count = _stream.ReadAtLeast(into, into.Length, throwOnEndOfStream: false);
            if (count < into.Length)
                _hashed?.Drain();
            return count;
        }
        catch (InvalidDataException e)
        {
            throw new FileFormatException(Path, Fault.Corrupt, $"the gzip data is broken or cut short ({e.Message.TrimEnd('.')}). Copy or compress the file again.", e);
        }
    }

    public void Dispose() => _stream.Dispose();

    /// <summary>Hashes what is read through it, and on <see cref="Drain"/> what a decompressor did not ask for.</summary>
    private sealed class HashingStream(Stream inner, IncrementalHash hash) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => inner.Length;

        public override long Position { get => inner.Position; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            int count = inner.Read(buffer);
            hash.AppendData(buffer[..count]);
            return count;
        }

        public void Drain()
        {
            var rest = new byte[4096];
            while (Read(rest) > 0)
            {
            }
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
