namespace Candela.Training;

/// <summary>Names of layers among their siblings.</summary>
internal static class LayerNames
{
    /// <summary>Each layer with its own name, or one made of its type and a count.</summary>
    public static IReadOnlyList<KeyValuePair<string, Layer>> Assign(IReadOnlyList<Layer> layers)
    {
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (Layer layer in layers)
        {
            if (layer.Name is { } name && !taken.Add(name))
                throw new UsageException($"Two layers are called '{name}'; names must differ among siblings.");
        }

        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        var named = new List<KeyValuePair<string, Layer>>(layers.Count);
        foreach (Layer layer in layers)
        {
            string? name = layer.Name;
            while (name is null)
            {
                string stem = Stem(layer.TypeId);
                int count = counts[stem] = counts.GetValueOrDefault(stem) + 1;
                string candidate = $"{stem}{count}";
                if (taken.Add(candidate))
                    name = candidate;
            }

            named.Add(new KeyValuePair<string, Layer>(name, layer));
        }

        return named;
    }

    /// <summary>The last output shape of layers in a row; an error says which layer refused.</summary>
    public static Shape OutputOf(IEnumerable<KeyValuePair<string, Layer>> layers, Shape input)
    {
        foreach ((string name, Layer layer) in layers)
        {
            try
            {
                input = layer.OutputShape(input);
            }
            catch (ShapeException error)
            {
                throw new ShapeException($"Layer '{name}': {error.Message}");
            }
        }

        return input;
    }

    private static string Stem(string typeId) => typeId switch
    {
        "conv1d" or "conv2d" => "conv",
        "max-pool1d" or "max-pool2d" or "avg-pool1d" or "avg-pool2d" or "global-average-pool" or "global-max-pool" => "pool",
        "batch-norm1d" or "batch-norm2d" or "layer-norm" => "norm",
        _ => typeId,
    };
}
