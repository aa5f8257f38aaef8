namespace Candela.Classic.Trees;

/// <summary>Collects trees and makes a <see cref="TreeEnsemble"/> of them.</summary>
internal sealed class TreeEnsembleBuilder(int leafWidth)
{
    private readonly List<int> _roots = [], _feature = [], _left = [], _right = [], _missingLeft = [], _set = [], _starts = [0], _words = [];
    private readonly List<float> _threshold = [], _gain = [], _leaves = [];

    /// <summary>Nodes so far: the index the next one gets.</summary>
    public int NodeCount => _feature.Count;

    /// <summary>Leaves so far: the index the next one gets.</summary>
    public int LeafCount => _leaves.Count / leafWidth;

    /// <summary>Begins a tree at <paramref name="root"/>: a node index to come, or ~leaf.</summary>
    public void AddRoot(int root) => _roots.Add(root);

    /// <summary>Adds a leaf and returns its index.</summary>
    public int AddLeaf(ReadOnlySpan<float> values)
    {
        _leaves.AddRange(values);
        return LeafCount - 1;
    }

    /// <summary>Adds a split of numbers and returns its index; children can be set later.</summary>
    public int AddNumberSplit(int feature, float threshold, bool missingLeft, float gain, int left = 0, int right = 0) => Add(feature, threshold, missingLeft, gain, left, right, -1);

    /// <summary>Adds a split of categories whose codes in <paramref name="words"/> go left.</summary>
    public int AddCategorySplit(int feature, ReadOnlySpan<int> words, bool missingLeft, float gain, int left = 0, int right = 0)
    {
        _words.AddRange(words);
        _starts.Add(_words.Count);
        return Add(feature, 0, missingLeft, gain, left, right, _starts.Count - 2);
    }

    /// <summary>Sets the children of a node: node indices, or ~leaf.</summary>
    public void SetChildren(int node, int left, int right) => (_left[node], _right[node]) = (left, right);

    /// <summary>The ensemble.</summary>
    public TreeEnsemble Build(TreeLink link, double[] start, double scale = 1, double offset = 0) => new()
    {
        Roots = [.. _roots],
        Feature = [.. _feature],
        Threshold = [.. _threshold],
        Left = [.. _left],
        Right = [.. _right],
        MissingLeft = [.. _missingLeft],
        CategorySet = [.. _set],
        CategoryStarts = [.. _starts],
        CategoryWords = [.. _words],
        Gain = [.. _gain],
        Leaves = [.. _leaves],
        LeafWidth = leafWidth,
        Start = start,
        Link = link,
        Scale = scale,
        Offset = offset,
    };

    private int Add(int feature, float threshold, bool missingLeft, float gain, int left, int right, int set)
    {
        _feature.Add(feature);
        _threshold.Add(threshold);
        _missingLeft.Add(missingLeft ? 1 : 0);
        _gain.Add(gain);
        _left.Add(left);
        _right.Add(right);
        _set.Add(set);
        return _feature.Count - 1;
    }
}
