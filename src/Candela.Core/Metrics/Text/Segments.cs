namespace Candela.Metrics;

/// <summary>Checks of hypotheses against references that every text metric makes.</summary>
internal static class Segments
{
    /// <summary>One list of one reference for each segment.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> Single(IReadOnlyList<string> references) => [.. references.Select(r => (string[])[r])];

    public static void Check(string metric, int hypotheses, int references)
    {
        if (hypotheses != references)
            throw new DataException($"{metric} got {hypotheses} hypotheses and references of {references} segments; they must be as many.");
        if (hypotheses == 0)
            throw new DataException($"{metric} got no segment; it needs one or more.");
    }

    public static void Check(string metric, IReadOnlyList<string> hypotheses, IReadOnlyList<IReadOnlyList<string>> references)
    {
        Check(metric, hypotheses.Count, references.Count);
        for (int i = 0; i < references.Count; i++)
            if (references[i].Count == 0)
                throw new DataException($"{metric}: segment {i} (counted from 0) has no reference; it needs one or more.");
    }

    /// <summary>The number of references in a signature: that of all segments, or <c>var</c>.</summary>
    public static string ReferenceCount(IReadOnlyList<IReadOnlyList<string>> references)
        => references.All(r => r.Count == references[0].Count) ? references[0].Count.ToString(System.Globalization.CultureInfo.InvariantCulture) : "var";

    /// <summary><c>candela-</c> and this library's version.</summary>
    public static string Version { get; } = "candela-" + typeof(Segments).Assembly.GetName().Version!.ToString(3);
}
