namespace Candela.Data;

/// <summary>Rows grouped by class or by tenth of the target, and how many of each group go to each part. Rows are then drawn in one pass by selection
/// sampling (Knuth, TAOCP 2, Algorithm 3.4.2S): with r of the l rows left in a stratum still to be picked, the next one is picked with probability r/l,
/// which gives every subset of the right size the same chance and keeps no list of rows.</summary>
internal sealed class Strata
{
    private const int RareRows = 100;
    private const int Tenths = 10;

    private readonly Table _table;
    private readonly TargetReader _reader;
    private readonly bool _classes, _exact;
    private readonly float[] _edges = [];
    private readonly long[] _rows;          // rows of each stratum
    private Func<int, Part> _draw = _ => Part.Train;

    public Strata(Table table, Problem problem, bool stratify, bool exact, long seed)
    {
        (_table, _exact, _reader) = (table, exact, new TargetReader(problem));
        _classes = stratify && problem.IsClassification;
        if (stratify && !problem.IsClassification && exact)
            _edges = Edges(seed);
        _rows = new long[_classes ? problem.Classes.Count : _edges.Length + 1];
        if (_exact || _classes)
            ForEachRow((_, stratum) => _rows[stratum]++);
    }

    /// <summary>How many strata are classes, each of which keeps a row to train on; 0 when they are tenths of a number.</summary>
    public int Classes => _classes ? _rows.Count(n => n > 0) : 0;

    /// <summary>Plans one split.</summary>
    public void Share(double test, double valid, Rng rng)
    {
        long[] capacity = Array.ConvertAll(_rows, Capacity);
        long[] tests = Allocate(_rows, test, capacity);
        for (int s = 0; s < capacity.Length; s++)
            capacity[s] -= tests[s];
        long[] valids = Allocate(_rows, valid, capacity), left = [.. _rows];
        _draw = stratum =>
        {
            long pick = Pick(rng, left[stratum]--);
            if (pick < tests[stratum])
            {
                tests[stratum]--;
                return Part.Test;
            }

            if (pick - tests[stratum] >= valids[stratum])
                return Part.Train;
            valids[stratum]--;
            return Part.Valid;
        };
    }

    /// <summary>Plans fold <paramref name="fold"/>. The fold of a row depends on <paramref name="foldRng"/> alone, so that folds part the rows.</summary>
    public void ShareFold(int folds, int fold, double valid, Rng foldRng, Rng validRng)
    {
        var quota = new long[_rows.Length][];
        var others = new long[_rows.Length];
        for (int s = 0, start = 0; s < _rows.Length; s++)
        {
            quota[s] = new long[folds];
            Array.Fill(quota[s], _rows[s] / folds);
            // The remainders of successive strata go round the folds, so that fold sizes stay within one row of each other.
            for (long extra = _rows[s] % folds; extra > 0; extra--, start = (start + 1) % folds)
                quota[s][start]++;
            others[s] = _rows[s] - quota[s][fold];
        }

        long total = _rows.Sum(), rest = others.Sum();
        long[] valids = Allocate(others, rest == 0 ? 0 : valid * total / rest, Array.ConvertAll(others, Capacity));
        long[] left = [.. _rows], leftOthers = [.. others];
        _draw = stratum =>
        {
            long pick = Pick(foldRng, left[stratum]--);
            int drawn = 0;
            while (pick >= quota[stratum][drawn])
                pick -= quota[stratum][drawn++];
            quota[stratum][drawn]--;
            if (drawn == fold)
                return Part.Test;
            if (Pick(validRng, leftOthers[stratum]--) >= valids[stratum])
                return Part.Train;
            valids[stratum]--;
            return Part.Valid;
        };
    }

    /// <summary>Draws: every row in exact mode, else only rows of rare classes.</summary>
    public void Assign(Action<long, Part> assign)
    {
        if (!_exact && !(_classes && _rows.Any(n => n is > 0 and <= RareRows)))
            return;
        ForEachRow((row, stratum) =>
        {
            if (_exact || _rows[stratum] <= RareRows)
                assign(row, _draw(stratum));
        });
    }

    /// <summary>Shares of the strata whose sum is the rounded share of the total: whole parts first, then one each by largest remainder,
    /// never beyond a stratum's capacity.</summary>
    private static long[] Allocate(long[] rows, double fraction, long[] capacity)
    {
        var given = new long[rows.Length];
        var remainder = new double[rows.Length];
        long open = (long)Math.Round(rows.Sum() * fraction, MidpointRounding.AwayFromZero);
        for (int s = 0; s < rows.Length; s++)
        {
            double share = rows[s] * fraction;
            given[s] = Math.Min((long)share, capacity[s]);
            remainder[s] = share - given[s];
            open -= given[s];
        }

        int[] order = [.. Enumerable.Range(0, rows.Length).OrderByDescending(s => remainder[s]).ThenBy(s => Rng.Mix((ulong)s))];
        for (bool progress = true; open > 0 && progress;)
        {
            progress = false;
            foreach (int s in order)
            {
                if (open == 0 || given[s] >= capacity[s])
                    continue;
                given[s]++;
                open--;
                progress = true;
            }
        }

        return given;
    }

    // A class never vanishes from the training rows; a tenth of a number may.
    private long Capacity(long rows) => _classes ? Math.Max(0, rows - 1) : rows;

    private static long Pick(Rng rng, long below) => (long)Math.BigMul(rng.NextUInt64(), (ulong)below, out _);

    private float[] Edges(long seed)
    {
        var sample = new Reservoir(100_000, seed);
        ForEachTarget(value => sample.Add(value));
        float[] sorted = sample.Sorted();
        return [.. Enumerable.Range(1, Tenths - 1).Select(i => (float)Reservoir.Quantile(sorted, i / (double)Tenths)).Distinct()];
    }

    private void ForEachTarget(Action<float> use)
    {
        float[] values = [];
        foreach (TableChunk chunk in _table.Pass())
        {
            if (values.Length < chunk.Rows)
                values = new float[chunk.Rows];
            _reader.Values(chunk, RowNumbers.UpTo(chunk.Rows), values);
            for (int i = 0; i < chunk.Rows; i++)
                use(values[i]);
        }
    }

    private void ForEachRow(Action<long, int> use)
    {
        int[] labels = [];
        float[] values = [];
        foreach (TableChunk chunk in _table.Pass())
        {
            if (_classes)
            {
                if (labels.Length < chunk.Rows)
                    labels = new int[chunk.Rows];
                _reader.Labels(chunk, RowNumbers.UpTo(chunk.Rows), labels);
                for (int i = 0; i < chunk.Rows; i++)
                    use(chunk.FirstRow + i, labels[i]);
            }
            else if (_edges.Length > 0)
            {
                if (values.Length < chunk.Rows)
                    values = new float[chunk.Rows];
                _reader.Values(chunk, RowNumbers.UpTo(chunk.Rows), values);
                for (int i = 0; i < chunk.Rows; i++)
                {
                    int at = Array.BinarySearch(_edges, values[i]);
                    use(chunk.FirstRow + i, at < 0 ? ~at : at + 1);
                }
            }
            else
            {
                for (int i = 0; i < chunk.Rows; i++)
                    use(chunk.FirstRow + i, 0);
            }
        }
    }
}
