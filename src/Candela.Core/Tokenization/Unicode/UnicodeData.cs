using System.Globalization;

namespace Candela.Tokenization;

/// <summary>Decompositions, combining classes and scripts, from the table generate.mjs wrote: .NET has no scripts, and no normalization where globalization is invariant. Hangul is by rule.</summary>
internal static class UnicodeData
{
    private static readonly Lazy<Tables> All = new(Read);

    private sealed record Tables(Dictionary<int, int[]> Canonical, Dictionary<int, int[]> Compatible, Dictionary<long, int> Pairs, byte[] Classes, string[] Scripts, int[] Starts, int[] Ends, short[] ScriptOfRange, HashSet<int> Alphabetic);

    /// <summary>The full decomposition of a code point, or null when it is itself.</summary>
    public static int[]? Decomposition(int codePoint, bool compatible)
    {
        Tables tables = All.Value;
        return compatible && tables.Compatible.TryGetValue(codePoint, out int[]? found) || tables.Canonical.TryGetValue(codePoint, out found) ? found : null;
    }

    /// <summary>What two code points compose to, or -1.</summary>
    public static int Compose(int first, int second) => All.Value.Pairs.TryGetValue((long)first << 32 | (uint)second, out int composed) ? composed : -1;

    /// <summary>The canonical combining class.</summary>
    public static int CombiningClass(int codePoint) => codePoint < 0x300 || codePoint >= All.Value.Classes.Length ? 0 : All.Value.Classes[codePoint];

    /// <summary>The number of a script by its name in capitals without separators, or -1.</summary>
    public static int ScriptIndex(string name) => Array.IndexOf(All.Value.Scripts, name);

    /// <summary>The number of a code point's script, or -1 when it is not assigned.</summary>
    public static int ScriptOf(int codePoint)
    {
        Tables tables = All.Value;
        int at = Array.BinarySearch(tables.Starts, codePoint);
        if (at < 0)
            at = ~at - 1;
        return at >= 0 && codePoint <= tables.Ends[at] ? tables.ScriptOfRange[at] : -1;
    }

    /// <summary>Whether a character that is neither letter nor letter number is alphabetic: vowel signs, circled letters.</summary>
    public static bool IsOtherAlphabetic(int codePoint) => All.Value.Alphabetic.Contains(codePoint);

    private static Tables Read()
    {
        Dictionary<int, int[]> canonical = [], compatible = [];
        var pairs = new Dictionary<long, int>();
        byte[] classes = new byte[0x20000];
        var alphabetic = new HashSet<int>();
        var scripts = new List<string>();
        var ranges = new List<(int Start, int End, short Script)>();
        using Stream stream = typeof(UnicodeData).Assembly.GetManifestResourceStream("Candela.Tokenization.unicode.txt")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            string[] words = line.Split(' ');
            switch (words[0])
            {
                case "D":
                    canonical[Hex(words[1])] = [.. words[2..].Select(Hex)];
                    break;
                case "K":
                    compatible[Hex(words[1])] = [.. words[2..].Select(Hex)];
                    break;
                case "P":
                    pairs[(long)Hex(words[2]) << 32 | (uint)Hex(words[3])] = Hex(words[1]);
                    break;
                case "C":
                    classes.AsSpan(Hex(words[1])..(Hex(words[2]) + 1)).Fill(byte.Parse(words[3], CultureInfo.InvariantCulture));
                    break;
                case "A":
                    foreach (string[] ends in words[1..].Select(r => r.Split('-')))
                        alphabetic.UnionWith(Enumerable.Range(Hex(ends[0]), Hex(ends[^1]) - Hex(ends[0]) + 1));
                    break;
                case "S":
                    scripts.Add(words[1].Replace("_", "", StringComparison.Ordinal).ToUpperInvariant());
                    foreach (string range in words[2..])
                    {
                        string[] ends = range.Split('-');
                        ranges.Add((Hex(ends[0]), Hex(ends[^1]), (short)(scripts.Count - 1)));
                    }

                    break;
            }
        }

        ranges.Sort();
        return new Tables(canonical, compatible, pairs, classes, [.. scripts], [.. ranges.Select(r => r.Start)], [.. ranges.Select(r => r.End)], [.. ranges.Select(r => r.Script)], alphabetic);
    }

    private static int Hex(string word) => int.Parse(word, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
