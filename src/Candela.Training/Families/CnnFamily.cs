using System.Globalization;
using System.Text.Json.Nodes;
using Candela.Data;
using Candela.Graphs;
using Candela.Models;
using Candela.Training.DenseNets;

namespace Candela.Training;

/// <summary>The convolutional network of the articles, adapted to the image's size: 3x3 convolutions with ReLU and 2x2 max pooling (32, 64, ... filters), a dense layer
/// of 128 and the head; dropout before both. While it trains, images are moved by up to a fourteenth of their side. On [1, 28, 28] and ten classes it has exactly 225,034 parameters. Trained and scored by managed kernels on the CPU;
/// on cuda or mps by libtorch, and scored by managed kernels afterwards.</summary>
public sealed class CnnFamily : DenseFamily
{
    // Images seen by default at the most beyond ten epochs, so that small sets get more epochs.
    private const double ImagesSeen = 80_000;

    /// <inheritdoc/>
    public override string Id => "cnn";

    /// <inheritdoc/>
    public override string Description => "Convolutional network for images: 3x3 convolutions, max pooling, a dense layer of 128";

    /// <inheritdoc/>
    public override bool ConsideredByAuto => true;

    /// <inheritdoc/>
    public override string? WhyNot(Problem problem, TableSchema inputs, long trainingRows)
    {
        List<ColumnSchema> used = [.. inputs.Columns.Where(c => c.Kind is not (ColumnKind.Constant or ColumnKind.Identifier))];
        if (used is not [{ Kind: ColumnKind.Image } only])
            return "cnn needs one image column and no other inputs";
        return only.Image is { } image && Math.Min(image.Height, image.Width) < 4 ? $"cnn needs images of 4x4 pixels or more; these have {image.Height}x{image.Width}" : null;
    }

    /// <summary>The layers for images of a shape [channels, height, width].</summary>
    /// <param name="input">Shape of one image.</param>
    /// <param name="outputs">Outputs of the head.</param>
    /// <param name="hidden">Widths of the dense layers before the head.</param>
    /// <param name="dropout">Dropped share before each dense layer; 0 for none.</param>
    public static IReadOnlyList<LayerSpec> Layers(IReadOnlyList<int> input, int outputs, IReadOnlyList<int> hidden, double dropout)
    {
        if (input.Count != 3 || Math.Min(input[1], input[2]) < 4)
            throw new ShapeException($"cnn needs images [channels, height, width] of 4x4 pixels or more; got [{string.Join(", ", input)}].");
        var layers = new List<LayerSpec>();
        int side = Math.Min(input[1], input[2]), filters = 32, block = 0;
        // Two blocks, and one more for each doubling of the side beyond 28; small images keep their border, or nothing would be left.
        for (int blocks = side >= 56 ? 2 + (int)Math.Log2(side / 28.0) : 2; block < blocks && side >= 2; block++, filters = Math.Min(2 * filters, 256))
        {
            bool keep = side < 10;
            layers.Add(new LayerSpec("conv2d", $"conv{block + 1}", new JsonObject
            {
                ["filters"] = filters,
                ["kernel"] = new JsonArray(3, 3),
                ["padding"] = keep ? "same" : "valid",
                ["activation"] = "relu",
            }));
            layers.Add(new LayerSpec("max-pool2d", $"pool{block + 1}", new JsonObject { ["size"] = new JsonArray(2, 2), ["stride"] = new JsonArray(2, 2) }));
            side = (keep ? side : side - 2) / 2;
        }

        layers.Add(new LayerSpec("flatten", "flatten1", []));
        for (int i = 0; i < hidden.Count; i++)
        {
            AddDropout(layers, i, dropout);
            layers.Add(DenseLayer($"dense{i + 1}", hidden[i], ActivationKind.Relu));
        }

        AddDropout(layers, hidden.Count, dropout);
        layers.Add(DenseLayer("head", outputs));
        return layers;
    }

    private static void AddDropout(List<LayerSpec> layers, int index, double dropout)
    {
        if (dropout > 0)
            layers.Add(new LayerSpec("dropout", $"dropout{index + 1}", new JsonObject { ["probability"] = dropout }));
    }

    private protected override bool GainsByAccelerator => true;

    private protected override IExampleSource Augment(IExampleSource train, long seed) =>
        ShiftedImages.Reach(train.Layout.DenseShape) is > 0 and var reach ? new ShiftedImages(train, reach, seed) : train;

    private protected override LayerGraph Graph(Problem problem, IExampleSource train, FitOptions options, DenseLoss loss)
    {
        double dropout = options.Dropout ?? 0.1;
        IReadOnlyList<int> shape = train.Layout.DenseShape, hidden = options.Hidden ?? [128];
        if (hidden.Any(units => units < 1))
            throw new UsageException($"Hidden widths are {string.Join(", ", hidden)}; each must be at least 1.");
        return new LayerGraph(Id, shape, Layers(shape, loss.Outputs(problem.Classes.Count), hidden, dropout), Head(problem)) { Scale = loss.Scale, Offset = loss.Offset };
    }

    private protected override TrainingDefaults Defaults(Problem problem, IExampleSource train, FitOptions options) => new()
    {
        Epochs = (int)Math.Clamp(ImagesSeen / train.Count, 10, 60),
        BatchSize = train.Count < 20_000 ? 32 : 64,
        LearningRate = 2e-3,
        Schedule = "one-cycle",
        L2 = 0.01,
        Patience = null,
    };

    private protected override void Describe(Dictionary<string, string> chosen, LayerGraph graph, DenseLoss loss)
    {
        chosen["hidden"] = string.Join(",", graph.Layers.Where(l => l.Type == "dense" && l.Name != "head").Select(l => l.Options["units"]!.GetValue<int>().ToString(CultureInfo.InvariantCulture)));
        chosen["dropout"] = (graph.Layers.FirstOrDefault(l => l.Type == "dropout")?.Options["probability"]?.GetValue<double>() ?? 0).ToString(CultureInfo.InvariantCulture);
    }
}
