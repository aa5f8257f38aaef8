using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>How the losses of rows become one number.</summary>
public enum Reduction
{
    /// <summary>The (weighted) mean: sum of weight x loss over sum of weights. Default.</summary>
    Mean,

    /// <summary>The (weighted) sum.</summary>
    Sum,

    /// <summary>The weighted losses themselves.</summary>
    None,
}

/// <summary>What a loss compares the outputs with.</summary>
public enum TargetForm
{
    /// <summary>Numbers of the outputs' shape.</summary>
    Values,

    /// <summary>Class indices, int64, of the outputs' shape without the class axis (axis 1).</summary>
    ClassIndices,

    /// <summary>A probability per class, of the outputs' shape.</summary>
    Distribution,
}

/// <summary>A differentiable loss of a network's raw outputs. Shapes are checked before libtorch sees them: nothing is broadcast silently.</summary>
public abstract class Loss
{
    /// <summary>Default: the mean.</summary>
    public Reduction Reduction { get; init; } = Reduction.Mean;

    /// <summary>What <see cref="Of"/> takes as targets.</summary>
    public abstract TargetForm Targets { get; }

    /// <summary>Computes the loss.</summary>
    /// <param name="outputs">Raw outputs (logits for classification), [N, ...].</param>
    /// <param name="targets">See <see cref="Targets"/>; no gradient flows into them.</param>
    /// <param name="rowWeights">A float weight of each row, [N], or of each loss, in its shape; a mask is weights of 0 and 1. Null for 1. With weights that are all 0 the mean is 0.</param>
    /// <returns>A scalar, or with <see cref="Reduction.None"/> the losses' shape. The open scope, or the caller, disposes it.</returns>
    /// <exception cref="ShapeException">The shapes do not fit; both are in the message.</exception>
    /// <exception cref="DataException">A class index is out of range.</exception>
    public abstract Tensor Of(Tensor outputs, Tensor targets, Tensor? rowWeights = null);

    /// <summary>Refuses targets whose shape is not exactly the outputs'.</summary>
    private protected void RequireSameShape(Tensor outputs, Tensor targets)
    {
        long[] a = outputs.shape, b = targets.shape;
        if (a.AsSpan().SequenceEqual(b))
            return;
        string hint = a.Length == b.Length + 1 && a[^1] == 1 && a.AsSpan(0, b.Length).SequenceEqual(b) ? " Give the targets a last axis of 1 (targets.unsqueeze(-1)): they would be broadcast against each other otherwise."
            : b.Length == a.Length + 1 && b[^1] == 1 && b.AsSpan(0, a.Length).SequenceEqual(a) ? " Take the last axis off the targets (targets.squeeze(-1)): they would be broadcast against each other otherwise."
            : "";
        throw new ShapeException($"{GetType().Name}: outputs {Text(a)} and targets {Text(b)} must have the same shape.{hint}");
    }

    /// <summary>Weights and reduces losses. <paramref name="ownWeights"/> (class weights, in the losses' shape) are already in the losses and count in the mean's denominator.</summary>
    private protected Tensor Reduce(Tensor losses, Tensor? rowWeights, Tensor? ownWeights = null)
    {
        Tensor? weights = ownWeights;
        if (rowWeights is not null)
        {
            Tensor rows = Spread(rowWeights, losses);
            losses *= rows;
            weights = ownWeights is null ? rows : ownWeights * rows;
        }

        return Reduction switch
        {
            Reduction.None => losses,
            Reduction.Sum => losses.sum(),
            _ => weights is null ? losses.mean() : losses.sum() / weights.sum().clamp_min(1e-12),
        };
    }

    private protected static string Text(long[] shape) => $"[{string.Join(", ", shape)}]";

    // [N] -> [N, 1, ...] -> the losses' shape
    private Tensor Spread(Tensor weights, Tensor losses)
    {
        long[] w = weights.shape, l = losses.shape;
        if (w.AsSpan().SequenceEqual(l))
            return weights;
        if (w.Length != 1 || l.Length == 0 || w[0] != l[0])
            throw new ShapeException($"{GetType().Name}: weights {Text(w)} must have one number per row, [{(l.Length > 0 ? l[0] : 1)}], or the losses' shape {Text(l)}.");
        var view = new long[l.Length];
        Array.Fill(view, 1);
        view[0] = l[0];
        return weights.view(view).expand(l);
    }
}
