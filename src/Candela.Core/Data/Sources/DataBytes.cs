using System.IO.Compression;
using System.Security.Cryptography;

namespace Candela.Data;

/// <summary>The bytes of a data file, gunzipped when they are gzip (whatever the extension says), optionally hashed as they lie on disk.</summary>
internal sealed class DataBytes : IDisposable
{
    // GZipStream takes the end of a truncated file for the end of the data. So one more gzip member with a mark in it is fed to it after the file's own bytes: the mark comes out last
    // exactly when those were complete.
    private static readonly byte[] Mark = "candela: end of gzip data"u8.ToArray();
    private static readonly byte[] MarkMember = Compress(Mark);

    private readonly Stream _file;
    private readonly TailedStream? _tailed;
    private readonly GZipStream? _gzip;
    private readonly byte[] _plain = [];
    private int _position, _end;
    private bool _ended;

    public DataBytes(string path, IncrementalHash? hash = null)
    {
        Path = path;
        _file = Open(path);
        Span<byte> magic = stackalloc byte[2];
        bool gzip = _file.ReadAtLeast(magic, 2, throwOnEndOfStream: false) == 2 && magic is [0x1f, 0x8b];
        _file.Position = 0;
        Length = gzip ? null : _file.Length;
        if (gzip || hash != null)
            _file = _tailed = new TailedStream(_file, hash, gzip ? MarkMember : []);
        if (!gzip)
            return;
        _gzip = new GZipStream(_file, CompressionMode.Decompress);
        _plain = new byte[1 << 16];
    }

    public string Path { get; }

    /// <summary>How many bytes there are; null for gzip, which only inflating tells.</summary>
    public long? Length { get; }

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
        if (_gzip == null)
            return _file.ReadAtLeast(into, into.Length, throwOnEndOfStream: false);
        int count = 0;
        while (count < into.Length && (_end - _position > Mark.Length || Inflate()))
        {
            int part = Math.Min(into.Length - count, _end - _position - Mark.Length);
            _plain.AsSpan(_position, part).CopyTo(into[count..]);
            _position += part;
            count += part;
        }

        return count;
    }

    public void Dispose()
    {
        _gzip?.Dispose();
        _file.Dispose();
    }

    private bool Inflate()
    {
        try
        {
            while (!_ended && _end - _position <= Mark.Length)
            {
                _plain.AsSpan(_position, _end - _position).CopyTo(_plain);
                (_position, _end) = (0, _end - _position);
                int count = _gzip!.Read(_plain.AsSpan(_end));
                _end += count;
                _ended = count == 0;
            }
        }
        catch (InvalidDataException e)
        {
            // Broken, or cut short so that the mark was taken for data.
            throw new FileFormatException(Path, Fault.Corrupt, "the gzip data is broken or cut short. Copy or compress the file again.", e);
        }

        if (_end - _position > Mark.Length)
            return true;
        if (!_plain.AsSpan(_position, _end - _position).SequenceEqual(Mark))
            throw new FileFormatException(Path, Fault.Truncated, "the gzip data is cut short. Copy or compress the file again.");
        _tailed!.Drain();
        return false;
    }

    private static byte[] Compress(byte[] bytes)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.Fastest))
            gzip.Write(bytes);
        return memory.ToArray();
    }

    /// <summary>A file followed by some more bytes; hashes what is read of the file.</summary>
    private sealed class TailedStream(Stream inner, IncrementalHash? hash, byte[] tail) : Stream
    {
        private int _tailPosition;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            int count = inner.Read(buffer);
            hash?.AppendData(buffer[..count]);
            if (count > 0 || buffer.IsEmpty)
                return count;
            count = Math.Min(buffer.Length, tail.Length - _tailPosition);
            tail.AsSpan(_tailPosition, count).CopyTo(buffer);
            _tailPosition += count;
            return count;
        }

        /// <summary>Hashes what the decompressor did not ask for.</summary>
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
