using Candela.Data;
using Candela.Models;

namespace Candela.Runs;

/// <summary>A run's model over raw rows: fitted encoder, then fitted model. Rows are scored in batches of a few megabytes, so memory does not grow with the chunk.
/// May be called from several threads; calls are served one after the other.</summary>
public sealed class RunPredictor : IPredictor
{
    private readonly Lock _gate = new();
    private readonly FeatureEncoder _encoder;
    private readonly IFittedModel _model;
    private readonly FeatureBatch _batch = new();

    /// <summary>Takes the model; it is disposed with the predictor.</summary>
    public RunPredictor(FeatureEncoder encoder, IFittedModel model) => (_encoder, _model) = (encoder, model);

    /// <inheritdoc/>
    public PredictorSchema Schema => new(_encoder.Inputs, _encoder.Problem);

    /// <summary>The model itself, over encoded rows; not to be used while another thread scores.</summary>
    public IFittedModel Model => _model;

    /// <inheritdoc/>
    public float[] Score(TableChunk rows)
    {
        int outputs = _encoder.Problem.Outputs, size = _encoder.Layout.ReadingRows;
        var scores = new float[rows.Rows * outputs];
        lock (_gate)
        {
            for (int start = 0; start < rows.Rows; start += size)
            {
                int count = Math.Min(size, rows.Rows - start);
                _encoder.Encode(count == rows.Rows ? rows : rows.Take(Range(start, count)), _batch, withTargets: false);
                _model.Score(_batch, scores.AsSpan(start * outputs, count * outputs));
            }
        }

        return scores;
    }

    /// <summary>Disposes the model.</summary>
    public void Dispose() => _model.Dispose();

    private static int[] Range(int start, int count)
    {
        var rows = new int[count];
        for (int i = 0; i < count; i++)
            rows[i] = start + i;
        return rows;
    }
}
