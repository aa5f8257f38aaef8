using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>When the stand-in for a space is put in front of a text.</summary>
internal enum PrependScheme
{
    /// <summary>Before every piece that has none.</summary>
    Always,

    /// <summary>Only at the start of the whole text.</summary>
    First,

    /// <summary>Not at all.</summary>
    Never,
}

/// <summary>Writes spaces as a stand-in character (SentencePiece's U+2581) and, unless told not to, cuts before each.</summary>
internal sealed class MetaspacePreTokenizer(char replacement, PrependScheme scheme, bool split) : PreTokenizer
{
    public override void Split(Piece piece, bool first, List<Piece> into)
    {
        if (piece.Length == 0)
            return;
        AlignedText text = piece.ToText();
        bool prepend = scheme != PrependScheme.Never && text.Text[0] is char c && c != ' ' && c != replacement && (scheme == PrependScheme.Always || first);
        var builder = new AlignedBuilder(text.Tracked, text.Text.Length + 1);
        if (prepend)
            builder.Append([replacement], text, 0, 1);
        int at = 0;
        while (text.Text.IndexOf(' ', at) is int space && space >= 0)
        {
            builder.Copy(text, at, space - at);
            builder.Append([replacement], text, space, space + 1);
            at = space + 1;
        }

        builder.Copy(text, at, text.Text.Length - at);
        var whole = new Piece(builder.ToText());
        if (!split)
        {
            into.Add(whole);
            return;
        }

        // A stand-in begins a piece; in a run of them each but the last is a piece of its own.
        int start = 0;
        for (int i = 1; i < whole.Length; i++)
        {
            if (whole.Span[i] != replacement)
                continue;
            into.Add(whole.Part(start, i - start));
            start = i;
        }

        into.Add(whole.Part(start, whole.Length - start));
    }

    public static MetaspacePreTokenizer Read(JsonPart part) => new(ReadReplacement(part), ReadScheme(part), part["split"].Flag(true));

    public static char ReadReplacement(JsonPart part) => part["replacement"].Text("\u2581") is { Length: 1 } text ? text[0] : throw part["replacement"].Corrupt("one character was needed");

    // Files from before "prepend_scheme" have "add_prefix_space" alone.
    public static PrependScheme ReadScheme(JsonPart part) => part["prepend_scheme"].OptionalText() switch
    {
        null => part["add_prefix_space"].Flag(true) ? PrependScheme.Always : PrependScheme.Never,
        "always" => PrependScheme.Always,
        "first" => PrependScheme.First,
        "never" => PrependScheme.Never,
        string text => throw part.Unsupported($"prepend_scheme {Vocabulary.Quote(text)} is not known"),
    };

    public static void WriteMembers(Utf8JsonWriter json, char replacement, PrependScheme scheme, bool split)
    {
        json.WriteStartObject();
        json.WriteString("type", "Metaspace");
        json.WriteString("replacement", replacement.ToString());
        json.WriteString("prepend_scheme", scheme == PrependScheme.Always ? "always" : scheme == PrependScheme.First ? "first" : "never");
        json.WriteBoolean("split", split);
        json.WriteEndObject();
    }

    public override void Write(Utf8JsonWriter json) => WriteMembers(json, replacement, scheme, split);
}
