namespace Candela.Language;

/// <summary>Splits English and Chinese text into sentences by rules.</summary>
/// <remarks>
/// A sentence ends after <c>。！？</c> or <c>……</c>, and after <c>. ! ? …</c> when white space and then anything but a lower-case letter follows, or the text ends; closing quotes and brackets behind the mark
/// belong to it. A full stop ends none after a single letter (<c>J. Smith</c>, <c>U.S.</c>) or a common abbreviation (<c>Dr.</c>, <c>e.g.</c>). An empty line always ends a sentence, a single line break is
/// white space. What the rules cannot know: a sentence that ends in an abbreviation runs on.
/// </remarks>
public static class SentenceSplitter
{
    private const string WideEnds = "。！？", Ends = ".!?…", Closing = "\"'”’」』）)]》】";

    private static readonly HashSet<string> Abbreviations = new(
        ["mr", "mrs", "ms", "dr", "prof", "st", "sr", "jr", "gen", "col", "capt", "lt", "sgt", "rev", "hon", "gov", "sen", "rep", "pres", "vs", "e.g", "i.e", "cf", "al", "approx", "inc", "ltd", "co", "corp",
            "dept", "est", "fig", "eq", "no", "vol", "pp", "ed", "eds", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "mt", "ave"],
        StringComparer.OrdinalIgnoreCase);

    /// <summary>The sentences in order, without white space at their ends; runs of white space within them are one space.</summary>
    /// <param name="text">Plain text.</param>
    public static IReadOnlyList<string> Split(string text)
    {
        var sentences = new List<string>();
        int start = 0;
        for (int i = 0; i < text.Length; i++)
        {
            int end = text[i] == '\n' && IsEmptyLine(text, i) ? i + 1 : EndAfter(text, start, i);
            if (end <= i)
                continue;
            Add(sentences, text.AsSpan(start, end - start));
            start = end;
            i = end - 1;
        }

        Add(sentences, text.AsSpan(start));
        return sentences;
    }

    // Where the sentence ends whose mark is at i; 0 when it goes on.
    private static int EndAfter(string text, int start, int i)
    {
        bool wide = WideEnds.Contains(text[i]) || (text[i] == '…' && i + 1 < text.Length && text[i + 1] == '…');
        if (!wide && !Ends.Contains(text[i]))
            return 0;
        int end = i + 1;
        while (end < text.Length && (WideEnds.Contains(text[end]) || Ends.Contains(text[end])))
            end++;
        while (end < text.Length && Closing.Contains(text[end]))
            end++;
        if (wide || end == text.Length)
            return end;
        if (!char.IsWhiteSpace(text[end]))
            return 0;
        int next = end;
        while (next < text.Length && char.IsWhiteSpace(text[next]))
            next++;
        bool goesOn = next < text.Length && char.IsLower(text[next]);
        return goesOn || (text[i] == '.' && end == i + 1 && next < text.Length && IsAbbreviation(text.AsSpan(start, i - start))) ? 0 : end;
    }

    private static bool IsAbbreviation(ReadOnlySpan<char> before)
    {
        int at = before.Length;
        while (at > 0 && (char.IsLetter(before[at - 1]) || before[at - 1] == '.'))
            at--;
        ReadOnlySpan<char> word = before[at..];
        bool single = word.Length > 0 && word[^1] != 'I' && char.IsAscii(word[^1]) && char.IsLetter(word[^1]) && (word.Length == 1 || word[^2] == '.');
        return single || Abbreviations.Contains(word.ToString());
    }

    private static bool IsEmptyLine(string text, int lineBreak)
    {
        for (int i = lineBreak + 1; i < text.Length && char.IsWhiteSpace(text[i]); i++)
            if (text[i] == '\n')
                return true;
        return false;
    }

    private static void Add(List<string> sentences, ReadOnlySpan<char> text)
    {
        string sentence = string.Join(' ', text.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        if (sentence.Length > 0)
            sentences.Add(sentence);
    }
}
