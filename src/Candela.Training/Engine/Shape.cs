using System.Runtime.CompilerServices;

namespace Candela.Training;

/// <summary>The sizes of a tensor's axes; for layers, of one example without the batch axis ([1, 28, 28] for a grey image, [30] for a row of 30 numbers).</summary>
[CollectionBuilder(typeof(Shape), nameof(Create))]
public sealed class Shape : IEquatable<Shape>, IReadOnlyList<int>
{
    private readonly int[] _sizes;

    private Shape(int[] sizes)
    {
        foreach (int size in sizes)
        {
            if (size < 1)
                throw new ShapeException($"A shape's sizes must be 1 or more; got [{string.Join(", ", sizes)}].");
        }

        _sizes = sizes;
    }

    /// <summary>A shape of these sizes, each at least 1. A collection expression does the same: <c>Shape s = [1, 28, 28];</c>.</summary>
    public static Shape Create(ReadOnlySpan<int> sizes) => new(sizes.ToArray());

    /// <summary>A shape of these sizes.</summary>
    public static Shape Of(IEnumerable<int> sizes) => new([.. sizes]);

    /// <summary>The shape of one example of a batched tensor: its sizes without the first.</summary>
    public static Shape OfExample(TorchSharp.torch.Tensor batch)
    {
        long[] sizes = batch.shape;
        if (sizes.Length == 0)
            throw new ShapeException("A tensor without axes was given where a batch was needed (its first axis counts the examples).");
        var example = new int[sizes.Length - 1];
        for (int i = 0; i < example.Length; i++)
            example[i] = checked((int)sizes[i + 1]);
        return new Shape(example);
    }

    /// <summary>Number of axes.</summary>
    public int Count => _sizes.Length;

    /// <summary>The product of the sizes.</summary>
    public long Elements => _sizes.Aggregate(1L, (a, b) => checked(a * b));

    /// <summary>The last axis's size.</summary>
    public int Last => _sizes.Length > 0 ? _sizes[^1] : throw new ShapeException("A shape without axes has no last size.");

    /// <summary>The size of axis <paramref name="index"/>.</summary>
    public int this[int index] => _sizes[index];

    /// <summary>The same shape with another last size.</summary>
    public Shape WithLast(int size) => new([.. _sizes.AsSpan(0, _sizes.Length - 1), size]);

    /// <summary>The sizes as 64-bit numbers, as TorchSharp takes them.</summary>
    public long[] ToLongs() => Array.ConvertAll(_sizes, s => (long)s);

    /// <inheritdoc/>
    public bool Equals(Shape? other) => other is not null && _sizes.AsSpan().SequenceEqual(other._sizes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Shape);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (int size in _sizes)
            hash.Add(size);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public IEnumerator<int> GetEnumerator() => ((IEnumerable<int>)_sizes).GetEnumerator();

    System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => _sizes.GetEnumerator();

    /// <summary>For example <c>[1, 28, 28]</c>.</summary>
    public override string ToString() => $"[{string.Join(", ", _sizes)}]";
}
