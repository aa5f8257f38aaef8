using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>What to look for: a text, or a regular expression.</summary>
internal sealed class SplitPattern
{
    private readonly UnicodePattern? _regex;

    public SplitPattern(string literal) => Literal = literal;

    public SplitPattern(UnicodePattern regex) => _regex = regex;

    /// <summary>The text to look for; null for a regular expression.</summary>
    public string? Literal { get; }

    /// <summary>The text of the regular expression; null for a literal.</summary>
    public string? Regex => _regex?.Text;

    /// <summary>Reads {"String": ..} or {"Regex": ..}.</summary>
    public static SplitPattern Read(JsonPart part)
    {
        if (part.Element.ValueKind == JsonValueKind.String)
            return new SplitPattern(part.Text());
        JsonPart text = part["String"], regex = part["Regex"];
        if (!text.IsNull)
            return new SplitPattern(text.Text());
        return regex.IsNull ? throw part.Corrupt("a pattern needs \"String\" or \"Regex\"") : new SplitPattern(UnicodePattern.Parse(regex.Text(), regex));
    }

    /// <summary>Cuts the text into matches and what lies between, without gaps.</summary>
    public void Cut(ReadOnlySpan<char> text, List<Cut> into)
    {
        if (_regex is not null)
        {
            _regex.Cut(text, into);
            return;
        }

        int done = 0;
        while (Literal!.Length > 0 && text[done..].IndexOf(Literal) is int at && at >= 0)
        {
            if (at > 0)
                into.Add(new Cut(done, at, false));
            into.Add(new Cut(done + at, Literal.Length, true));
            done += at + Literal.Length;
        }

        if (done < text.Length)
            into.Add(new Cut(done, text.Length - done, false));
    }

    /// <summary>Writes the member "pattern".</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject("pattern");
        json.WriteString(Literal is null ? "Regex" : "String", Literal ?? Regex);
        json.WriteEndObject();
    }
}
