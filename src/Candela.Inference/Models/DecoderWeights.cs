using Candela.Inference.Weights;

namespace Candela.Inference.Models;

/// <summary>A weight matrix with its bias, if it has one.</summary>
internal sealed record Linear(Matrix Matrix, float[]? Bias);

/// <summary>The weights of one layer; null where the family has none.</summary>
internal sealed record LayerWeights
{
    public required float[] AttentionNorm { get; init; }

    public required Linear Query { get; init; }

    public required Linear Key { get; init; }

    public required Linear Value { get; init; }

    public required Linear Output { get; init; }

    /// <summary>RMS norm of each head of queries, [head width].</summary>
    public float[]? QueryNorm { get; init; }

    public float[]? KeyNorm { get; init; }

    public required float[] HiddenNorm { get; init; }

    public required Linear Gate { get; init; }

    public required Linear Up { get; init; }

    public required Linear Down { get; init; }

    public IEnumerable<Matrix> Matrices => [Query.Matrix, Key.Matrix, Value.Matrix, Output.Matrix, Gate.Matrix, Up.Matrix, Down.Matrix];
}

/// <summary>All weights of a decoder. Matrices are shared by every computation and freed with this.</summary>
internal sealed class DecoderWeights(Matrix embedding, IReadOnlyList<LayerWeights> layers, float[] norm, Matrix output) : IDisposable
{
    /// <summary>[vocabulary, width]; the output matrix too where the two are tied.</summary>
    public Matrix Embedding => embedding;

    public IReadOnlyList<LayerWeights> Layers => layers;

    public float[] Norm => norm;

    public Matrix Output => output;

    /// <summary>Bytes of all matrices that one token reads: all but the embedding's rows.</summary>
    public long BytesPerToken => layers.Sum(l => l.Matrices.Sum(m => m.Bytes)) + output.Bytes;

    public void Dispose()
    {
        foreach (Matrix matrix in layers.SelectMany(l => l.Matrices).Append(embedding).Append(output).Distinct())
            matrix.Dispose();
    }
}
