using Candela.Data;

namespace Candela.Classic.Trees;

/// <summary>How the sums over trees become scores.</summary>
internal enum TreeLink
{
    /// <summary>Regression: sum x scale + offset.</summary>
    Identity,

    /// <summary>Two classes from one sum: p = 1 / (1 + exp(-sum)).</summary>
    Sigmoid,

    /// <summary>Classes from one sum each.</summary>
    Softmax,

    /// <summary>Leaves hold class shares (or values); the mean over trees is the score.</summary>
    Mean,
}

/// <summary>Decision trees in flat arrays, scored by plain managed code.</summary>
/// <remarks>
/// <para>Node n tests feature <c>Feature[n]</c>. A number goes left when it is at most <c>Threshold[n]</c>; a category when its code is in the node's set;
/// NaN (missing, or a category no training row had) goes where <c>MissingLeft[n]</c> says.
/// A child c &gt;= 0 is a node of the same tree; c &lt; 0 is leaf <c>~c</c>. All indices are global, over all trees.</para>
/// <para>With <c>LeafWidth</c> 1 tree t adds to output <c>t % Sums</c>; otherwise a leaf holds one number per output.</para>
/// </remarks>
internal sealed class TreeEnsemble
{
    /// <summary>Where each tree begins: a node, or <c>~leaf</c> for a tree that is one leaf. Length = number of trees.</summary>
    public required int[] Roots { get; init; }

    public required int[] Feature { get; init; }

    public required float[] Threshold { get; init; }

    public required int[] Left { get; init; }

    public required int[] Right { get; init; }

    /// <summary>1 where missing goes left.</summary>
    public required int[] MissingLeft { get; init; }

    /// <summary>For category splits the place of the node's set in <see cref="CategoryStarts"/>; -1 for number splits.</summary>
    public required int[] CategorySet { get; init; }

    /// <summary>First word of each set in <see cref="CategoryWords"/>, and one end; length = sets + 1.</summary>
    public required int[] CategoryStarts { get; init; }

    /// <summary>Bits of the codes that go left.</summary>
    public required int[] CategoryWords { get; init; }

    /// <summary>Loss reduction of each split as the learner measured it, for importance only.</summary>
    public required float[] Gain { get; init; }

    /// <summary>[leaves x LeafWidth].</summary>
    public required float[] Leaves { get; init; }

    public required int LeafWidth { get; init; }

    /// <summary>Start values of the sums, in double; their number is the number of sums.</summary>
    public required double[] Start { get; init; }

    public required TreeLink Link { get; init; }

    /// <summary>Factor of an identity link.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>Offset of an identity link.</summary>
    public double Offset { get; init; }

    public int Sums => Start.Length;

    public int LeafCount => Leaves.Length / LeafWidth;

    /// <summary>Scores encoded rows, [Count, outputs of the problem].</summary>
    public void Score(FeatureBatch batch, int width, Span<float> scores, int outputs)
    {
        Span<double> sums = Sums <= 256 ? stackalloc double[Sums] : new double[Sums];
        for (int i = 0; i < batch.Count; i++)
        {
            SumRow(batch.Dense.AsSpan(i * width, width), sums);
            Finish(sums, scores.Slice(i * outputs, outputs));
        }
    }

    /// <summary>Adds up all trees for one row.</summary>
    public void SumRow(ReadOnlySpan<float> row, Span<double> sums)
    {
        Start.CopyTo(sums);
        int output = 0;
        for (int t = 0; t < Roots.Length; t++)
        {
            int leaf = LeafOf(Roots[t], row);
            if (LeafWidth == 1)
            {
                sums[output] += Leaves[leaf];
                if (++output == sums.Length)
                    output = 0;
            }
            else
            {
                for (int k = 0; k < LeafWidth; k++)
                    sums[k] += Leaves[(leaf * LeafWidth) + k];
            }
        }
    }

    /// <summary>Levels of splits of the deepest tree.</summary>
    public int Depth()
    {
        int deepest = 0;
        var open = new Stack<(int Place, int Level)>();
        foreach (int root in Roots)
        {
            open.Push((root, 0));
            while (open.TryPop(out var at))
            {
                deepest = Math.Max(deepest, at.Level);
                if (at.Place >= 0)
                {
                    open.Push((Left[at.Place], at.Level + 1));
                    open.Push((Right[at.Place], at.Level + 1));
                }
            }
        }

        return deepest;
    }

    private int LeafOf(int place, ReadOnlySpan<float> row)
    {
        while (place >= 0)
        {
            float value = row[Feature[place]];
            bool left;
            if (float.IsNaN(value))
                left = MissingLeft[place] != 0;
            else if (CategorySet[place] is >= 0 and var set)
            {
                int first = CategoryStarts[set], words = CategoryStarts[set + 1] - first;
                left = value >= 0 && value < words * 32f && ((CategoryWords[first + ((int)value >> 5)] >> ((int)value & 31)) & 1) != 0;
            }
            else
                left = value <= Threshold[place];
            place = left ? Left[place] : Right[place];
        }

        return ~place;
    }

    private void Finish(Span<double> sums, Span<float> scores)
    {
        switch (Link)
        {
            case TreeLink.Identity:
                scores[0] = (float)((sums[0] * Scale) + Offset);
                break;
            case TreeLink.Sigmoid:
                double p = 1 / (1 + Math.Exp(-sums[0]));
                (scores[0], scores[1]) = ((float)(1 - p), (float)p);
                break;
            case TreeLink.Softmax:
                double max = double.NegativeInfinity, total = 0;
                foreach (double sum in sums)
                    max = Math.Max(max, sum);
                for (int k = 0; k < sums.Length; k++)
                    total += sums[k] = Math.Exp(sums[k] - max);
                for (int k = 0; k < sums.Length; k++)
                    scores[k] = (float)(sums[k] / total);
                break;
            default:
                for (int k = 0; k < sums.Length; k++)
                    scores[k] = (float)((sums[k] / Roots.Length * Scale) + Offset);
                break;
        }
    }
}
