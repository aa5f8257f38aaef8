using System.Numerics.Tensors;

namespace Candela.Decoding;

/// <summary>Divides the logits by a temperature above 0, after taking off the largest, so that a small temperature cannot overflow.</summary>
public sealed class Temperature(double temperature) : ILogitsWarper
{
    private readonly float _inverse = (float)Math.Min(1 / temperature, float.MaxValue);

    /// <inheritdoc/>
    public void Warp(TokenCandidates candidates)
    {
        Span<float> logits = candidates.Logits;
        TensorPrimitives.Subtract(logits, candidates.Largest, logits);
        TensorPrimitives.Multiply(logits, _inverse, logits);
        candidates.Largest = 0;
    }
}
