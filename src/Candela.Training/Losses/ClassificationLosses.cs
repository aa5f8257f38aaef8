using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Candela.Training;

/// <summary>Binary cross-entropy from logits: max(z, 0) - z t + log(1 + e^-|z|), finite for any finite logit.</summary>
public sealed class BinaryCrossEntropy : Loss
{
    /// <summary>Weights of class 0 and class 1, or null for 1. As in <see cref="SparseCategoricalCrossEntropy"/> they count in the mean's denominator.</summary>
    public IReadOnlyList<float>? ClassWeights { get; init; }

    /// <summary>s in t (1 - s) + s / 2, in [0, 1). Default 0.</summary>
    public double LabelSmoothing { get; init; }

    /// <inheritdoc/>
    public override TargetForm Targets => TargetForm.Values;

    /// <inheritdoc/>
    public override Tensor Of(Tensor outputs, Tensor targets, Tensor? rowWeights = null)
    {
        RequireSameShape(outputs, targets);
        ClassWeightRules.Check(ClassWeights, 2, LabelSmoothing);
        Tensor? weights = ClassWeights is null ? null : (targets * (ClassWeights[1] - ClassWeights[0])) + ClassWeights[0];
        Tensor soft = LabelSmoothing == 0 ? targets : (targets * (1 - LabelSmoothing)) + (LabelSmoothing / 2);
        if (rowWeights is null && weights is null && Reduction == Reduction.Mean)
            return F.binary_cross_entropy_with_logits(outputs, soft);
        Tensor losses = F.binary_cross_entropy_with_logits(outputs, soft, reduction: nn.Reduction.None);
        return Reduce(weights is null ? losses : losses * weights, rowWeights, weights);
    }
}

/// <summary>Cross-entropy from logits [N, C, ...] and class indices [N, ...]: -log softmax(z)_y. With class weights w the mean is divided by the sum of w_y; with label
/// smoothing s the loss is (1 - s) w_y (-log p_y) + s / C sum_c w_c (-log p_c). Both as in PyTorch's cross_entropy.</summary>
public sealed class SparseCategoricalCrossEntropy : Loss
{
    /// <summary>One weight per class, or null for 1.</summary>
    public IReadOnlyList<float>? ClassWeights { get; init; }

    /// <summary>s above, in [0, 1). Default 0.</summary>
    public double LabelSmoothing { get; init; }

    /// <inheritdoc/>
    public override TargetForm Targets => TargetForm.ClassIndices;

    /// <inheritdoc/>
    public override Tensor Of(Tensor outputs, Tensor targets, Tensor? rowWeights = null)
    {
        long[] o = outputs.shape, t = targets.shape;
        if (o.Length < 2 || t.Length != o.Length - 1 || t[0] != o[0] || !t.AsSpan(1).SequenceEqual(o.AsSpan(2)))
            throw new ShapeException($"{nameof(SparseCategoricalCrossEntropy)}: outputs {Text(o)} need class indices of the shape without the class axis (axis 1); got {Text(t)}.");
        if (targets.dtype != ScalarType.Int64)
            throw new ShapeException($"{nameof(SparseCategoricalCrossEntropy)}: class indices must be int64; got {targets.dtype}. For a probability per class use {nameof(CategoricalCrossEntropy)}.");
        ClassWeightRules.Check(ClassWeights, o[1], LabelSmoothing);
        Tensor? weights = ClassWeights is null ? null : ClassWeightRules.Tensor(ClassWeights, outputs);
        try
        {
            if (rowWeights is null && Reduction == Reduction.Mean)
                return F.cross_entropy(outputs, targets, weights, reduction: nn.Reduction.Mean, label_smoothing: LabelSmoothing);
            Tensor losses = F.cross_entropy(outputs, targets, weights, reduction: nn.Reduction.None, label_smoothing: LabelSmoothing);
            return Reduce(losses, rowWeights, weights?.index_select(0, targets.flatten()).view(t));
        }
        catch (System.Runtime.InteropServices.ExternalException) when (targets.numel() > 0 && (targets.min().ToInt64() < 0 || targets.max().ToInt64() >= o[1]))
        {
            throw new DataException($"A class index lies in {targets.min().ToInt64()}..{targets.max().ToInt64()}; the outputs {Text(o)} have classes 0..{o[1] - 1}.");
        }
    }
}

/// <summary>Cross-entropy from logits [N, C] and a target distribution [N, C] (one-hot or soft): -sum_c w_c t_c log softmax(z)_c; the mean is over rows (PyTorch's
/// cross_entropy with probabilities). Label smoothing mixes the targets with the uniform distribution.</summary>
public sealed class CategoricalCrossEntropy : Loss
{
    /// <summary>One weight per class, or null for 1.</summary>
    public IReadOnlyList<float>? ClassWeights { get; init; }

    /// <summary>s in t (1 - s) + s / C, in [0, 1). Default 0.</summary>
    public double LabelSmoothing { get; init; }

    /// <inheritdoc/>
    public override TargetForm Targets => TargetForm.Distribution;

    /// <inheritdoc/>
    public override Tensor Of(Tensor outputs, Tensor targets, Tensor? rowWeights = null)
    {
        RequireSameShape(outputs, targets);
        if (outputs.dim() != 2)
            throw new ShapeException($"{nameof(CategoricalCrossEntropy)}: outputs must be [rows, classes]; got {Text(outputs.shape)}.");
        long classes = outputs.size(1);
        ClassWeightRules.Check(ClassWeights, classes, LabelSmoothing);
        Tensor soft = LabelSmoothing == 0 ? targets : (targets * (1 - LabelSmoothing)) + (LabelSmoothing / classes);
        if (ClassWeights is not null)
            soft *= ClassWeightRules.Tensor(ClassWeights, outputs);
        return Reduce(-(soft * F.log_softmax(outputs, 1)).sum(1), rowWeights);
    }
}

/// <summary>Kullback-Leibler divergence of softmax(logits) [N, C] from a target distribution [N, C]: sum_c t_c (log t_c - log softmax(z)_c), where t = 0 adds 0; the mean
/// is over rows (PyTorch's kl_div with reduction batchmean).</summary>
public sealed class KullbackLeibler : Loss
{
    /// <inheritdoc/>
    public override TargetForm Targets => TargetForm.Distribution;

    /// <inheritdoc/>
    public override Tensor Of(Tensor outputs, Tensor targets, Tensor? rowWeights = null)
    {
        RequireSameShape(outputs, targets);
        if (outputs.dim() != 2)
            throw new ShapeException($"{nameof(KullbackLeibler)}: outputs must be [rows, classes]; got {Text(outputs.shape)}.");
        return Reduce((targets.xlogy(targets) - (targets * F.log_softmax(outputs, 1))).sum(1), rowWeights);
    }
}

internal static class ClassWeightRules
{
    public static void Check(IReadOnlyList<float>? weights, long classes, double smoothing)
    {
        if (weights is not null && weights.Count != classes)
            throw new ShapeException($"There are {weights.Count} class weights for {classes} classes.");
        if (smoothing is not (>= 0 and < 1))
            throw new UsageException($"Label smoothing is {smoothing}; it must be in [0, 1).");
    }

    public static Tensor Tensor(IReadOnlyList<float> weights, Tensor like) => tensor(weights.ToArray()).to(like.dtype).to(like.device);
}
