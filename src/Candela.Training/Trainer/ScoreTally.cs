using System.Numerics.Tensors;
using Candela.Data;

namespace Candela.Training;

/// <summary>Counts right answers, or squared errors around the mean, over validation batches, each row by its weight.</summary>
internal struct ScoreTally(ValidationScore score, double scale = 1, double offset = 0)
{
    private double _weight, _right, _error, _mean, _deviation;

    /// <summary>Accuracy or R2, or null when no score applies.</summary>
    public readonly double? Value => score switch
    {
        ValidationScore.Accuracy when _weight > 0 => _right / _weight,
        ValidationScore.R2 when _deviation > 0 => 1 - (_error / _deviation),
        _ => null,
    };

    /// <summary>Adds a batch. Labels are compared with the largest output (one output: its sign), targets with the first output x scale + offset; where a batch has only the other of the
    /// two, labels serve as numbers and numbers above 0.5 as label 1.</summary>
    public void Add(ReadOnlySpan<float> outputs, FeatureBatch batch)
    {
        int width = outputs.Length / batch.Count;
        for (int row = 0; row < batch.Count; row++)
        {
            double weight = batch.WeightOf(row);
            if (weight == 0)
                continue;
            ReadOnlySpan<float> own = outputs.Slice(row * width, width);
            bool labelled = batch.Labels.Length > 0;
            _weight += weight;
            if (score == ValidationScore.Accuracy)
            {
                int answer = width == 1 ? (own[0] > 0 ? 1 : 0) : TensorPrimitives.IndexOfMax(own), label = labelled ? batch.Labels[row] : batch.Targets[row] > 0.5f ? 1 : 0;
                _right += answer == label ? weight : 0;
                continue;
            }

            double target = labelled ? batch.Labels[row] : batch.Targets[row], miss = target - ((own[0] * scale) + offset), before = target - _mean; // West 1979
            _mean += before * weight / _weight;
            _deviation += weight * before * (target - _mean);
            _error += weight * miss * miss;
        }
    }
}
