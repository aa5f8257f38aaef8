using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;

namespace Candela.Data;

/// <summary>The text of a data file: UTF-8 (with or without a byte-order mark) or UTF-16 (with one). Bytes that are not text are an error that names the line and
/// the byte, never replacement characters. A file whose lines end in a lone CR reads as if they ended in LF; runs of spaces can be folded to one.</summary>
internal sealed class StrictTextReader : TextReader
{
    private readonly DataBytes _source;
    private readonly bool _foldSpaces;
    private readonly byte[] _bytes = new byte[1 << 17];
    private readonly char[] _chars;
    private readonly Decoder? _utf16;
    private readonly int _unit;
    private int _byteCount, _position, _end;
    private long _byteOffset, _newLines;
    private bool _sourceEnded, _lastWasSpace = true, _inQuotes, _loneCr, _started;

    /// <param name="path">The file, perhaps gzip.</param>
    /// <param name="hash">Takes the file's bytes as they are read.</param>
    /// <param name="skipLines">Lines left out at the start; empty lines before the first other line are left out too.</param>
    /// <param name="foldSpaces">Fold runs of spaces outside double quotes to one and drop those at the ends of a line.</param>
    public StrictTextReader(string path, IncrementalHash? hash = null, int skipLines = 0, bool foldSpaces = false)
    {
        _source = new DataBytes(path, hash);
        try
        {
            _foldSpaces = foldSpaces;
            _chars = new char[_bytes.Length];
            _byteCount = _source.Read(_bytes);
            _sourceEnded = _byteCount < _bytes.Length;
            (_utf16, int mark) = _bytes.AsSpan(0, _byteCount) switch
            {
                [0xef, 0xbb, 0xbf, ..] => (null, 3),
                [0xff, 0xfe, ..] => (new UnicodeEncoding(false, false, true).GetDecoder(), 2),
                [0xfe, 0xff, ..] => (new UnicodeEncoding(true, false, true).GetDecoder(), 2),
                _ => ((Decoder?)null, 0),
            };
            _unit = _utf16 == null ? 1 : 2;
            DropBytes(mark);
            for (int i = 0; i < skipLines && SkipLine(); i++)
            {
            }

            SkipEmptyLines();
        }
        catch
        {
            _source.Dispose();
            throw;
        }
    }

    /// <summary>Lines left out at the start, empty ones included.</summary>
    public long SkippedLines { get; private set; }

    /// <inheritdoc/>
    public override int Read() => _position < _end || Fill() ? _chars[_position++] : -1;

    /// <inheritdoc/>
    public override int Peek() => _position < _end || Fill() ? _chars[_position] : -1;

    /// <inheritdoc/>
    public override int Read(Span<char> buffer)
    {
        if (buffer.IsEmpty || (_position == _end && !Fill()))
            return 0;
        int count = Math.Min(buffer.Length, _end - _position);
        _chars.AsSpan(_position, count).CopyTo(buffer);
        _position += count;
        return count;
    }

    /// <inheritdoc/>
    public override int Read(char[] buffer, int index, int count) => Read(buffer.AsSpan(index, count));

    /// <inheritdoc/>
    public override Task<int> ReadAsync(char[] buffer, int index, int count) => Task.FromResult(Read(buffer.AsSpan(index, count)));

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _source.Dispose();
        base.Dispose(disposing);
    }

    private bool SkipLine()
    {
        while (_position < _end || Fill())
        {
            int newLine = _chars.AsSpan(_position, _end - _position).IndexOf('\n');
            if (newLine >= 0)
            {
                _position += newLine + 1;
                SkippedLines++;
                return true;
            }

            _position = _end;
        }

        return false;
    }

    private void SkipEmptyLines()
    {
        while (Peek() is '\n' or '\r')
            if (Read() == '\n')
                SkippedLines++;
    }

    private bool Fill()
    {
        _position = _end = 0;
        while (_end == 0)
        {
            if (_byteCount < _unit && !_sourceEnded)
                ReadMore();
            if (_byteCount == 0)
                return false;
            Decode();
            Clean();
            if (!_sourceEnded)
                ReadMore();
        }

        return true;
    }

    private void ReadMore()
    {
        int count = _source.Read(_bytes.AsSpan(_byteCount));
        _sourceEnded = count < _bytes.Length - _byteCount;
        _byteCount += count;
    }

    private void Decode()
    {
        int used;
        if (_utf16 == null)
        {
            OperationStatus status = Utf8.ToUtf16(_bytes.AsSpan(0, _byteCount), _chars, out used, out _end, replaceInvalidSequences: false, isFinalBlock: _sourceEnded);
            if (status == OperationStatus.InvalidData)
                throw Undecodable(used, "UTF-8", $"byte 0x{_bytes[used]:x2}", "iconv -f GB18030 -t UTF-8 (or -f WINDOWS-1252, whatever it was written in)");
        }
        else
        {
            used = _sourceEnded ? _byteCount : _byteCount & ~1;
            try
            {
                _end = _utf16.GetChars(_bytes.AsSpan(0, used), _chars, _sourceEnded);
            }
            catch (DecoderFallbackException e)
            {
                throw Undecodable(Math.Max(0, e.Index), "UTF-16", "a broken character", "iconv -f UTF-16 -t UTF-8", e);
            }
        }

        int nul = _chars.AsSpan(0, _end).IndexOf('\0');
        if (nul >= 0)
        {
            throw new DataException($"{_source.Path} line {_newLines + 1 + _chars.AsSpan(0, nul).Count('\n')}: a NUL character; this is binary data or UTF-16 without a byte-order mark. "
                + "A text file in UTF-8 is needed: convert it with iconv -f UTF-16LE -t UTF-8.");
        }

        DropBytes(used);
        _newLines += _chars.AsSpan(0, _end).Count('\n');
    }

    private DataException Undecodable(int at, string encoding, string what, string remedy, Exception? inner = null)
    {
        long line = _newLines + 1 + _chars.AsSpan(0, _end).Count('\n');
        return new DataException($"{_source.Path} line {line}: {what} at byte offset {_byteOffset + at} is not {encoding}. Convert the file first, for example with {remedy}.", inner);
    }

    private void DropBytes(int count)
    {
        _bytes.AsSpan(count, _byteCount - count).CopyTo(_bytes);
        _byteCount -= count;
        _byteOffset += count;
    }

    private void Clean()
    {
        Span<char> text = _chars.AsSpan(0, _end);
        if (!_started)
        {
            _started = true;
            int cr = text.IndexOf('\r');
            _loneCr = cr >= 0 && cr + 1 < text.Length && !text.Contains('\n');
        }

        if (_loneCr)
        {
            _newLines += text.Count('\r');
            text.Replace('\r', '\n');
        }

        if (_foldSpaces)
            FoldSpaces(text);
    }

    private void FoldSpaces(Span<char> text)
    {
        int kept = 0;
        foreach (char c in text)
        {
            if (c == '"')
                _inQuotes = !_inQuotes;
            if (!_inQuotes)
            {
                if (c == ' ' && _lastWasSpace)
                    continue;
                if (c is '\n' or '\r' && kept > 0 && text[kept - 1] == ' ')
                    kept--;
            }

            text[kept++] = c;
            _lastWasSpace = c is ' ' or '\n' or '\r';
        }

        _end = kept;
    }
}
