namespace Candela.Training.Language;

/// <summary>A trained tensor that a configuration needs, known without making it.</summary>
/// <param name="Key">Its key in a checkpoint, <c>model.layers.0.self_attn.q_proj.weight</c>.</param>
/// <param name="Shape">Its sizes.</param>
public sealed record TensorSpec(string Key, Shape Shape)
{
    /// <summary>How many numbers.</summary>
    public long Elements => Shape.Elements;

    internal static IEnumerable<TensorSpec> Linear(string key, int outputs, int inputs, bool bias)
    {
        yield return new TensorSpec($"{key}.weight", [outputs, inputs]);
        if (bias)
            yield return new TensorSpec($"{key}.bias", [outputs]);
    }

    internal static IEnumerable<TensorSpec> Norm(string key, int width) => [new($"{key}.weight", [width]), new($"{key}.bias", [width])];
}
