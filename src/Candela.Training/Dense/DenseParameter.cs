namespace Candela.Training.DenseNets;

/// <summary>One weight tensor inside a dense net's flat buffers.</summary>
/// <param name="Key">Its key in model.safetensors, for example <c>dense1.weight</c>.</param>
/// <param name="Shape">[out, in] of a weight, [units] of a bias.</param>
/// <param name="Offset">Index of its first number.</param>
/// <param name="Decays">True for weights; false for biases and the scale and shift of norms.</param>
public sealed record DenseParameter(string Key, IReadOnlyList<int> Shape, int Offset, bool Decays)
{
    /// <summary>Numbers.</summary>
    public int Length => Shape.Aggregate(1, (a, b) => checked(a * b));
}
