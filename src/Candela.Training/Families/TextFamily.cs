using System.Globalization;
using System.Text.Json.Nodes;
using Candela.Data;
using Candela.Graphs;
using Candela.Models;

namespace Candela.Training;

/// <summary>A text classifier: a trained vector per token; the mean of the vectors (layer-normalised) beside the largest responses of a convolution over three tokens (Kim 2014);
/// dropout; the head.</summary>
public sealed class TextFamily : TokenFamily
{
    /// <inheritdoc/>
    public override string Id => "text";

    /// <inheritdoc/>
    public override string Description => "Text classifier: token vectors, their mean and a convolution over them, dropout";

    /// <inheritdoc/>
    public override bool ConsideredByAuto => true;

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Heeds => FitOptions.Keys;

    /// <summary>The layers for rows of token ids.</summary>
    /// <param name="vocabulary">Number of ids; 0 is padding.</param>
    /// <param name="width">Numbers per token vector.</param>
    /// <param name="filters">Filters of the convolution; 0 for the mean alone.</param>
    /// <param name="outputs">Outputs of the head.</param>
    /// <param name="dropout">Dropped share of the token vectors' numbers (half of it) and before the head.</param>
    public static IReadOnlyList<LayerSpec> Layers(int vocabulary, int width, int filters, int outputs, double dropout)
    {
        LayerSpec mean = new("sequential", "mean", [])
        {
            Children = [new LayerSpec("global-average-pool", "pool1", []), new LayerSpec("layer-norm", "norm1", [])],
        };
        LayerSpec phrases = new("sequential", "phrases", [])
        {
            Children =
            [
                new LayerSpec("conv1d", "conv1", new JsonObject { ["filters"] = filters, ["kernel"] = 3, ["padding"] = "same", ["activation"] = "relu" }),
                new LayerSpec("global-max-pool", "pool1", []),
            ],
        };
        List<LayerSpec> layers =
        [
            new("embedding", "embedding", new JsonObject { ["vocabulary"] = vocabulary, ["width"] = width, ["paddingId"] = 0 }),
            new("swap-axes", "swap1", []),
            new("branches", "features", []) { Children = filters > 0 ? [mean, phrases] : [mean] },
            new("dense", "head", new JsonObject { ["units"] = outputs }),
        ];
        if (dropout > 0)
        {
            layers.Insert(1, new LayerSpec("dropout", "dropout1", new JsonObject { ["probability"] = dropout / 2 }));
            layers.Insert(4, new LayerSpec("dropout", "dropout2", new JsonObject { ["probability"] = dropout }));
        }

        return layers;
    }

    private protected override IReadOnlyList<LayerSpec> Layers(FitContext context, FeatureLayout layout, int outputs, Dictionary<string, string> chosen)
    {
        FitOptions options = context.Options;
        int width = options.Hidden is [var first, ..] ? first : 64, filters = options.Hidden is [_, var second, ..] ? second : 64;
        double dropout = options.Dropout ?? 0.6;
        chosen["hidden"] = string.Create(CultureInfo.InvariantCulture, $"{width},{filters}");
        chosen["dropout"] = dropout.ToString(CultureInfo.InvariantCulture);
        return Layers(layout.TokenVocabulary, width, filters, outputs, dropout);
    }
}
