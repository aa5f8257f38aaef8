using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Several layers over the same input, their outputs joined along the first axis of the example: [a, ...] and [b, ...] -> [a + b, ...].</summary>
public sealed class Branches : Layer
{
    private readonly List<Layer> _branches = [];

    /// <summary>Creates it; it owns the layers from then on. A branch of several layers is a <see cref="Sequential"/>.</summary>
    public Branches(params IReadOnlyList<Layer> branches)
    {
        if (branches.Count == 0)
            throw new UsageException("Branches needs at least one layer.");
        foreach ((string name, Layer layer) in LayerNames.Assign(branches))
            _branches.Add(Child(name, layer));
    }

    /// <inheritdoc/>
    public override string TypeId => "branches";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input)
    {
        Shape? joined = null;
        foreach (KeyValuePair<string, Layer> child in Children)
        {
            Shape output = LayerNames.OutputOf([child], input);
            if (output.Count == 0 || (joined is not null && !output.Skip(1).SequenceEqual(joined.Skip(1))))
                throw new ShapeException($"Branches joins outputs along their first axis; branch '{child.Key}' gives {output} beside {joined}.");
            joined = joined is null ? output : Shape.Of([joined[0] + output[0], .. output.Skip(1)]);
        }

        return joined!;
    }

    internal override bool TakesOwnInput(string child) => true;

    /// <inheritdoc/>
    protected override void OnBuild(Shape input)
    {
        foreach (Layer branch in _branches)
            BuildChild(branch, input);
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => cat([.. _branches.Select(b => b.call(input))], 1);
}
