using System.Numerics.Tensors;
using Candela.Data;

namespace Candela.Classic.Linear;

/// <summary>Loss of a linear model on some rows plus an L2 penalty on its weights (never on intercepts):
/// <c>sum weight_i loss_i / sum weight_i + l2/2 |w|^2</c>. Loss per row: half the squared error on standardised targets (regression),
/// log loss of one logit (two classes), or softmax cross-entropy (more). Parameters per output: dense weights, sparse weights, intercept.</summary>
/// <remarks>Rows are split into a fixed number of parts whose gradients are added in order, so the result does not depend on the thread count.</remarks>
internal sealed class LinearObjective : ISmoothObjective
{
    private readonly DesignMatrix _x;
    private readonly int[] _rows;
    private readonly Problem _problem;
    private readonly double[]? _classWeights;
    private readonly double _targetMean, _targetScale;
    private readonly double _totalWeight;
    private readonly int _stride;
    private readonly double[][] _partGradients;
    private readonly double[] _partLosses;
    private readonly ParallelOptions _parallel;

    public LinearObjective(DesignMatrix x, int[] rows, Problem problem, double[]? classWeights, double targetMean, double targetScale, int threads, CancellationToken cancellation)
    {
        (_x, _rows, _problem, _classWeights, _targetMean, _targetScale) = (x, rows, problem, classWeights, targetMean, targetScale);
        Outputs = OutputsOf(problem);
        _stride = x.Width + 1;
        _totalWeight = classWeights is null ? rows.Length : rows.Sum(r => classWeights[x.Rows.Labels[r]]);
        int parts = rows.Length >= 2048 ? 4 : 1;
        _partLosses = new double[parts];
        _partGradients = new double[parts][];
        for (int p = 1; p < parts; p++)
            _partGradients[p] = new double[Length];
        _parallel = new ParallelOptions { MaxDegreeOfParallelism = threads > 0 ? threads : Environment.ProcessorCount, CancellationToken = cancellation };
    }

    /// <summary>Linear functions fitted: 1 for regression and two classes, else one per class.</summary>
    public static int OutputsOf(Problem problem) => problem.Task == TaskKind.Multiclass ? problem.Classes.Count : 1;

    public int Outputs { get; }

    /// <inheritdoc/>
    public int Length => Outputs * _stride;

    /// <summary>L2 strength.</summary>
    public double L2 { get; set; }

    /// <summary>Factor on each sparse feature, [Outputs x SparseWidth], or null for 1.</summary>
    public float[]? SparseScale { get; set; }

    /// <inheritdoc/>
    public double Evaluate(double[] parameters, double[] gradient)
    {
        Array.Clear(gradient);
        _partGradients[0] = gradient;
        int parts = _partLosses.Length;
        if (parts == 1)
            _partLosses[0] = Accumulate(parameters, gradient, 0, _rows.Length);
        else
            Parallel.For(0, parts, _parallel, p =>
            {
                if (p > 0)
                    Array.Clear(_partGradients[p]);
                int from = (int)((long)_rows.Length * p / parts), to = (int)((long)_rows.Length * (p + 1) / parts);
                _partLosses[p] = Accumulate(parameters, _partGradients[p], from, to);
            });
        double loss = _partLosses[0];
        for (int p = 1; p < parts; p++)
        {
            loss += _partLosses[p];
            TensorPrimitives.Add<double>(gradient, _partGradients[p], gradient);
        }

        TensorPrimitives.Multiply<double>(gradient, 1 / _totalWeight, gradient);
        loss /= _totalWeight;
        if (L2 > 0)
            for (int k = 0; k < Outputs; k++)
            {
                ReadOnlySpan<double> weights = parameters.AsSpan(k * _stride, _stride - 1);
                Span<double> slot = gradient.AsSpan(k * _stride, _stride - 1);
                loss += L2 / 2 * TensorPrimitives.SumOfSquares(weights);
                TensorPrimitives.MultiplyAdd(weights, L2, slot, slot);
            }

        return loss;
    }

    /// <summary>Mean loss (no penalty) and accuracy, or R2 for regression, of the parameters on other rows of the same width.</summary>
    public HeldOutScore ScoreOn(DesignMatrix x, int[] rows, double[] parameters)
    {
        Span<double> outputs = Outputs <= 256 ? stackalloc double[Outputs] : new double[Outputs];
        var scratch = new double[x.DenseWidth];
        double loss = 0, weight = 0, correct = 0;
        foreach (int row in rows)
        {
            LinearOutputs(x, row, parameters, scratch, outputs);
            double w = _classWeights is null ? 1 : _classWeights[x.Rows.Labels[row]];
            weight += w;
            if (_problem.IsClassification)
            {
                int label = x.Rows.Labels[row];
                bool right = Outputs == 1 ? outputs[0] > 0 == (label == 1) : TensorPrimitives.IndexOfMax<double>(outputs) == label;
                correct += right ? 1 : 0;
            }

            loss += w * LossAndSlope(x, row, outputs);
        }

        return new HeldOutScore(loss / weight, _problem.IsClassification ? correct / rows.Length : 1 - (2 * loss / weight));
    }

