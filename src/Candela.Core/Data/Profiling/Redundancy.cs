namespace Candela.Data;

/// <summary>Finds pairs of inputs that say the same, on the rows of the first chunk.</summary>
internal static class Redundancy
{
    private const int MaxValues = 200, MaxNumbers = 100, NumberRows = 10_000;

    /// <summary>Names of columns that are one-to-one (few values) or linear copies of each other (numbers), as groups.</summary>
    public static List<List<string>> Find(TableChunk chunk, IReadOnlyList<string> inputs)
    {
        List<List<string>> groups = [];
        if (chunk.Rows < TargetCopy.LeastRows)
            return groups;
        List<Coded> coded = [];
        List<Standardised> numbers = [];
        foreach (string name in inputs)
        {
            TableColumn cells = chunk.Column(name);
            if (Code(cells) is { } codes)
                coded.Add(codes with { Name = name });
            else if (cells is NumberColumn { Values: var values } && numbers.Count < MaxNumbers && Standardise(values) is { } scaled)
                numbers.Add(new Standardised(name, scaled));
        }

        var done = new HashSet<string>();
        Group(coded, (a, b) => a.Values == b.Values && IsBijection(a, b), c => c.Name);
        Group(numbers, (a, b) => IsCopy(a.Values, b.Values), n => n.Name);
        return groups;

        void Group<T>(List<T> columns, Func<T, T, bool> same, Func<T, string> name)
        {
            for (int i = 0; i < columns.Count; i++)
            {
                if (done.Contains(name(columns[i])))
                    continue;
                List<string> group = [name(columns[i]), .. columns.Skip(i + 1).Where(other => !done.Contains(name(other)) && same(columns[i], other)).Select(name)];
                if (group.Count < 2)
                    continue;
                done.UnionWith(group);
                groups.Add(group);
            }
        }
    }

    private static Coded? Code(TableColumn cells)
    {
        var ids = new Dictionary<int, int>();
        var codes = new int[cells.Count];
        for (int i = 0; i < codes.Length; i++)
        {
            int key;
            if (cells is NumberColumn { Values: var values })
                key = BitConverter.SingleToInt32Bits(values[i]);
            else if (cells is CategoryColumn category)
                key = category.Codes[i];
            else
                return null;
            if (!ids.TryGetValue(key, out codes[i]))
            {
                // Values met once or twice are one-to-one with anything.
                if (ids.Count == Math.Min(MaxValues, cells.Count / 10))
                    return null;
                ids[key] = codes[i] = ids.Count;
            }
        }

        return ids.Count < 2 ? null : new Coded("", codes, ids.Count);
    }

    // Codes are numbered by first appearance, so one-to-one columns have equal codes.
    private static bool IsBijection(Coded a, Coded b) => a.Codes.AsSpan().SequenceEqual(b.Codes);

    private static float[]? Standardise(float[] values)
    {
        float[] head = values[..Math.Min(NumberRows, values.Length)];
        var moments = new NumberMoments();
        foreach (float value in head)
            moments.Add(value);
        if (moments.Missing > head.Length / 2 || moments.Deviation == 0)
            return null;
        return Array.ConvertAll(head, value => float.IsFinite(value) ? (float)((value - moments.Mean) / moments.Deviation) : float.NaN);
    }

    private static bool IsCopy(float[] a, float[] b)
    {
        // Standardised copies differ by rounding only; one clear difference settles it. A mirrored copy differs by its sign.
        float sign = 0;
        for (int i = 0; i < a.Length; i++)
        {
            if (float.IsNaN(a[i]) != float.IsNaN(b[i]))
                return false;
            if (float.IsNaN(a[i]) || Math.Abs(a[i]) < 1e-3f)
                continue;
            if (sign == 0)
                sign = Math.Sign(a[i]) * Math.Sign(b[i]);
            if (sign == 0 || Math.Abs(a[i] - (sign * b[i])) > 1e-3f * (1 + Math.Abs(a[i])))
                return false;
        }

        return sign != 0;
    }

    private sealed record Coded(string Name, int[] Codes, int Values);

    private sealed record Standardised(string Name, float[] Values);
}
