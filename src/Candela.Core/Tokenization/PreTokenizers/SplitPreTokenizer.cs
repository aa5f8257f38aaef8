using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>What becomes of the matches of a split.</summary>
internal enum SplitBehavior
{
    /// <summary>They are dropped.</summary>
    Removed,

    /// <summary>Each is a piece.</summary>
    Isolated,

    /// <summary>Each ends the piece before it.</summary>
    MergedWithPrevious,

    /// <summary>Each begins the piece after it.</summary>
    MergedWithNext,

    /// <summary>Neighbouring matches are one piece.</summary>
    Contiguous,
}

/// <summary>A pre-tokenizer that cuts where something matches.</summary>
internal abstract class CuttingPreTokenizer : PreTokenizer
{
    protected abstract SplitBehavior Behavior { get; }

    /// <summary>Cuts the text into matches and what lies between, without gaps.</summary>
    protected abstract void Cut(ReadOnlySpan<char> text, List<Cut> into);

    public override void Split(Piece piece, bool first, List<Piece> into)
    {
        var cuts = new List<Cut>();
        Cut(piece.Span, cuts);
        foreach (Cut cut in Arrange(cuts, Behavior))
            if (cut.Length > 0)
                into.Add(piece.Part(cut.Start, cut.Length));
    }

    /// <summary>The pieces that matches and gaps become.</summary>
    internal static List<Cut> Arrange(List<Cut> cuts, SplitBehavior behavior)
    {
        switch (behavior)
        {
            case SplitBehavior.Isolated:
                return cuts;
            case SplitBehavior.Removed:
                cuts.RemoveAll(c => c.IsMatch);
                return cuts;
            default:
                var pieces = new List<Cut>(cuts.Count);
                bool fromEnd = behavior == SplitBehavior.MergedWithNext, previous = false;
                for (int i = 0; i < cuts.Count; i++)
                {
                    Cut cut = cuts[fromEnd ? cuts.Count - 1 - i : i];
                    bool joins = behavior == SplitBehavior.Contiguous ? i > 0 && cut.IsMatch == previous : cut.IsMatch && !previous && pieces.Count > 0;
                    if (joins)
                        pieces[^1] = new Cut(Math.Min(pieces[^1].Start, cut.Start), pieces[^1].Length + cut.Length, false);
                    else
                        pieces.Add(cut);
                    previous = cut.IsMatch;
                }

                if (fromEnd)
                    pieces.Reverse();
                return pieces;
        }
    }

    /// <summary>Cuts at each character that passes the test.</summary>
    protected static void CutCharacters(ReadOnlySpan<char> text, List<Cut> into, Func<int, bool> test, bool runs = false)
    {
        int done = 0;
        for (int at = 0; at < text.Length;)
        {
            int end = at, size;
            while (end < text.Length && test(CodePoint(text, end, out size)) && (runs || end == at))
                end += size;
            if (end == at)
            {
                _ = CodePoint(text, at, out size);
                at += size;
                continue;
            }

            if (at > done)
                into.Add(new Cut(done, at - done, false));
            into.Add(new Cut(at, end - at, true));
            at = done = end;
        }

        if (done < text.Length)
            into.Add(new Cut(done, text.Length - done, false));
    }

    /// <summary>The code point at a place and its length in units; half a pair is U+FFFD.</summary>
    protected static int CodePoint(ReadOnlySpan<char> text, int at, out int size)
    {
        _ = System.Text.Rune.DecodeFromUtf16(text[at..], out System.Text.Rune rune, out size);
        return rune.Value;
    }

    protected static void WriteType(Utf8JsonWriter json, string type)
    {
        json.WriteStartObject();
        json.WriteString("type", type);
        json.WriteEndObject();
    }
}

/// <summary>Cuts at a text or regular expression.</summary>
internal sealed class SplitPreTokenizer(SplitPattern pattern, SplitBehavior behavior, bool invert) : CuttingPreTokenizer
{
    public SplitPattern Pattern => pattern;

    public bool Invert => invert;

    protected override SplitBehavior Behavior => behavior;

    /// <summary>What becomes of matches.</summary>
    public SplitBehavior Matches => behavior;

    protected override void Cut(ReadOnlySpan<char> text, List<Cut> into)
    {
        pattern.Cut(text, into);
        if (!invert)
            return;
        for (int i = 0; i < into.Count; i++)
            into[i] = into[i] with { IsMatch = !into[i].IsMatch };
    }

    public static SplitPreTokenizer Read(JsonPart part) => new(SplitPattern.Read(part["pattern"]), ReadBehavior(part["behavior"], null), part["invert"].Flag(false));

    public static SplitBehavior ReadBehavior(JsonPart part, SplitBehavior? fallback) => part.OptionalText() switch
    {
        null => fallback ?? throw part.Corrupt("the behavior is missing"),
        string text => Enum.TryParse(text, out SplitBehavior behavior) && Enum.IsDefined(behavior) && !char.IsAsciiDigit(text[0]) ? behavior : throw part.Unsupported($"split behavior {Vocabulary.Quote(text)} is not known"),
    };

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Split");
        pattern.Write(json);
        json.WriteString("behavior", behavior.ToString());
        json.WriteBoolean("invert", invert);
        json.WriteEndObject();
    }
}