    private double Accumulate(double[] parameters, double[] gradient, int from, int to)
    {
        Span<double> outputs = Outputs <= 256 ? stackalloc double[Outputs] : new double[Outputs];
        var dense = new double[_x.DenseWidth];
        double loss = 0;
        for (int i = from; i < to; i++)
        {
            int row = _rows[i];
            LinearOutputs(_x, row, parameters, dense, outputs);
            double rowLoss = LossAndSlope(_x, row, outputs);
            double weight = _classWeights is null ? 1 : _classWeights[_x.Rows.Labels[row]];
            loss += weight * rowLoss;
            int start = _x.SparseStarts[row], end = _x.SparseStarts[row + 1];
            for (int k = 0; k < outputs.Length; k++)
            {
                double slope = weight * outputs[k];
                Span<double> slot = gradient.AsSpan(k * _stride, _stride);
                TensorPrimitives.MultiplyAdd(dense, slope, slot[..dense.Length], slot[..dense.Length]);
                Span<double> sparse = slot[dense.Length..];
                if (SparseScale is null)
                    for (int e = start; e < end; e++)
                        sparse[_x.SparseIndices[e]] += slope * _x.SparseValues[e];
                else
                {
                    ReadOnlySpan<float> scale = SparseScale.AsSpan(k * _x.SparseWidth, _x.SparseWidth);
                    for (int e = start; e < end; e++)
                    {
                        int j = _x.SparseIndices[e];
                        sparse[j] += slope * scale[j] * _x.SparseValues[e];
                    }
                }

                slot[^1] += slope;
            }
        }

        return loss;
    }

    // Linear functions of one row; leaves the dense part as doubles in `dense`.
    private void LinearOutputs(DesignMatrix x, int row, double[] parameters, double[] dense, Span<double> outputs)
    {
        TensorPrimitives.ConvertChecked(x.Rows.DenseRow(row), dense.AsSpan());
        int start = x.SparseStarts[row], end = x.SparseStarts[row + 1];
        for (int k = 0; k < outputs.Length; k++)
        {
            ReadOnlySpan<double> w = parameters.AsSpan(k * _stride, _stride);
            double sum = w[^1] + TensorPrimitives.Dot(w[..dense.Length], dense);
            ReadOnlySpan<double> sparse = w[dense.Length..];
            if (SparseScale is null)
                for (int e = start; e < end; e++)
                    sum += sparse[x.SparseIndices[e]] * x.SparseValues[e];
            else
            {
                ReadOnlySpan<float> scale = SparseScale.AsSpan(k * x.SparseWidth, x.SparseWidth);
                for (int e = start; e < end; e++)
                    sum += sparse[x.SparseIndices[e]] * scale[x.SparseIndices[e]] * x.SparseValues[e];
            }

            outputs[k] = sum;
        }
    }

    // The row's loss; outputs become the loss's derivatives with respect to them.
    private double LossAndSlope(DesignMatrix x, int row, Span<double> outputs)
    {
        if (!_problem.IsClassification)
        {
            double error = outputs[0] - ((x.Rows.Targets[row] - _targetMean) / _targetScale);
            outputs[0] = error;
            return error * error / 2;
        }

        int label = x.Rows.Labels[row];
        if (outputs.Length == 1)
        {
            double z = outputs[0];
            double sign = label == 1 ? z : -z;
            double loss = sign > 0 ? Math.Log(1 + Math.Exp(-sign)) : Math.Log(1 + Math.Exp(sign)) - sign;
            outputs[0] = (1 / (1 + Math.Exp(-z))) - label;
            return loss;
        }

        double max = TensorPrimitives.Max<double>(outputs), sum = 0, own = outputs[label] - max;
        for (int k = 0; k < outputs.Length; k++)
            sum += outputs[k] = Math.Exp(outputs[k] - max);
        for (int k = 0; k < outputs.Length; k++)
            outputs[k] /= sum;
        outputs[label] -= 1;
        return Math.Log(sum) - own;
    }
}

/// <summary>How well parameters do on rows they were not fitted to.</summary>
/// <param name="Loss">Mean loss: log loss, or half the squared error of standardised targets.</param>
/// <param name="Score">Accuracy, or R2 against the training mean.</param>
internal readonly record struct HeldOutScore(double Loss, double Score);
