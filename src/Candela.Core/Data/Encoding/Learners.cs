namespace Candela.Data;

/// <summary>Gathers, from training rows only, what a column's code needs.</summary>
internal abstract class ColumnLearner(string column, ColumnKind kind)
{
    protected string Column { get; } = column;

    protected ColumnKind Kind { get; } = kind;

    public abstract void Add(TableColumn cells, ReadOnlySpan<int> rows);

    public abstract ColumnState State();

    protected static ScaleState Scale(in NumberMoments moments) => new(moments.Mean, moments.Deviation);
}

internal sealed class NumberLearner(string column, ColumnKind kind, FeatureRequest request, int sampleRows, long seed) : ColumnLearner(column, kind)
{
    /// <summary>Beyond this skewness (an exponential distribution's) a number is also given as a logarithm.</summary>
    public const double StrongSkew = 2;

    private readonly Reservoir _sample = new(sampleRows, seed);
    private NumberMoments _moments = new();

    public override void Add(TableColumn cells, ReadOnlySpan<int> rows)
    {
        float[] values = ((NumberColumn)cells).Values;
        foreach (int row in rows)
            if (_moments.Add(values[row]))
                _sample.Add(values[row]);
    }

    public override ColumnState State()
    {
        float[] sorted = _sample.Sorted();
        float median = sorted.Length == 0 ? 0 : (float)Reservoir.Quantile(sorted, 0.5);
        bool scaled = request.Style == FeatureStyle.Scaled;
        LogState? log = scaled && request.Skewed != SkewedNumbers.Plain && Math.Abs(_moments.Skewness) > StrongSkew ? Log(sorted, median) : null;
        ScaleState? plain = log is not null && request.Skewed == SkewedNumbers.LogOnly ? null : Scale(_moments);
        float[] edges = scaled && request.QuantileBins > 0 && sorted.Length > 0 ? Edges(sorted, request.QuantileBins) : [];
        return new ColumnState { Name = Column, Kind = Kind, Number = new NumberState(median, _moments.Missing, edges, plain, log) };
    }

    private static LogState? Log(float[] sorted, float median)
    {
        int first = Array.FindIndex(sorted, value => value > sorted[0]);
        if (first < 0 || sorted[first] == sorted[^1])
            return null;   // two values: any curve through them is a line
        double spread = (Reservoir.Quantile(sorted, 0.75) - Reservoir.Quantile(sorted, 0.25)) / 1.349;
        if (spread <= 0)
            spread = sorted.Average(value => Math.Abs((double)value - median));
        var moments = new NumberMoments();
        double sum = 0, squares = 0;
        foreach (float value in sorted)
            sum += NumberCode.SignedLog(value, median, spread);
        double mean = sum / sorted.Length;
        foreach (float value in sorted)
        {
            double distance = NumberCode.SignedLog(value, median, spread) - mean;
            squares += distance * distance;
        }

        return new LogState(median, spread, new ScaleState(mean, Math.Sqrt(squares / sorted.Length)));
    }

    private static float[] Edges(float[] sorted, int bins)
    {
        List<float> edges = [];
        for (int i = 0; i <= bins; i++)
        {
            float edge = (float)Reservoir.Quantile(sorted, i / (double)bins);
            if (edges.Count == 0 || edge > edges[^1])
                edges.Add(edge);
        }

        return [.. edges];
    }
}

internal sealed class CategoryLearner(string column, ColumnKind kind, FeatureRequest request) : ColumnLearner(column, kind)
{
    /// <summary>Features per column at the most (Scaled).</summary>
    public const int MaxOneHot = 64;

