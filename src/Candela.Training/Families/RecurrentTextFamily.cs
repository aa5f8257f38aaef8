using System.Globalization;
using System.Text.Json.Nodes;
using Candela.Data;
using Candela.Graphs;
using Candela.Models;

namespace Candela.Training;

/// <summary>A text classifier that reads tokens in order, from both ends: <see cref="RecurrentText"/> with a plain RNN, an LSTM or a GRU; dropout; the head.</summary>
public sealed class RecurrentTextFamily : TokenFamily
{
    private const double RowsSeen = 40_000;
    private readonly string _cell;

    /// <summary>Creates the family of a cell.</summary>
    /// <param name="cell">One of <see cref="RecurrentText.Cells"/>; also the family's id.</param>
    public RecurrentTextFamily(string cell) => _cell = RecurrentText.Cells.Contains(cell) ? cell
        : throw new UsageException($"There is no recurrent cell '{cell}'.{NearestName.Hint(cell, RecurrentText.Cells)} Cells: {string.Join(", ", RecurrentText.Cells)}.");

    /// <inheritdoc/>
    public override string Id => _cell;

    /// <inheritdoc/>
    public override string Description => $"Text classifier: token vectors read in order, from both ends, by {(_cell == "lstm" ? "an LSTM" : _cell == "gru" ? "a GRU" : "a plain recurrent net")}, dropout";

    /// <inheritdoc/>
    public override bool ConsideredByAuto => false;

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Heeds { get; } = [.. FitOptions.Keys, "layers", "width"];

    /// <summary>The layers for rows of token ids.</summary>
    /// <param name="cell">One of <see cref="RecurrentText.Cells"/>.</param>
    /// <param name="vocabulary">Number of ids; 0 is padding.</param>
    /// <param name="width">Numbers per token vector.</param>
    /// <param name="units">Numbers of the state, per direction.</param>
    /// <param name="depth">Recurrent layers on top of each other.</param>
    /// <param name="outputs">Outputs of the head.</param>
    /// <param name="dropout">Dropped share of the token vectors' numbers and between layers (half of it) and before the head.</param>
    public static IReadOnlyList<LayerSpec> Layers(string cell, int vocabulary, int width, int units, int depth, int outputs, double dropout)
    {
        var options = new JsonObject { ["cell"] = cell, ["vocabulary"] = vocabulary, ["width"] = width, ["units"] = units, ["layers"] = depth, ["bidirectional"] = true, ["dropout"] = dropout / 2 };
        LayerSpec text = new("recurrent-text", "text", options), head = new("dense", "head", new JsonObject { ["units"] = outputs });
        return dropout > 0 ? [text, new LayerSpec("dropout", "dropout", new JsonObject { ["probability"] = dropout }), head] : [text, head];
    }

    // A recurrent net has learned a text by heart sooner than the mean of its vectors has.
    private protected override TrainingDefaults Defaults(long rows) => base.Defaults(rows) with { Epochs = (int)Math.Clamp(RowsSeen / rows, 4, 12) };

    private protected override IReadOnlyList<LayerSpec> Layers(FitContext context, FeatureLayout layout, int outputs, Dictionary<string, string> chosen)
    {
        int units = context.Options.Hidden is [var first, ..] ? first : 64, depth = context.Sequence.Layers ?? 1, width = context.Sequence.Width ?? 64;
        double dropout = context.Options.Dropout ?? 0.7;
        chosen["hidden"] = units.ToString(CultureInfo.InvariantCulture);
        chosen["layers"] = depth.ToString(CultureInfo.InvariantCulture);
        chosen["width"] = width.ToString(CultureInfo.InvariantCulture);
        chosen["dropout"] = dropout.ToString(CultureInfo.InvariantCulture);
        return Layers(_cell, layout.TokenVocabulary, width, units, depth, outputs, dropout);
    }
}
