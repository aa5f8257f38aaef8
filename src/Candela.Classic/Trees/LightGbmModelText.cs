using System.Globalization;

namespace Candela.Classic.Trees;

/// <summary>Reads the trees out of LightGBM's model text (version v4: <c>Tree=N</c> blocks of <c>key=values</c> lines) into a <see cref="TreeEnsembleBuilder"/>.</summary>
/// <remarks>
/// <c>decision_type</c>: bit 0 category split, bit 1 missing goes left, bits 2-3 how missing is met (0: the training rows had none, 2: NaN).
/// LightGBM treats NaN as 0 where the training rows had none; here it goes to the child with more training rows.
/// A threshold is a double; rounding it down to a float keeps <c>x &lt;= t</c> the same for every float x.
/// </remarks>
internal static class LightGbmModelText
{
    /// <summary>Appends all trees, in order.</summary>
    /// <exception cref="EngineException">The text is not as expected.</exception>
    public static void Read(string text, TreeEnsembleBuilder into)
    {
        var block = new Dictionary<string, string>(StringComparer.Ordinal);
        bool inTree = false;
        foreach (ReadOnlySpan<char> raw in text.AsSpan().EnumerateLines())
        {
            string line = raw.Trim().ToString();
            if (line.StartsWith("Tree=", StringComparison.Ordinal) || line == "end of trees")
            {
                if (inTree)
                    AddTree(block, into);
                block.Clear();
                inTree = line != "end of trees";
                if (!inTree)
                    return;
            }
            else if (inTree && line.IndexOf('=', StringComparison.Ordinal) is > 0 and var at)
                block[line[..at]] = line[(at + 1)..];
        }

        throw new EngineException("LightGBM's model text ended before its last tree.");
    }

    private static void AddTree(Dictionary<string, string> block, TreeEnsembleBuilder into)
    {
        double[] leaves = Numbers(block, "leaf_value");
        int firstLeaf = into.LeafCount, firstNode = into.NodeCount;
        foreach (double leaf in leaves)
            into.AddLeaf([(float)leaf]);
        if (leaves.Length == 1)
        {
            into.AddRoot(~firstLeaf);
            return;
        }

        double[] feature = Numbers(block, "split_feature"), threshold = Numbers(block, "threshold"), type = Numbers(block, "decision_type"), gain = Numbers(block, "split_gain"),
            left = Numbers(block, "left_child"), right = Numbers(block, "right_child"), leafCount = Numbers(block, "leaf_count"), nodeCount = Numbers(block, "internal_count");
        double[] bounds = block.ContainsKey("cat_boundaries") ? Numbers(block, "cat_boundaries") : [], words = bounds.Length > 0 ? Numbers(block, "cat_threshold") : [];
        int Child(double child) => child >= 0 ? firstNode + (int)child : ~(firstLeaf + ~(int)child);
        double Rows(double child) => child >= 0 ? nodeCount[(int)child] : leafCount[~(int)child];
        for (int n = 0; n < feature.Length; n++)
        {
            int bits = (int)type[n];
            bool category = (bits & 1) != 0, knowsMissing = ((bits >> 2) & 3) == 2;
            bool missingLeft = knowsMissing ? !category && (bits & 2) != 0 : Rows(left[n]) >= Rows(right[n]);
            if (category)
            {
                int set = (int)threshold[n], from = (int)bounds[set], to = (int)bounds[set + 1];
                into.AddCategorySplit((int)feature[n], [.. words[from..to].Select(w => unchecked((int)(uint)w))], missingLeft, (float)gain[n], Child(left[n]), Child(right[n]));
            }
            else
                into.AddNumberSplit((int)feature[n], RoundDown(threshold[n]), missingLeft, (float)gain[n], Child(left[n]), Child(right[n]));
        }

        into.AddRoot(firstNode);
    }

    /// <summary>The largest float that is at most <paramref name="value"/>.</summary>
    internal static float RoundDown(double value)
    {
        float rounded = (float)value;
        return rounded > value ? float.BitDecrement(rounded) : Math.Min(rounded, float.MaxValue);
    }

    private static double[] Numbers(Dictionary<string, string> block, string key)
    {
        if (!block.TryGetValue(key, out string? text))
            throw new EngineException($"A tree in LightGBM's model text has no '{key}'.");
        string[] parts = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var numbers = new double[parts.Length];
        for (int i = 0; i < parts.Length; i++)
            if (parts[i] is "inf" or "-inf")
                numbers[i] = parts[i] == "inf" ? double.PositiveInfinity : double.NegativeInfinity; // a split between numbers and missing ones
            else if (!double.TryParse(parts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[i]))
                throw new EngineException($"'{key}' in LightGBM's model text holds '{parts[i]}', which is no number.");
        return numbers;
    }
}
