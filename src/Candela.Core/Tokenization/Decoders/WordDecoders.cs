using System.Text;
using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>Words of pieces: a piece without the prefix begins a word.</summary>
internal sealed class WordPieceDecoder(string prefix, bool cleanup) : TokenDecoder
{
    public override DecoderStage Open(DecoderStage next) => new Stage(next, prefix, cleanup);

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "WordPiece");
        json.WriteString("prefix", prefix);
        json.WriteBoolean("cleanup", cleanup);
        json.WriteEndObject();
    }

    /// <summary>The spaces that English does not write, taken out of one token.</summary>
    internal static string Clean(string token)
    {
        if (!token.Contains(' ', StringComparison.Ordinal))
            return token;
        return new StringBuilder(token).Replace(" .", ".").Replace(" ?", "?").Replace(" !", "!").Replace(" ,", ",").Replace(" ' ", "'").Replace(" n't", "n't")
            .Replace(" 'm", "'m").Replace(" do not", " don't").Replace(" 's", "'s").Replace(" 've", "'ve").Replace(" 're", "'re").ToString();
    }

    private sealed class Stage(DecoderStage next, string prefix, bool cleanup) : DecoderStage
    {
        private bool _started;

        public override void Push(string token, bool continues)
        {
            if (_started && !continues)
                token = token.StartsWith(prefix, StringComparison.Ordinal) ? token[prefix.Length..] : " " + token;
            _started = true;
            next.Push(cleanup ? Clean(token) : token, continues);
        }

        public override void Finish() => next.Finish();
    }
}

/// <summary>Stand-ins of <see cref="MetaspacePreTokenizer"/> back to spaces; those of the first token were never in the text.</summary>
internal sealed class MetaspaceDecoder(char replacement, PrependScheme scheme, bool split) : TokenDecoder
{
    public override DecoderStage Open(DecoderStage next) => new Stage(next, replacement, scheme != PrependScheme.Never);

    public static MetaspaceDecoder Read(JsonPart part) => new(MetaspacePreTokenizer.ReadReplacement(part), MetaspacePreTokenizer.ReadScheme(part), part["split"].Flag(true));

    public override void Write(Utf8JsonWriter json) => MetaspacePreTokenizer.WriteMembers(json, replacement, scheme, split);

    private sealed class Stage(DecoderStage next, char replacement, bool dropFirst) : DecoderStage
    {
        private bool _first = true;

        public override void Push(string token, bool continues)
        {
            if (!continues && !_first)
                dropFirst = false;
            _first = false;
            next.Push(dropFirst ? token.Replace(replacement.ToString(), "", StringComparison.Ordinal) : token.Replace(replacement, ' '), continues);
        }

        public override void Finish() => next.Finish();
    }
}

/// <summary>The suffix that ends a word becomes a space, except at the end of the text.</summary>
internal sealed class BpeDecoder(string suffix) : TokenDecoder
{
    public override DecoderStage Open(DecoderStage next) => new Stage(next, suffix);

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "BPEDecoder");
        json.WriteString("suffix", suffix);
        json.WriteEndObject();
    }

    private sealed class Stage(DecoderStage next, string suffix) : DecoderStage
    {
        private string? _held; // only the next token tells whether this one is the last

        public override void Push(string token, bool continues)
        {
            if (continues && _held is not null)
            {
                _held += token;
                return;
            }

            Emit(" ");
            _held = token;
        }

        public override void Finish()
        {
            Emit("");
            next.Finish();
        }

        private void Emit(string space)
        {
            if (_held is not null)
                next.Push(suffix.Length == 0 ? _held : _held.Replace(suffix, space, StringComparison.Ordinal), continues: false);
            _held = null;
        }
    }
}

/// <summary>Connectionist temporal classification: a token that repeats the one before counts once, blanks go, delimiters are spaces.</summary>
internal sealed class CtcDecoder(string padToken, string delimiter, bool cleanup) : TokenDecoder
{
    public override DecoderStage Open(DecoderStage next) => new Stage(next, padToken, delimiter, cleanup);

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "CTC");
        json.WriteString("pad_token", padToken);
        json.WriteString("word_delimiter_token", delimiter);
        json.WriteBoolean("cleanup", cleanup);
        json.WriteEndObject();
    }

    private sealed class Stage(DecoderStage next, string padToken, string delimiter, bool cleanup) : DecoderStage
    {
        private string? _last;

        public override void Push(string token, bool continues)
        {
            if (token == _last)
                return;
            _last = token;
            if (padToken.Length > 0)
                token = token.Replace(padToken, "", StringComparison.Ordinal);
            if (cleanup)
            {
                token = WordPieceDecoder.Clean(token);
                if (delimiter.Length > 0)
                    token = token.Replace(delimiter, " ", StringComparison.Ordinal);
            }

            if (token.Length > 0)
                next.Push(token, continues: false);
        }

        public override void Finish() => next.Finish();
    }
}
