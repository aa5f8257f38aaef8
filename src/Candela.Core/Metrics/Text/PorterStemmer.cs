namespace Candela.Metrics;

/// <summary>Porter's stemmer for English (Porter 1980) with the departures of NLTK, which rouge_score uses: a table of irregular words, y to i after consonants only, and short words.</summary>
internal static class PorterStemmer
{
    private static readonly Dictionary<string, string> Irregular = new()
    {
        ["sky"] = "sky",
        ["skies"] = "sky",
        ["dying"] = "die",
        ["lying"] = "lie",
        ["tying"] = "tie",
        ["news"] = "news",
        ["innings"] = "inning",
        ["inning"] = "inning",
        ["outings"] = "outing",
        ["outing"] = "outing",
        ["cannings"] = "canning",
        ["canning"] = "canning",
        ["howe"] = "howe",
        ["proceed"] = "proceed",
        ["exceed"] = "exceed",
        ["succeed"] = "succeed",
    };

    // Suffix and replacement, the longer suffixes first where one ends in another.
    private static readonly (string From, string To)[] Step2 =
    [
        ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("bli", "ble"), ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"), ("ation", "ate"),
        ("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al"), ("iviti", "ive"), ("biliti", "ble"), ("fulli", "ful"),
    ];

    private static readonly (string From, string To)[] Step3 = [("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", "")];

    private static readonly string[] Step4 = ["al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti", "ous", "ive", "ize"];

    /// <summary>The stem of a word in lower case.</summary>
    public static string Stem(string word)
    {
        if (Irregular.TryGetValue(word, out string? known))
            return known;
        if (word.Length <= 2)
            return word;
        word = PastAndGerund(Plural(word));
        if (word.EndsWith('y') && word.Length > 2 && IsConsonant(word, word.Length - 2))
            word = word[..^1] + "i";
        return LastE(Remove(Replace(Derived(word), Step3)));
    }

    private static string Plural(string w)
    {
        if (w.EndsWith("ies", StringComparison.Ordinal))
            return w.Length == 4 ? w[..^1] : w[..^2];
        return w.EndsWith("sses", StringComparison.Ordinal) ? w[..^2] : w.EndsWith('s') && !w.EndsWith("ss", StringComparison.Ordinal) ? w[..^1] : w;
    }

    private static string PastAndGerund(string w)
    {
        if (w.EndsWith("ied", StringComparison.Ordinal))
            return w.Length == 4 ? w[..^1] : w[..^2];
        if (w.EndsWith("eed", StringComparison.Ordinal))
            return Measure(w[..^3]) > 0 ? w[..^1] : w;
        int cut = w.EndsWith("ed", StringComparison.Ordinal) ? 2 : w.EndsWith("ing", StringComparison.Ordinal) ? 3 : 0;
        if (cut == 0 || !HasVowel(w[..^cut]))
            return w;
        w = w[..^cut];
        if (w.EndsWith("at", StringComparison.Ordinal) || w.EndsWith("bl", StringComparison.Ordinal) || w.EndsWith("iz", StringComparison.Ordinal))
            return w + "e";
        if (w.Length >= 2 && w[^1] == w[^2] && IsConsonant(w, w.Length - 1))
            return w[^1] is 'l' or 's' or 'z' ? w : w[..^1];
        return Measure(w) == 1 && EndsConsonantVowelConsonant(w) ? w + "e" : w;
    }

    private static string Derived(string w)
    {
        if (w.EndsWith("alli", StringComparison.Ordinal) && Measure(w[..^4]) > 0)
            return Derived(w[..^2]);
        if (w.EndsWith("logi", StringComparison.Ordinal))
            return Measure(w[..^3]) > 0 ? w[..^1] : w;
        return Replace(w, Step2);
    }

    private static string Replace(string w, (string From, string To)[] rules)
    {
        foreach (var (from, to) in rules)
            if (w.EndsWith(from, StringComparison.Ordinal))
                return Measure(w[..^from.Length]) > 0 ? w[..^from.Length] + to : w;
        return w;
    }

    private static string Remove(string w)
    {
        foreach (string suffix in Step4)
            if (w.EndsWith(suffix, StringComparison.Ordinal))
            {
                string stem = w[..^suffix.Length];
                return Measure(stem) > 1 && (suffix != "ion" || stem[^1] is 's' or 't') ? stem : w;
            }

        return w;
    }

    private static string LastE(string w)
    {
        if (w.EndsWith('e') && Measure(w[..^1]) is var measure && (measure > 1 || (measure == 1 && !EndsConsonantVowelConsonant(w[..^1]))))
            w = w[..^1];
        return w.EndsWith("ll", StringComparison.Ordinal) && Measure(w[..^1]) > 1 ? w[..^1] : w;
    }

    private static bool IsConsonant(string w, int i) => w[i] switch
    {
        'a' or 'e' or 'i' or 'o' or 'u' => false,
        'y' => i == 0 || !IsConsonant(w, i - 1),
        _ => true,
    };

    private static bool HasVowel(string w) => Enumerable.Range(0, w.Length).Any(i => !IsConsonant(w, i));

    /// <summary>How often a vowel is followed by a consonant.</summary>
    private static int Measure(string w)
    {
        int measure = 0;
        for (int i = 1; i < w.Length; i++)
            if (IsConsonant(w, i) && !IsConsonant(w, i - 1))
                measure++;
        return measure;
    }

    private static bool EndsConsonantVowelConsonant(string w)
        => w.Length == 2 ? !IsConsonant(w, 0) && IsConsonant(w, 1)
        : w.Length > 2 && IsConsonant(w, w.Length - 3) && !IsConsonant(w, w.Length - 2) && IsConsonant(w, w.Length - 1) && w[^1] is not ('w' or 'x' or 'y');
}
