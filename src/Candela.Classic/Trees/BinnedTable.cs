namespace Candela.Classic.Trees;

/// <summary>Training rows with every cell as a byte: bin 0 is missing, numbers fall into at most 254 ordered bins, category code c is bin c + 1
/// (codes from 253 up, the rarest, share bin 254). Memory: one byte per cell.</summary>
internal sealed class BinnedTable
{
    public const int Bins = 255;

    private const int SampledRows = 200_000, RareBin = Bins - 1;

    private readonly float[][] _cuts;

    /// <summary>Bins the rows. Cuts lie midway between neighbouring distinct values; where a feature has more than 254 of them, at equal shares of
    /// the rows (of a seeded sample of 200,000 when there are more).</summary>
    public BinnedTable(TrainingTable table, long seed)
    {
        Table = table;
        _cuts = new float[table.Width][];
        Columns = new byte[table.Width][];
        int[] sample = [.. Enumerable.Range(0, table.Count)];
        if (table.Count > SampledRows)
        {
            new Rng(seed, 17).Shuffle(sample.AsSpan());
            sample = sample[..SampledRows];
        }

        for (int f = 0; f < table.Width; f++)
        {
            _cuts[f] = table.Cardinalities[f] > 0 ? [] : Cuts(table, sample, f);
            var column = Columns[f] = new byte[table.Count];
            for (int row = 0; row < column.Length; row++)
                column[row] = BinOf(f, table.Values[(row * table.Width) + f]);
        }
    }

    public TrainingTable Table { get; }

    /// <summary>Bin of each row, by feature.</summary>
    public byte[][] Columns { get; }

    public bool IsCategory(int feature) => Table.Cardinalities[feature] > 0;

    /// <summary>Bins used by a feature, counting the missing bin.</summary>
    public int BinCount(int feature) => IsCategory(feature) ? Math.Min(Table.Cardinalities[feature] + 1, Bins) : _cuts[feature].Length + 2;

    /// <summary>The threshold that sends bins 1..<paramref name="bin"/> left.</summary>
    public float ThresholdAfter(int feature, int bin) => _cuts[feature][bin - 1];

    /// <summary>The codes of the given bins as bits of 32-bit words.</summary>
    public int[] Words(int feature, ReadOnlySpan<int> bins)
    {
        int codes = Table.Cardinalities[feature];
        var words = new int[(codes + 31) / 32];
        foreach (int bin in bins)
            for (int code = bin - 1; code < (bin == RareBin ? codes : bin); code++)
                words[code >> 5] |= 1 << (code & 31);
        return words;
    }

    private byte BinOf(int feature, float value)
    {
        if (float.IsNaN(value))
            return 0;
        if (IsCategory(feature))
            return (byte)Math.Min((int)value + 1, RareBin);
        float[] cuts = _cuts[feature];
        int at = Array.BinarySearch(cuts, value);
        return (byte)((at >= 0 ? at : ~at) + 1); // value <= cut falls in the bin before it
    }

    private static float[] Cuts(TrainingTable table, int[] sample, int feature)
    {
        var values = new List<float>(sample.Length);
        foreach (int row in sample)
            if (table.Values[(row * table.Width) + feature] is var value && !float.IsNaN(value))
                values.Add(value);
        values.Sort();
        var cuts = new List<float>();
        int distinct = 0;
        for (int i = 0; i < values.Count; i++)
            distinct += i == 0 || values[i] != values[i - 1] ? 1 : 0;
        double share = distinct <= Bins - 1 ? 0 : (double)values.Count / (Bins - 1), next = share;
        for (int i = 1; i < values.Count && cuts.Count < Bins - 2; i++)
            if (values[i] != values[i - 1] && i >= next)
            {
                cuts.Add(Middle(values[i - 1], values[i]));
                next = Math.Max(next + share, i + (share / 2));
            }

        return [.. cuts];
    }

    // A float m with low <= m < high.
    private static float Middle(float low, float high)
    {
        float middle = (float)((low + (double)high) / 2);
        return middle < high ? middle : low;
    }
}
