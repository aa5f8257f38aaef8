namespace Candela.Training;

/// <summary>One parameter tensor inside a flat buffer.</summary>
/// <param name="Offset">Index of its first number.</param>
/// <param name="Length">Numbers.</param>
/// <param name="Decays">True for weights; false for biases and the scale and shift of norms, which no penalty touches.</param>
public sealed record ParameterSegment(int Offset, int Length, bool Decays = true);
