using Candela.Data;
using Candela.Models;

namespace Candela.Experiments;

/// <summary>Rows with their truth and a model's scores of them.</summary>
/// <param name="Scores">[rows, outputs].</param>
/// <param name="Labels">Class per row, or null for regression.</param>
/// <param name="Targets">Value per row, or null for classification.</param>
internal sealed record HeldRows(float[] Scores, int[]? Labels, float[]? Targets)
{
    /// <summary>Number of rows.</summary>
    public int Rows => Labels?.Length ?? Targets!.Length;

    private const int MaxScores = 1 << 25; // 128 MB

    /// <summary>Rows that are scored at the most: fewer than usual when a row has very many scores.</summary>
    public static long MaxRows(Problem problem) => Math.Min(TableSample.DefaultRows, Math.Max(1, MaxScores / problem.Outputs));

    /// <summary>Scores every row of a table that is held in memory; at most <see cref="MaxRows"/>.</summary>
    public static HeldRows Score(IFittedModel model, FeatureEncoder encoder, Table rows)
    {
        GarbageBound.Hold();
        var problem = encoder.Problem;
        int count = checked((int)rows.Rows);
        var scores = new float[checked(count * problem.Outputs)];
        int[]? labels = problem.IsClassification ? new int[count] : null;
        float[]? targets = problem.IsClassification ? null : new float[count];
        var source = new EncodedTable(rows, TableSplit.Whole(rows, Part.Test), Part.Test, encoder);
        int at = 0;
        foreach (var batch in source.Batches(new BatchPlan(source.Layout.ReadingRows)))
        {
            model.Score(batch, scores.AsSpan(at * problem.Outputs, batch.Count * problem.Outputs));
            if (labels is not null)
                batch.Labels.AsSpan(0, batch.Count).CopyTo(labels.AsSpan(at));
            else
                batch.Targets.AsSpan(0, batch.Count).CopyTo(targets.AsSpan(at));
            at += batch.Count;
        }

        return new HeldRows(scores, labels, targets);
    }

    /// <summary>The rows of several parts, one after the other.</summary>
    public static HeldRows Concat(IReadOnlyList<HeldRows> parts) => new(
        [.. parts.SelectMany(p => p.Scores)],
        parts[0].Labels is null ? null : [.. parts.SelectMany(p => p.Labels!)],
        parts[0].Targets is null ? null : [.. parts.SelectMany(p => p.Targets!)]);
}