    /// <summary>Codes per column at the most (Raw).</summary>
    public const int MaxCodes = 4096;

    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);
    private IReadOnlyList<string>? _names;
    private long[] _byCode = [];
    private long _missing, _rows;

    public override void Add(TableColumn cells, ReadOnlySpan<int> rows)
    {
        var category = (CategoryColumn)cells;
        if (!ReferenceEquals(_names, category.Names))
        {
            Settle();
            _names = category.Names;
        }

        if (_byCode.Length < category.Names.Count)
            Array.Resize(ref _byCode, category.Names.Count);
        _rows += rows.Length;
        foreach (int row in rows)
        {
            int code = category.Codes[row];
            if (code < 0)
                _missing++;
            else
                _byCode[code]++;
        }
    }

    public override ColumnState State()
    {
        Settle();
        bool raw = request.Style == FeatureStyle.Raw;
        long least = raw ? 1 : LeastCount(_rows);
        string[] kept = [.. _counts.Where(pair => pair.Value >= least).OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal)
            .Take(raw ? MaxCodes : MaxOneHot).Select(pair => pair.Key)];
        return new ColumnState { Name = Column, Kind = Kind, Category = new CategoryState(kept, kept.Length < _counts.Count, _missing) };
    }

    /// <summary>Rows a name needs for a feature of its own: one in 200, at least 1 and at most 10.</summary>
    public static long LeastCount(long rows) => Math.Clamp(rows / 200, 1, 10);

    private void Settle()
    {
        for (int code = 0; code < _byCode.Length; code++)
            if (_byCode[code] > 0)
                _counts[_names![code]] = _counts.GetValueOrDefault(_names[code]) + _byCode[code];
        Array.Clear(_byCode);
    }
}

internal sealed class DateLearner(string column, ColumnKind kind, DateForm? form) : ColumnLearner(column, kind)
{
    private NumberMoments _days = new(), _years = new();
    private float _clock = float.NaN;
    private bool _clockVaries;

    public override void Add(TableColumn cells, ReadOnlySpan<int> rows)
    {
        float[] values = ((NumberColumn)cells).Values;
        foreach (int row in rows)
        {
            if (!_days.Add(values[row]))
                continue;
            _years.Add(DateCode.Year(values[row]));
            float clock = values[row] - MathF.Floor(values[row]);
            _clockVaries |= !float.IsNaN(_clock) && clock != _clock;
            _clock = clock;
        }
    }

    public override ColumnState State() => new() { Name = Column, Kind = Kind, Date = new DateState(_days.Missing, Scale(_days), Scale(_years), _clockVaries, form) };
}

internal sealed class PixelLearner(string column, ColumnKind kind, ImageShape shape) : ColumnLearner(column, kind)
{
    private readonly long[] _counts = new long[shape.Channels * 256];

    public override void Add(TableColumn cells, ReadOnlySpan<int> rows)
    {
        var images = (ImageColumn)cells;
        int plane = shape.Height * shape.Width;
        foreach (int row in rows)
        {
            ReadOnlySpan<byte> pixels = images.At(row);
            for (int channel = 0; channel < shape.Channels; channel++)
            {
                Span<long> counts = _counts.AsSpan(channel * 256, 256);
                foreach (byte pixel in pixels.Slice(channel * plane, plane))
                    counts[pixel]++;
            }
        }
    }

    public override ColumnState State()
    {
        var channels = new ScaleState[shape.Channels];
        for (int channel = 0; channel < channels.Length; channel++)
        {
            ReadOnlySpan<long> counts = _counts.AsSpan(channel * 256, 256);
            double n = 0, sum = 0, squares = 0;
            for (int v = 0; v < 256; v++)
            {
                n += counts[v];
                sum += counts[v] * (v / 255.0);
            }

            double mean = n > 0 ? sum / n : 0;
            for (int v = 0; v < 256; v++)
                squares += counts[v] * ((v / 255.0) - mean) * ((v / 255.0) - mean);
            channels[channel] = new ScaleState(mean, n > 0 ? Math.Sqrt(squares / n) : 0);
        }

        return new ColumnState { Name = Column, Kind = Kind, Pixels = new PixelState(shape, channels) };
    }
}
