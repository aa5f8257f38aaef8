using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>Runs of tokens &lt;0xNN&gt; back to text; a run that is not UTF-8 gives U+FFFD for each of its bytes. A run is handed on when it ends.</summary>
internal sealed class ByteFallbackDecoder : TokenDecoder
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public override DecoderStage Open(DecoderStage next) => new Stage(next);

    /// <summary>The byte a token stands for, or -1.</summary>
    internal static int ByteOf(string token) => token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>'
        && byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value) ? value : -1;

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "ByteFallback");
        json.WriteEndObject();
    }

    private sealed class Stage(DecoderStage next) : DecoderStage
    {
        private readonly List<byte> _bytes = [];

        public override void Push(string token, bool continues)
        {
            if (ByteOf(token) is int value && value >= 0)
            {
                _bytes.Add((byte)value);
                return;
            }

            Emit();
            next.Push(token, continues);
        }

        public override void Finish()
        {
            Emit();
            next.Finish();
        }

        private void Emit()
        {
            if (_bytes.Count == 0)
                return;
            try
            {
                next.Push(Strict.GetString([.. _bytes]), continues: false);
            }
            catch (DecoderFallbackException)
            {
                for (int i = 0; i < _bytes.Count; i++)
                    next.Push("\uFFFD", continues: false);
            }

            _bytes.Clear();
        }
    }
}

/// <summary>All tokens become one.</summary>
internal sealed class FuseDecoder : TokenDecoder
{
    public override DecoderStage Open(DecoderStage next) => new Stage(next);

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Fuse");
        json.WriteEndObject();
    }

    private sealed class Stage(DecoderStage next) : DecoderStage
    {
        private bool _started;

        public override void Push(string token, bool continues)
        {
            next.Push(token, _started);
            _started = true;
        }

        public override void Finish() => next.Finish();
    }
}

/// <summary>Takes up to so many of one character off the start and the end of each token.</summary>
internal sealed class StripDecoder(string content, int start, int stop) : TokenDecoder
{
    private readonly char _character = content.Length == 1 ? content[0] : ' ';

    public override DecoderStage Open(DecoderStage next) => new Stage(next, _character, start, stop);

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Strip");
        json.WriteString("content", content);
        json.WriteNumber("start", start);
        json.WriteNumber("stop", stop);
        json.WriteEndObject();
    }

    private sealed class Stage(DecoderStage next, char character, int start, int stop) : DecoderStage
    {
        private int _left, _held; // how many may still go at the start; how many of the character wait for what follows
        private bool _begun, _emitted;

        public override void Push(string token, bool continues)
        {
            if (!continues || !_begun)
            {
                EndToken();
                _left = start;
                _begun = true;
                _emitted = false;
            }

            int at = 0;
            while (_left > 0 && at < token.Length && token[at] == character)
            {
                at++;
                _left--;
            }

            if (at < token.Length)
                _left = 0;
            if (at == token.Length)
                return;
            int end = token.Length;
            while (stop > 0 && end > at && token[end - 1] == character)
                end--;
            if (end > at)
            {
                Emit(new string(character, _held) + token[at..end]);
                _held = 0;
            }

            _held += token.Length - end;
            if (_held <= stop)
                return;
            Emit(new string(character, _held - stop)); // only the last few can go
            _held = stop;
        }

        public override void Finish()
        {
            EndToken();
            next.Finish();
        }

        // The token is over: what is held is its end, and goes.
        private void EndToken()
        {
            if (_begun && !_emitted)
                next.Push("", continues: false);
            _held = 0;
        }

        private void Emit(string text)
        {
            next.Push(text, _emitted);
            _emitted = true;
        }
    }
}

/// <summary>Replaces every match of a text or pattern in each token.</summary>
internal sealed class ReplaceDecoder(SplitPattern pattern, string content) : TokenDecoder
{
    public override DecoderStage Open(DecoderStage next) => new Stage(next, pattern, content);

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Replace");
        pattern.Write(json);
        json.WriteString("content", content);
        json.WriteEndObject();
    }

    private sealed class Stage(DecoderStage next, SplitPattern pattern, string content) : DecoderStage
    {
        private readonly bool _local = pattern.Literal is { Length: <= 1 }; // a match cannot span two parts of a token
        private StringBuilder? _whole;

        public override void Push(string token, bool continues)
        {
            if (_local)
            {
                next.Push(Replaced(token), continues);
                return;
            }

            if (!continues)
                Emit();
            (_whole ??= new StringBuilder()).Append(token);
        }

        public override void Finish()
        {
            Emit();
            next.Finish();
        }

        private void Emit()
        {
            if (_whole is not null)
                next.Push(Replaced(_whole.ToString()), continues: false);
            _whole = null;
        }

        private string Replaced(string token)
        {
            if (pattern.Literal is { Length: > 0 } literal)
                return token.Replace(literal, content, StringComparison.Ordinal);
            var cuts = new List<Cut>();
            pattern.Cut(token, cuts);
            return string.Concat(cuts.Select(c => c.IsMatch ? content : token.Substring(c.Start, c.Length)));
        }
    }
}
