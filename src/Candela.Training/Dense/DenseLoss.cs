using Candela.Data;
using Candela.Training.DenseNets.Kernels;

namespace Candela.Training.DenseNets;

/// <summary>Losses of the dense engine.</summary>
public enum DenseLossKind
{
    /// <summary>Mean of (y - t)^2.</summary>
    SquaredError,

    /// <summary>Mean of (y - t)^2 / 2, the textbook's form.</summary>
    HalfSquaredError,

    /// <summary>Mean of |y - t|.</summary>
    AbsoluteError,

    /// <summary>d^2 / 2 where |d| is at most <see cref="DenseLoss.Delta"/>, else Delta (|d| - Delta / 2) (Huber 1964).</summary>
    Huber,

    /// <summary>Binary cross-entropy from one logit per row.</summary>
    BinaryCrossEntropy,

    /// <summary>Cross-entropy from one logit per class.</summary>
    CrossEntropy,

    /// <summary>Rosenblatt's (1958): a row's loss is the number of outputs on the wrong side of 0 (0 itself is wrong), and the gradient of such an output z with the
    /// wanted sign s is -s, so that a step of plain gradient descent with rate 1 on one row is the perceptron rule. One output per class; for two classes one output.</summary>
    Perceptron,
}

/// <summary>A loss over a batch with its gradient, from the net's raw outputs. Finite for any finite logits. Means are over rows; with class
/// weights or the batch's row weights they are weighted means (divided by the weights' sum, 0 when it is 0), as in PyTorch.</summary>
public sealed unsafe record DenseLoss(DenseLossKind Kind)
{
    /// <summary>Huber's bound, in units of the scaled target. Default 1.</summary>
    public double Delta { get; init; } = 1;

    /// <summary>Share of the label spread over all classes, 0..1. Default 0.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>One weight per class, or null for equal ones.</summary>
    public IReadOnlyList<float>? ClassWeights { get; init; }

    /// <summary>Regression targets are (t - Offset) / Scale. Default 0.</summary>
    public double Offset { get; init; }

    /// <summary>See <see cref="Offset"/>. Default 1.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>Number of outputs the net must have for <paramref name="classes"/> classes (0: regression).</summary>
    public int Outputs(int classes) => Kind == DenseLossKind.CrossEntropy || (Kind == DenseLossKind.Perceptron && classes > 2) ? classes : 1;

    /// <summary>True for losses of class labels, false for those of numbers.</summary>
    public bool IsClassification => Kind is DenseLossKind.BinaryCrossEntropy or DenseLossKind.CrossEntropy or DenseLossKind.Perceptron;

    /// <summary>The loss summed over rows and the sum of row weights; and into <paramref name="gradient"/> (when not null) the gradient of
    /// <paramref name="gradientScale"/> times their quotient, [rows, outputs].</summary>
    internal BatchLoss Evaluate(float* outputs, float* gradient, FeatureBatch batch, int width, double gradientScale = 1)
    {
        return Kind switch
        {
            DenseLossKind.CrossEntropy => CrossEntropy(outputs, gradient, batch, width, gradientScale),
            DenseLossKind.Perceptron => Perceptron(outputs, gradient, batch, width, gradientScale),
            DenseLossKind.BinaryCrossEntropy => Binary(outputs, gradient, batch, gradientScale),
            _ => Regression(outputs, gradient, batch, gradientScale),
        };
    }

    private BatchLoss Regression(float* outputs, float* gradient, FeatureBatch batch, double gradientScale)
    {
        double total = WeightOf(batch), sum = 0, inverse = 1 / Scale, scale = Share(gradientScale, total);
        for (int r = 0; r < batch.Count; r++)
        {
            double d = outputs[r] - ((batch.Targets[r] - Offset) * inverse), loss, slope;
            switch (Kind)
            {
                case DenseLossKind.SquaredError:
                    (loss, slope) = (d * d, 2 * d);
                    break;
                case DenseLossKind.HalfSquaredError:
                    (loss, slope) = (d * d / 2, d);
                    break;
                case DenseLossKind.AbsoluteError:
                    (loss, slope) = (Math.Abs(d), d == 0 || double.IsNaN(d) ? d : Math.Sign(d));
                    break;
                default:
                    bool inside = Math.Abs(d) <= Delta;
                    (loss, slope) = inside ? (d * d / 2, d) : (Delta * (Math.Abs(d) - (Delta / 2)), double.IsNaN(d) ? d : Delta * Math.Sign(d));
                    break;
            }

            double weight = batch.WeightOf(r);
            sum += weight * loss;
            if (gradient != null)
                gradient[r] = (float)(slope * (weight * scale));
        }

        return new BatchLoss(sum, total);
    }

