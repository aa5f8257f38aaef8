namespace Candela.Classic.Trees;

/// <summary>Targets of a tree or forest: the standardised value, or one-hot classes, each times the row's weight.</summary>
internal sealed class TreeTargets
{
    private readonly TrainingTable _table;

    public TreeTargets(TrainingTable table)
    {
        _table = table;
        Outputs = Math.Max(1, table.Classes);
        Weights = new float[table.Count];
        Sums = new float[table.Count * Outputs];
        for (int row = 0; row < table.Count; row++)
            Set(row, 1);
    }

    public int Outputs { get; }

    public float[] Weights { get; }

    /// <summary>[rows, Outputs].</summary>
    public float[] Sums { get; }

    /// <summary>Makes a row count <paramref name="times"/> times (bootstrap).</summary>
    public void Set(int row, int times)
    {
        float weight = times * (_table.Weights?[row] ?? 1);
        Weights[row] = weight;
        if (_table.Classes == 0)
            Sums[row] = weight * _table.Targets[row];
        else
            Sums[(row * Outputs) + (int)_table.Targets[row]] = weight;
    }

    /// <summary>Squared error (Brier score for classes) of predictions for a row, in standardised units.</summary>
    public static double SquaredError(TrainingTable table, int row, ReadOnlySpan<double> predicted)
    {
        double total = 0;
        for (int k = 0; k < predicted.Length; k++)
        {
            double target = table.Classes == 0 ? table.Targets[row] : table.Targets[row] == k ? 1 : 0;
            total += (predicted[k] - target) * (predicted[k] - target);
        }

        return total;
    }
}
