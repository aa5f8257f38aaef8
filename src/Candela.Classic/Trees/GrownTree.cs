namespace Candela.Classic.Trees;

/// <summary>A node of a tree as it grows: a leaf until it is split.</summary>
internal sealed class GrownNode
{
    /// <summary>Value per output if this node is a leaf.</summary>
    public required float[] Value { get; init; }

    /// <summary>Sum of squared errors of its rows about their mean, up to a constant that children share: -|S|^2 / (W + l2).</summary>
    public required double Cost { get; init; }

    public int Depth { get; init; }

    /// <summary>Its rows: a range of the grower's row order.</summary>
    public int FirstRow { get; init; }

    public int EndRow { get; init; }

    public GrownNode? Left { get; set; }

    public GrownNode? Right { get; set; }

    public int Feature { get; set; }

    public float Threshold { get; set; }

    /// <summary>Codes that go left, or null for a number.</summary>
    public int[]? Words { get; set; }

    public bool MissingLeft { get; set; }

    public double Gain { get; set; }
}

/// <summary>A tree grown to its full size, with cost-complexity pruning (Breiman, Friedman, Olshen and Stone 1984, chapter 3).</summary>
internal sealed class GrownTree(GrownNode root)
{
    public GrownNode Root => root;

    /// <summary>Collapses, weakest link first, every subtree whose cost falls by no more than <paramref name="strength"/> per leaf it adds.</summary>
    public GrownTree Pruned(double strength) => new(Prune(root, strength).Node);

    /// <summary>Appends the tree to <paramref name="into"/>, leaf values times <paramref name="factor"/>.</summary>
    public void AppendTo(TreeEnsembleBuilder into, float factor = 1) => into.AddRoot(Append(root, into, factor));

    private static int Append(GrownNode node, TreeEnsembleBuilder into, float factor)
    {
        if (node.Left is null || node.Right is null)
        {
            float[] value = factor == 1 ? node.Value : [.. node.Value.Select(v => v * factor)];
            return ~into.AddLeaf(value);
        }

        int at = node.Words is { } words
            ? into.AddCategorySplit(node.Feature, words, node.MissingLeft, (float)node.Gain)
            : into.AddNumberSplit(node.Feature, node.Threshold, node.MissingLeft, (float)node.Gain);
        int left = Append(node.Left, into, factor);
        into.SetChildren(at, left, Append(node.Right, into, factor));
        return at;
    }

    // The smallest subtree minimising cost + strength x leaves: it is kept only if splitting pays for its leaves (proposition 3.7 there: bottom-up gives it).
    private static (GrownNode Node, double Cost, int Leaves) Prune(GrownNode node, double strength)
    {
        if (node.Left is null || node.Right is null)
            return (node, node.Cost, 1);
        var left = Prune(node.Left, strength);
        var right = Prune(node.Right, strength);
        double cost = left.Cost + right.Cost;
        int leaves = left.Leaves + right.Leaves;
        bool keep = node.Cost - cost > strength * (leaves - 1);
        var copy = new GrownNode
        {
            Value = node.Value,
            Cost = node.Cost,
            Depth = node.Depth,
            FirstRow = node.FirstRow,
            EndRow = node.EndRow,
            Feature = node.Feature,
            Threshold = node.Threshold,
            Words = node.Words,
            MissingLeft = node.MissingLeft,
            Gain = node.Gain,
            Left = keep ? left.Node : null,
            Right = keep ? right.Node : null,
        };
        return keep ? (copy, cost, leaves) : (copy, node.Cost, 1);
    }
}
