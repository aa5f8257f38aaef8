using System.Globalization;
using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>Words and runs of other characters, without white space: <c>\w+|[^\w\s]+</c>.</summary>
internal sealed class WhitespacePreTokenizer : CuttingPreTokenizer
{
    protected override SplitBehavior Behavior => SplitBehavior.Isolated;

    protected override void Cut(ReadOnlySpan<char> text, List<Cut> into)
    {
        for (int at = 0; at < text.Length;)
        {
            int kind = Kind(CodePoint(text, at, out int size)), end = at + size;
            while (end < text.Length && Kind(CodePoint(text, end, out size)) == kind)
                end += size;
            if (kind != 0)
                into.Add(new Cut(at, end - at, true));
            at = end;
        }
    }

    // 0 white space, 1 a word (with the joiners of Rust's \w), 2 anything else.
    private static int Kind(int codePoint) => CharacterSet.WhiteSpace.Contains(codePoint) ? 0 : CharacterSet.Word.Contains(codePoint) || codePoint is 0x200C or 0x200D ? 1 : 2;

    public override void Write(Utf8JsonWriter json) => WriteType(json, "Whitespace");
}

/// <summary>What lies between white space.</summary>
internal sealed class WhitespaceSplitPreTokenizer : CuttingPreTokenizer
{
    protected override SplitBehavior Behavior => SplitBehavior.Removed;

    protected override void Cut(ReadOnlySpan<char> text, List<Cut> into) => CutCharacters(text, into, CharacterSet.WhiteSpace.Contains);

    public override void Write(Utf8JsonWriter json) => WriteType(json, "WhitespaceSplit");
}

/// <summary>What lies between white space, with each punctuation character by itself.</summary>
internal sealed class BertPreTokenizer : CuttingPreTokenizer
{
    protected override SplitBehavior Behavior => SplitBehavior.Isolated;

    protected override void Cut(ReadOnlySpan<char> text, List<Cut> into)
    {
        int start = -1;
        for (int at = 0; at < text.Length;)
        {
            int codePoint = CodePoint(text, at, out int size);
            bool space = CharacterSet.WhiteSpace.Contains(codePoint), punctuation = PunctuationPreTokenizer.IsPunctuation(codePoint);
            if (space || punctuation)
            {
                if (start >= 0)
                    into.Add(new Cut(start, at - start, false));
                if (punctuation)
                    into.Add(new Cut(at, size, true));
                start = -1;
            }
            else if (start < 0)
            {
                start = at;
            }

            at += size;
        }

        if (start >= 0)
            into.Add(new Cut(start, text.Length - start, false));
    }

    public override void Write(Utf8JsonWriter json) => WriteType(json, "BertPreTokenizer");
}

/// <summary>Cuts at punctuation: Unicode's and all of ASCII's that is neither letter, digit nor space.</summary>
internal sealed class PunctuationPreTokenizer(SplitBehavior behavior) : CuttingPreTokenizer
{
    protected override SplitBehavior Behavior => behavior;

    protected override void Cut(ReadOnlySpan<char> text, List<Cut> into) => CutCharacters(text, into, IsPunctuation);

    public static bool IsPunctuation(int codePoint) => codePoint < 128
        ? char.IsPunctuation((char)codePoint) || char.IsSymbol((char)codePoint)
        : CharacterSet.Category(codePoint) is >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation;

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Punctuation");
        json.WriteString("behavior", behavior.ToString());
        json.WriteEndObject();
    }
}

/// <summary>Cuts at numbers (\p{N}): each run, or each digit by itself.</summary>
internal sealed class DigitsPreTokenizer(bool individualDigits) : CuttingPreTokenizer
{
    protected override SplitBehavior Behavior => individualDigits ? SplitBehavior.Isolated : SplitBehavior.Contiguous;

    protected override void Cut(ReadOnlySpan<char> text, List<Cut> into) => CutCharacters(text, into, c => (CharacterClasses.Of(c) & CharacterClass.Number) != 0);

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Digits");
        json.WriteBoolean("individual_digits", individualDigits);
        json.WriteEndObject();
    }
}

/// <summary>Cuts at one character, which is dropped.</summary>
internal sealed class CharDelimiterPreTokenizer(string delimiter) : CuttingPreTokenizer
{
    private readonly SplitPattern _pattern = new(delimiter);

    protected override SplitBehavior Behavior => SplitBehavior.Removed;

    protected override void Cut(ReadOnlySpan<char> text, List<Cut> into) => _pattern.Cut(text, into);

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "CharDelimiterSplit");
        json.WriteString("delimiter", delimiter);
        json.WriteEndObject();
    }
}

/// <summary>Cuts where the script changes; Hiragana and Katakana count as Han, a space or a character without a script belongs to any.</summary>
internal sealed class UnicodeScriptsPreTokenizer : CuttingPreTokenizer
{
    private static readonly int Han = UnicodeData.ScriptIndex("HAN"), Hiragana = UnicodeData.ScriptIndex("HIRAGANA"), Katakana = UnicodeData.ScriptIndex("KATAKANA");

    protected override SplitBehavior Behavior => SplitBehavior.Isolated;

    protected override void Cut(ReadOnlySpan<char> text, List<Cut> into)
    {
        int start = 0;
        int? last = null;
        for (int at = 0; at < text.Length;)
        {
            int codePoint = CodePoint(text, at, out int size);
            int script = codePoint == 0x30FC ? Han : UnicodeData.ScriptOf(codePoint);
            if (codePoint != ' ' && script >= 0)
            {
                if (script == Hiragana || script == Katakana)
                    script = Han;
                if (last is null)
                    start = at; // spaces before the first character are dropped, as in the library the format comes from
                else if (last != script)
                {
                    into.Add(new Cut(start, at - start, false));
                    start = at;
                }

                last = script;
            }

            at += size;
        }

        if (last is not null)
            into.Add(new Cut(start, text.Length - start, false));
    }

    public override void Write(Utf8JsonWriter json) => WriteType(json, "UnicodeScripts");
}

/// <summary>Pieces of a fixed number of characters; the last may be shorter.</summary>
internal sealed class FixedLengthPreTokenizer(int length) : CuttingPreTokenizer
{
    protected override SplitBehavior Behavior => SplitBehavior.Isolated;

    protected override void Cut(ReadOnlySpan<char> text, List<Cut> into)
    {
        int start = 0, count = 0;
        for (int at = 0; at < text.Length;)
        {
            _ = CodePoint(text, at, out int size);
            at += size;
            if (++count % length != 0 && at < text.Length)
                continue;
            into.Add(new Cut(start, at - start, false));
            start = at;
        }
    }

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "FixedLength");
        json.WriteNumber("length", length);
        json.WriteEndObject();
    }
}
