using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Candela.Models;

namespace Candela.Data;

/// <summary>JSON Lines: one flat object a line. The columns are the keys of the first rows in order of appearance; a key a row lacks is a missing cell.</summary>
internal sealed class JsonLinesSource : RowSource
{
    private const int HeadRows = 65_536;
    private const long HeadCharacters = 16L << 20;
    private readonly List<string> _names = [];
    private readonly Dictionary<string, int> _index = [];
    private readonly IProgress<TrainEvent>? _events;
    private bool _warned;

    public JsonLinesSource(string path, IProgress<TrainEvent>? events) : base(path)
    {
        _events = events;
        using var reader = new Rows(this, hash: null, learn: true);
        while (reader.Line < HeadRows && reader.Characters < HeadCharacters && reader.Read())
        {
        }

        if (_names.Count == 0)
            throw new DataException($"{path}: there is no JSON object with a key in it; a table with at least one row is needed.");
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Names => _names;

    /// <inheritdoc/>
    public override RowReader Open(IncrementalHash? hash = null) => new Rows(this, hash, learn: false);

    private sealed class Rows(JsonLinesSource source, IncrementalHash? hash, bool learn) : RowReader
    {
        private readonly StrictTextReader _text = new(source.Path, hash);
        private readonly List<(int Start, int Length)> _cells = [];
        private char[] _characters = new char[1024];
        private byte[] _utf8 = new byte[1024];
        private int _used;
        private long _line;
        private bool _begun;

        public override long Line => _line;

        public long Characters { get; private set; }

        public override ReadOnlySpan<char> Cell(int column)
        {
            (int start, int length) = _cells[column];
            return _characters.AsSpan(start, length).Trim();
        }

        public override bool Read()
        {
            if (!_begun)
                (_line, _begun) = (_text.SkippedLines, true);
            while (_text.ReadLine() is { } line)
            {
                _line++;
                if (string.IsNullOrWhiteSpace(line))
                    continue;
                Characters += line.Length;
                Parse(line);
                return true;
            }

            return false;
        }

        public override void Dispose() => _text.Dispose();

        private void Parse(string line)
        {
            int most = Encoding.UTF8.GetMaxByteCount(line.Length);
            if (_utf8.Length < most)
                _utf8 = new byte[most];
            if (_characters.Length < 2 * line.Length)
                _characters = new char[2 * line.Length];
            int count = Encoding.UTF8.GetBytes(line, _utf8);
            _used = 0;
            _cells.Clear();
            foreach (string _ in source._names)
                _cells.Add((0, 0));
            try
            {
                Object(new Utf8JsonReader(_utf8.AsSpan(0, count)));
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                // The second kind is for \u escapes that are no character.
                throw new DataException($"{source.Path} line {_line}: not a JSON object ({e.Message.Split(" LineNumber")[0].TrimEnd('.')}). Each line must be one object such as {{\"age\": 31, \"city\": \"Oslo\"}}.", e);
            }
        }

        private void Object(Utf8JsonReader json)
        {
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
                throw new JsonException("the line does not begin with {");
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                string key = json.GetString()!;
                json.Read();
                if (json.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                    throw new DataException($"{source.Path} line {_line}, key '{key}': the value is {(json.TokenType == JsonTokenType.StartArray ? "an array" : "an object")}; only text, numbers, true, false and null can be cells. Flatten it into keys of their own.");
                if (Place(key) is { } place)
                    _cells[place] = Value(ref json);
            }

            if (json.Read())
                throw new JsonException("something follows the object");
        }

        private int? Place(string key)
        {
            if (source._index.TryGetValue(key, out int place))
                return place;
            if (!learn)
            {
                if (!source._warned)
                    source._events?.Report(new Warned("late-key", $"{source.Path} line {_line}: key '{key}' is not among the keys of the first rows and is left out, here and below."));
                source._warned = true;
                return null;
            }

            string name = key.Trim().Length == 0 ? $"#{source._names.Count}" : key;
            source._index.Add(key, source._names.Count);
            source._names.Add(name);
            _cells.Add((0, 0));
            return source._names.Count - 1;
        }

        private (int Start, int Length) Value(ref Utf8JsonReader json)
        {
            if (json.TokenType == JsonTokenType.Null)
                return (0, 0);
            int start = _used;
            if (_characters.Length < start + json.ValueSpan.Length)
                Array.Resize(ref _characters, 2 * (start + json.ValueSpan.Length));
            _used += json.TokenType == JsonTokenType.String ? json.CopyString(_characters.AsSpan(start)) : Encoding.UTF8.GetChars(json.ValueSpan, _characters.AsSpan(start));
            return (start, _used - start);
        }
    }
}
