using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>A trained vector per token id: [length] of int64 ids -> [length, width]. Key <c>weight</c> [vocabulary, width], as torch.nn.Embedding.
/// With a padding id that id's vector is zero and stays so.</summary>
public sealed class Embedding : Layer
{
    private readonly Initializer _initializer;
    private LayerParameter? _weight;

    /// <summary>Creates it.</summary>
    /// <param name="vocabulary">Number of ids.</param>
    /// <param name="width">Numbers per vector.</param>
    /// <param name="paddingId">The id whose vector stays zero, or null (default).</param>
    /// <param name="initializer">How vectors begin. Default: normal with deviation 0.1.</param>
    public Embedding(int vocabulary, int width, int? paddingId = null, Initializer? initializer = null)
    {
        if (vocabulary < 1 || width < 1 || paddingId < 0 || paddingId >= vocabulary)
            throw new UsageException($"Embedding needs a vocabulary and width of 1 or more and a padding id below the vocabulary; got {vocabulary}, {width} and {paddingId}.");
        (Vocabulary, Width, PaddingId) = (vocabulary, width, paddingId);
        Initializer inner = initializer ?? Initializers.Normal(0, 0.1);
        _initializer = (values, shape, rng) =>
        {
            inner(values, shape, rng);
            if (PaddingId is { } id)
                values.Slice(id * Width, Width).Clear();
        };
    }

    /// <summary>Number of ids.</summary>
    public int Vocabulary { get; }

    /// <summary>Numbers per vector.</summary>
    public int Width { get; }

    /// <summary>The id whose vector stays zero, or null.</summary>
    public int? PaddingId { get; }

    /// <inheritdoc/>
    public override string TypeId => "embedding";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input) => input.Count >= 1
        ? Shape.Of([.. input, Width])
        : throw new ShapeException("Embedding needs examples of one axis or more (token ids); got single numbers.");

    /// <inheritdoc/>
    protected override void OnBuild(Shape input) => _weight = Parameter("weight", [Vocabulary, Width], _initializer, decays: false);

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input)
    {
        if (input.dtype != ScalarType.Int64 && input.dtype != ScalarType.Int32)
            throw new ShapeException($"Embedding needs token ids of type Int64 or Int32; got {input.dtype}.");
        Tensor weight = _weight!.Value;
        Tensor vectors = weight.index_select(0, input.reshape(-1)).reshape([.. input.shape, Width]); // [B, ..., width]
        return PaddingId is { } id ? vectors * input.ne(id).unsqueeze(-1).to(weight.dtype) : vectors;
    }

    internal override void WriteOptions(JsonObject options)
    {
        options["vocabulary"] = Vocabulary;
        options["width"] = Width;
        if (PaddingId is { } id)
            options["paddingId"] = id;
    }
}
