namespace Candela.Data;

/// <summary>A number: imputed, standardised, with its logarithm when skewed, an indicator of missing cells and a piecewise-linear code
/// (Gorishniy et al. 2022, "On Embeddings for Numerical Features", eq. 1; here the outer bins are clamped to 0..1 too, since the standardised number already extrapolates).
/// Cells that are infinite count as missing.</summary>
internal sealed class NumberCode : ColumnCode
{
    private readonly NumberState _state;
    private readonly bool _raw;

    public NumberCode(string column, NumberState state, bool raw) : base(column)
    {
        (_state, _raw) = (state, raw);
        if (raw)
        {
            Features = [column];
            return;
        }

        List<string> names = [];
        if (state.Plain is not null)
            names.Add(column);
        if (state.Log is not null)
            names.Add($"{column}~log");
        if (state.Missing > 0)
            names.Add($"{column}=missing");
        for (int i = 1; i < state.Edges.Length; i++)
            names.Add($"{column}[{CellText.Of(state.Edges[i - 1])},{CellText.Of(state.Edges[i])}]");
        Features = names;
    }

    public override IReadOnlyList<string> Features { get; }

    public override void Encode(TableColumn cells, ReadOnlySpan<int> rows, Span<float> into, int stride)
    {
        float[] values = Numbers(cells);
        if (_raw)
        {
            for (int i = 0; i < rows.Length; i++)
            {
                float value = values[rows[i]];
                into[i * stride] = float.IsFinite(value) ? value : float.NaN;
            }

            return;
        }

        int at = 0;
        float median = _state.Median;
        if (_state.Plain is { } plain)
        {
            double scale = Inverse(plain.Deviation);
            for (int i = 0; i < rows.Length; i++)
            {
                float value = values[rows[i]];
                into[i * stride] = (float)(((float.IsFinite(value) ? value : median) - plain.Mean) * scale);
            }

            at++;
        }

        if (_state.Log is { } log)
        {
            double scale = Inverse(log.Scale.Deviation);
            for (int i = 0; i < rows.Length; i++)
            {
                float value = values[rows[i]];
                into[(i * stride) + at] = (float)((SignedLog(float.IsFinite(value) ? value : median, log.Center, log.Spread) - log.Scale.Mean) * scale);
            }

            at++;
        }

        if (_state.Missing > 0)
        {
            for (int i = 0; i < rows.Length; i++)
                into[(i * stride) + at] = float.IsFinite(values[rows[i]]) ? 0 : 1;
            at++;
        }

        float[] edges = _state.Edges;
        if (edges.Length < 2)
            return;
        for (int i = 0; i < rows.Length; i++)
        {
            float value = values[rows[i]];
            Piecewise(float.IsFinite(value) ? value : median, edges, into.Slice((i * stride) + at, edges.Length - 1));
        }
    }

    public static double SignedLog(double value, double center, double spread)
    {
        double distance = value - center;
        return Math.CopySign(Math.Log(1 + (Math.Abs(distance) / spread)), distance);
    }

    public static double Inverse(double deviation) => deviation > 0 ? 1 / deviation : 1;

    private static void Piecewise(float value, float[] edges, Span<float> into)
    {
        // Full bins are 1, the bin that holds the value is the share passed of it, later bins are 0.
        int found = Array.BinarySearch(edges, value), bin = found >= 0 ? found : ~found - 1;
        into.Clear();
        into[..Math.Clamp(bin, 0, into.Length)].Fill(1);
        if (bin >= 0 && bin < into.Length)
            into[bin] = (float)(((double)value - edges[bin]) / ((double)edges[bin + 1] - edges[bin]));
    }
}