    private BatchLoss Perceptron(float* outputs, float* gradient, FeatureBatch batch, int width, double gradientScale)
    {
        int[] labels = batch.Labels;
        double total = WeightOf(batch), mistakes = 0, scale = Share(gradientScale, total);
        for (int i = 0; i < batch.Count * width; i++)
        {
            double weight = batch.WeightOf(i / width);
            bool positive = width == 1 ? labels[i] == 1 : labels[i / width] == i % width, wrong = positive ? !(outputs[i] > 0) : !(outputs[i] < 0);
            mistakes += wrong ? weight : 0;
            if (gradient != null)
                gradient[i] = wrong ? (float)((positive ? -1 : 1) * weight * scale) : 0;
        }

        return new BatchLoss(mistakes, total);
    }

    // log(1 + e^z) - z t = max(z, 0) - z t + log(1 + e^-|z|)
    private BatchLoss Binary(float* outputs, float* gradient, FeatureBatch batch, double gradientScale)
    {
        int[] labels = batch.Labels;
        double total = WeightOf(batch), sum = 0, scale = Share(gradientScale, total);
        for (int r = 0; r < batch.Count; r++)
        {
            double z = outputs[r], e = Math.Exp(-Math.Abs(z)), weight = Weight(batch, r);
            double target = (labels[r] * (1 - LabelSmoothing)) + (LabelSmoothing / 2);
            sum += weight * (Math.Max(z, 0) - (z * target) + Math.Log(1 + e));
            if (gradient != null)
                gradient[r] = (float)(((z >= 0 ? 1 : e) / (1 + e) - target) * weight * scale);
        }

        return new BatchLoss(sum, total);
    }

    // PyTorch's cross_entropy: (1 - s) w_y (-log p_y) + s / C sum_c w_c (-log p_c), divided by the sum of w_y.
    private BatchLoss CrossEntropy(float* logits, float* gradient, FeatureBatch batch, int classes, double gradientScale)
    {
        int[] labels = batch.Labels;
        float* row = stackalloc float[gradient == null && classes <= 1024 ? classes : 1];
        float[]? large = gradient == null && classes > 1024 ? new float[classes] : null;
        double total = WeightOf(batch), sum = 0;
        float hard = (float)(1 - LabelSmoothing), soft = (float)(LabelSmoothing / classes), share = (float)Share(gradientScale, total);
        double weightSum = classes;
        if (ClassWeights is not null)
            weightSum = ClassWeights.Sum(w => (double)w);
        fixed (float* pinned = large)
        {
            for (int r = 0; r < batch.Count; r++, logits += classes)
            {
                float* p = gradient != null ? gradient + ((nint)r * classes) : large is null ? row : pinned;
                ElementKernels.Softmax(logits, p, 1, classes);
                int label = labels[r];
                double weight = ClassWeights?[label] ?? 1, own = batch.WeightOf(r);
                float scale = share * (float)own;
                int top = 0;
                for (int c = 1; c < classes; c++)
                    if (logits[c] > logits[top])
                        top = c;

                // log p_c = z_c - z_top + log p_top: exact where p_c underflows.
                double logTop = Math.Log(p[top]) - logits[top];
                sum -= own * hard * weight * (logits[label] + logTop);
                if (LabelSmoothing > 0)
                    for (int c = 0; c < classes; c++)
                        sum -= own * soft * (ClassWeights?[c] ?? 1) * (logits[c] + logTop);
                if (gradient == null)
                    continue;
                float factor = (float)((hard * weight) + (soft * weightSum)) * scale;
                for (int c = 0; c < classes; c++)
                    p[c] = (p[c] * factor) - (LabelSmoothing > 0 ? soft * (ClassWeights?[c] ?? 1) * scale : 0);
                p[label] -= hard * (float)weight * scale;
            }
        }

        return new BatchLoss(sum, total);
    }

    /// <summary>What the batch's mean is divided by.</summary>
    internal double WeightOf(FeatureBatch batch)
    {
        bool byClass = ClassWeights is not null && (Kind is DenseLossKind.CrossEntropy or DenseLossKind.BinaryCrossEntropy);
        if (!byClass && batch.Weights.Length == 0)
            return batch.Count;
        double total = 0;
        for (int r = 0; r < batch.Count; r++)
            total += byClass ? Weight(batch, r) : batch.WeightOf(r);
        return total;
    }

    private double Weight(FeatureBatch batch, int row) => (ClassWeights?[batch.Labels[row]] ?? 1.0) * batch.WeightOf(row);

    private static double Share(double gradientScale, double total) => total > 0 ? gradientScale / total : 0;
}
