namespace Candela.Language;

/// <summary>A sparse table over the pairs of source and target words that stand in one pair of texts; its rows are source words, and each row adds up to 1.</summary>
internal sealed class CooccurrenceTable
{
    // Keys gathered before repeated ones are dropped: 128 MB.
    private const int Gathered = 1 << 24;

    private readonly int[] _starts, _columns;

    private CooccurrenceTable(int[] starts, int[] columns, double[] values) => (_starts, _columns, Values) = (starts, columns, values);

    /// <summary>A table without rows.</summary>
    public static CooccurrenceTable Empty { get; } = new([0], [], []);

    /// <summary>The cells, row by row.</summary>
    public double[] Values { get; }

    /// <summary>The cells of some texts, each row with even chances over all target words.</summary>
    public static CooccurrenceTable Of(List<(int[] Source, int[] Target)> texts, int rows, int columns, CancellationToken cancellation)
    {
        long[] keys = [];
        var fresh = new List<long>();
        foreach ((int[] source, int[] target) in texts)
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (int from in source)
                foreach (int to in target)
                    fresh.Add(((long)from << 32) | (uint)to);
            if (fresh.Count >= Gathered)
                keys = Merge(keys, fresh);
        }

        keys = Merge(keys, fresh);
        var (starts, places, values) = (new int[rows + 1], new int[keys.Length], new double[keys.Length]);
        for (int i = 0; i < keys.Length; i++)
        {
            starts[(int)(keys[i] >> 32) + 1]++;
            places[i] = (int)keys[i];
        }

        for (int row = 0; row < rows; row++)
            starts[row + 1] += starts[row];
        Array.Fill(values, 1.0 / columns);
        return new CooccurrenceTable(starts, places, values);
    }

    /// <summary>Where the cell of a pair is among <see cref="Values"/>; negative when there is none.</summary>
    public int Find(int row, int column)
    {
        if (row + 1 >= _starts.Length)
            return -1;
        int place = _columns.AsSpan(_starts[row], _starts[row + 1] - _starts[row]).BinarySearch(column);
        return place < 0 ? -1 : _starts[row] + place;
    }

    /// <summary>Takes counts over, each row divided by its sum; gives the sums.</summary>
    public double[] Normalize(double[] counts)
    {
        var sums = new double[_starts.Length - 1];
        for (int row = 0; row < sums.Length; row++)
        {
            for (int i = _starts[row]; i < _starts[row + 1]; i++)
                sums[row] += counts[i];
            for (int i = _starts[row]; i < _starts[row + 1]; i++)
                Values[i] = sums[row] > 0 ? counts[i] / sums[row] : 0;
        }

        return sums;
    }

    /// <summary>The column with the highest value of a row, of equal ones the first; -1 for an empty row.</summary>
    public int Likeliest(int row)
    {
        int best = -1;
        for (int i = _starts[row]; i < _starts[row + 1]; i++)
            if (best < 0 || Values[i] > Values[best])
                best = i;
        return best < 0 ? -1 : _columns[best];
    }

    private static long[] Merge(long[] keys, List<long> fresh)
    {
        long[] all = [.. keys, .. fresh];
        Array.Sort(all);
        int kept = 0;
        for (int i = 0; i < all.Length; i++)
            if (i == 0 || all[i] != all[i - 1])
                all[kept++] = all[i];
        fresh.Clear();
        return all[..kept];
    }
}
