using System.Text;

namespace Candela.Tokenization;

/// <summary>The normalization forms of Unicode Standard Annex 15.</summary>
internal static class UnicodeForm
{
    private const int SyllableBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TailBase = 0x11A7, LeadCount = 19, VowelCount = 21, TailCount = 28, SyllableCount = LeadCount * VowelCount * TailCount;

    private record struct Unit(int CodePoint, int Class, int Start, int End);

    /// <summary>NFD or NFKD (<paramref name="compatible"/>), then composed to NFC or NFKC.</summary>
    public static AlignedText Apply(AlignedText text, bool compatible, bool compose)
    {
        // Latin-1 and Latin Extended are composed already; ASCII is in every form.
        bool untouched = compose && !compatible ? !text.Text.AsSpan().ContainsAnyExceptInRange('\0', '\u02FF') : Ascii.IsValid(text.Text);
        if (untouched)
            return text;
        List<Unit> units = Decompose(text, compatible);
        if (compose)
            Compose(units);
        var builder = new AlignedBuilder(text.Tracked, text.Text.Length + 16);
        Span<char> utf16 = stackalloc char[2];
        foreach (Unit unit in units)
        {
            int count = 1;
            if (unit.CodePoint is >= 0xD800 and <= 0xDFFF)
                utf16[0] = (char)unit.CodePoint; // half a pair stays what it is
            else
                count = new Rune(unit.CodePoint).EncodeToUtf16(utf16);
            builder.Append(utf16[..count], text, unit.Start, unit.End);
        }

        return builder.ToText();
    }

    private static List<Unit> Decompose(AlignedText text, bool compatible)
    {
        var units = new List<Unit>(text.Text.Length + 16);
        for (int at = 0; at < text.Text.Length;)
        {
            int size = char.IsSurrogatePair(text.Text, at) ? 2 : 1;
            int codePoint = size == 2 ? char.ConvertToUtf32(text.Text[at], text.Text[at + 1]) : text.Text[at];
            int syllable = codePoint - SyllableBase;
            if (syllable is >= 0 and < SyllableCount)
            {
                Add(LeadBase + syllable / (VowelCount * TailCount));
                Add(VowelBase + syllable % (VowelCount * TailCount) / TailCount);
                if (syllable % TailCount != 0)
                    Add(TailBase + syllable % TailCount);
            }
            else if (codePoint >= 0x80 && UnicodeData.Decomposition(codePoint, compatible) is { } parts)
            {
                foreach (int part in parts)
                    Add(part);
            }
            else
            {
                Add(codePoint);
            }

            at += size;

            // Marks are kept in order of their class (stable: an insertion sort of each run).
            void Add(int c)
            {
                var unit = new Unit(c, UnicodeData.CombiningClass(c), at, at + size);
                int place = units.Count;
                if (unit.Class != 0)
                    while (place > 0 && units[place - 1].Class > unit.Class)
                        place--;
                units.Insert(place, unit);
            }
        }

        return units;
    }

    private static void Compose(List<Unit> units)
    {
        int starter = -1, kept = 0, previousClass = -1; // class of the last unit kept after the starter, -1 when none is
        for (int i = 0; i < units.Count; i++)
        {
            Unit unit = units[i];
            if (starter >= 0 && previousClass < unit.Class && Pair(units[starter].CodePoint, unit.CodePoint) is int composed && composed >= 0)
            {
                Unit head = units[starter];
                units[starter] = head with { CodePoint = composed, Start = Math.Min(head.Start, unit.Start), End = Math.Max(head.End, unit.End) };
                continue;
            }

            if (unit.Class == 0)
            {
                starter = kept;
                previousClass = -1;
            }
            else
            {
                previousClass = unit.Class;
            }

            units[kept++] = unit;
        }

        units.RemoveRange(kept, units.Count - kept);
    }

    private static int Pair(int first, int second)
    {
        int lead = first - LeadBase, vowel = second - VowelBase;
        if (lead is >= 0 and < LeadCount && vowel is >= 0 and < VowelCount)
            return SyllableBase + (lead * VowelCount + vowel) * TailCount;
        int syllable = first - SyllableBase, tail = second - TailBase;
        if (syllable is >= 0 and < SyllableCount && syllable % TailCount == 0 && tail is > 0 and < TailCount)
            return first + tail;
        return UnicodeData.Compose(first, second);
    }
}
