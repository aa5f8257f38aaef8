namespace Candela.Data;

/// <summary>What is known of one column after one pass over all rows, in bounded memory.</summary>
internal abstract class ColumnStatistics
{
    public const int HistogramBins = 20;

    /// <summary>Distinct values are counted up to this many per column (fewer on wide tables).</summary>
    public const int DistinctBound = 100_000;

    public static ColumnStatistics For(ColumnKind kind, int columns, long seed) => kind switch
    {
        ColumnKind.Number or ColumnKind.Integer or ColumnKind.Date => new NumberStatistics(Math.Clamp(16_000_000 / columns, 4096, 100_000), Bound(columns), seed),
        ColumnKind.Category or ColumnKind.Boolean or ColumnKind.Constant => new CategoryStatistics(),
        _ => new HashStatistics(Bound(columns)),
    };

    public abstract long Missing { get; }

    public abstract long Distinct { get; }

    public abstract void Add(TableColumn cells);

    public abstract ColumnProfile Profile(ColumnSchema column);

    private static int Bound(int columns) => Math.Clamp(4_000_000 / columns, 1000, DistinctBound);
}

internal sealed class NumberStatistics(int sampleRows, int bound, long seed) : ColumnStatistics
{
    private readonly Reservoir _sample = new(sampleRows, seed);
    private readonly HashSet<int> _distinct = [];
    private NumberMoments _moments = new();

    public override long Missing => _moments.Missing;

    public override long Distinct => _distinct.Count;

    public NumberMoments Moments => _moments;

    public override void Add(TableColumn cells)
    {
        float[] values = ((NumberColumn)cells).Values;
        for (int i = 0; i < values.Length; i++)
        {
            if (!_moments.Add(values[i]))
                continue;
            _sample.Add(values[i]);
            if (_distinct.Count < bound)
                _distinct.Add(BitConverter.SingleToInt32Bits(values[i] == 0 ? 0 : values[i]));
        }
    }

    public override ColumnProfile Profile(ColumnSchema column)
    {
        var profile = new ColumnProfile(column.Name, column.Kind, Missing) { Distinct = Distinct };
        if (_moments.Count == 0)
            return profile;
        float[] sorted = _sample.Sorted();
        return profile with
        {
            Mean = _moments.Mean,
            Deviation = _moments.Deviation,
            Min = _moments.Min,
            Max = _moments.Max,
            Median = Reservoir.Quantile(sorted, 0.5),
            Histogram = Histogram(sorted),
        };
    }

    private long[] Histogram(float[] sorted)
    {
        var counts = new double[HistogramBins];
        double width = ((double)_moments.Max - _moments.Min) / HistogramBins, weight = _moments.Count / (double)sorted.Length;
        foreach (float value in sorted)
            counts[width > 0 ? Math.Min(HistogramBins - 1, (int)(((double)value - _moments.Min) / width)) : 0] += weight;
        return [.. counts.Select(count => (long)Math.Round(count))];
    }
}

internal sealed class CategoryStatistics : ColumnStatistics
{
    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);
    private IReadOnlyList<string> _names = [];
    private long[] _byCode = [];
    private long _missing;

    public override long Missing => _missing;

    public override long Distinct
    {
        get
        {
            Settle();
            return _counts.Count;
        }
    }

    public override void Add(TableColumn cells)
    {
        var category = (CategoryColumn)cells;
        if (!ReferenceEquals(_names, category.Names))
        {
            Settle();
            _names = category.Names;
        }

        if (_byCode.Length < category.Names.Count)
            Array.Resize(ref _byCode, category.Names.Count);
        foreach (int code in category.Codes)
        {
            if (code < 0)
                _missing++;
            else
                _byCode[code]++;
        }
    }

    public override ColumnProfile Profile(ColumnSchema column)
    {
        Settle();
        return new ColumnProfile(column.Name, column.Kind, _missing)
        {
            Distinct = _counts.Count,
            Top = [.. _counts.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).Take(12).Select(pair => new NameCount(pair.Key, pair.Value))],
        };
    }

    private void Settle()
    {
        for (int code = 0; code < _byCode.Length; code++)
            if (_byCode[code] > 0)
                _counts[_names[code]] = _counts.GetValueOrDefault(_names[code]) + _byCode[code];
        Array.Clear(_byCode);
    }
}

/// <summary>Texts, identifiers and images.</summary>
internal sealed class HashStatistics(int bound) : ColumnStatistics
{
    private readonly HashSet<ulong> _distinct = [];
    private long _missing, _characters, _present;

    public override long Missing => _missing;

    public override long Distinct => _distinct.Count;

    public override void Add(TableColumn cells)
    {
        if (cells is ImageColumn images)
        {
            for (int i = 0; i < images.Count && _distinct.Count < bound; i++)
                _distinct.Add(RowHash.Of(images.At(i)));
            return;
        }

        foreach (string? text in ((TextColumn)cells).Values)
        {
            if (text is null)
            {
                _missing++;
                continue;
            }

            _present++;
            _characters += text.Length;
            if (_distinct.Count < bound)
                _distinct.Add(RowHash.Of(text));
        }
    }

    public override ColumnProfile Profile(ColumnSchema column) => new(column.Name, column.Kind, _missing)
    {
        Distinct = Distinct,
        Note = _present > 0 ? $"{_characters / (double)_present:0} characters on average" : "",
    };
}
