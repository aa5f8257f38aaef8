using System.Text;

namespace Candela.Language;

/// <summary>Answers compared as the SQuAD evaluation does (Rajpurkar et al. 2016): lower case, ASCII punctuation and the words a, an, the left out, white space made single.</summary>
internal static class FewShotAnswer
{
    public static string Normalize(string answer)
    {
        var kept = new StringBuilder();
        foreach (char c in answer.ToLowerInvariant())
            if (!char.IsAscii(c) || !(char.IsPunctuation(c) || char.IsSymbol(c)))
                kept.Append(c);
        return string.Join(' ', kept.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Where(w => w is not ("a" or "an" or "the")));
    }

    public static bool IsExact(string given, IReadOnlyList<string> answers) => answers.Any(a => Normalize(a) == Normalize(given));

    /// <summary>The best token F1 over the accepted answers.</summary>
    public static double F1(string given, IReadOnlyList<string> answers) => answers.Max(answer => F1(Normalize(given), Normalize(answer)));

    private static double F1(string given, string answer)
    {
        string[] a = given.Split(' ', StringSplitOptions.RemoveEmptyEntries), b = answer.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (a.Length == 0 || b.Length == 0)
            return a.Length == b.Length ? 1 : 0;
        Dictionary<string, int> left = b.CountBy(w => w).ToDictionary();
        int common = 0;
        foreach (string word in a)
            if (left.TryGetValue(word, out int n) && n > 0)
                (left[word], common) = (n - 1, common + 1);
        return 2.0 * common / (a.Length + b.Length);
    }
}
