using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>A text read by a recurrent net: token ids, [length] with padding (id 0) at the end -> the largest and the mean output over the text's own steps, [2 x outputs of a step].
/// Padding changes nothing, and a batch costs the steps of its longest text. Source of reading out by the largest output: Conneau et al. 2017; by the mean beside it: Howard and Ruder 2018.</summary>
public sealed class RecurrentText : Layer
{
    /// <summary>What <see cref="Cell"/> can be.</summary>
    public static IReadOnlyList<string> Cells { get; } = ["rnn", "lstm", "gru"];

    private readonly Embedding _embedding;
    private readonly Dropout _dropout;
    private readonly Recurrent _recurrent;

    /// <summary>Creates it.</summary>
    /// <param name="cell">One of <see cref="Cells"/>.</param>
    /// <param name="vocabulary">Number of ids; 0 is padding.</param>
    /// <param name="width">Numbers per token vector.</param>
    /// <param name="units">Numbers of the state, per direction.</param>
    /// <param name="layers">Layers on top of each other. Default 1.</param>
    /// <param name="bidirectional">Whether each layer also reads from the end. Default true.</param>
    /// <param name="dropout">Share of the token vectors' numbers, and of those between layers, set to 0 in training. Default 0.</param>
    public RecurrentText(string cell, int vocabulary, int width, int units, int layers = 1, bool bidirectional = true, double dropout = 0)
    {
        Cell = cell;
        _embedding = Child("embedding", new Embedding(vocabulary, width, paddingId: 0));
        _dropout = Child("dropout", new Dropout(dropout));
        _recurrent = Child(cell, (Recurrent)(cell switch
        {
            "rnn" => new Rnn(units, layers, bidirectional, dropout),
            "lstm" => new Lstm(units, layers, bidirectional, dropout),
            "gru" => new Gru(units, layers, bidirectional, dropout),
            _ => throw new UsageException($"There is no recurrent cell '{cell}'.{NearestName.Hint(cell, Cells)} Cells: {string.Join(", ", Cells)}."),
        }));
    }

    /// <summary>The kind of recurrent net.</summary>
    public string Cell { get; }

    /// <inheritdoc/>
    public override string TypeId => "recurrent-text";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input) => input.Count == 1 && input[0] >= 1
        ? [2 * _recurrent.OutputShape(_embedding.OutputShape(input)).Last]
        : throw new ShapeException($"A recurrent text net needs examples of [tokens]; got {input}.");

    /// <inheritdoc/>
    protected override void OnBuild(Shape input)
    {
        BuildChild(_embedding, input);
        BuildChild(_dropout, _embedding.OutputShape(input));
        BuildChild(_recurrent, _embedding.OutputShape(input));
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input)
    {
        int[] lengths = Lengths(input, out int longest);
        using Tensor read = input.narrow(1, 0, longest), vectors = _embedding.call(read), kept = _dropout.call(vectors), outputs = _recurrent.Run(kept, lengths); // [B, T, H], 0 behind the end
        using Tensor counts = tensor(Array.ConvertAll(lengths, n => (long)n), [lengths.Length, 1]).to(outputs.dtype, outputs.device), sums = outputs.sum(1), means = sums.div(counts);
        using Tensor steps = arange(longest, ScalarType.Int64, device: outputs.device), behind = steps.view(1, longest, 1).ge(counts.view(lengths.Length, 1, 1));
        using Tensor open = outputs.masked_fill(behind, float.NegativeInfinity), largest = open.amax([1]);
        return cat([largest, means], 1);
    }

    internal override void WriteOptions(JsonObject options)
    {
        options["cell"] = Cell;
        options["vocabulary"] = _embedding.Vocabulary;
        options["width"] = _embedding.Width;
        options["units"] = _recurrent.Units;
        options["layers"] = _recurrent.Layers;
        options["bidirectional"] = _recurrent.Bidirectional;
        options["dropout"] = _dropout.Probability;
    }

    // Steps of each text, at least 1: an empty text is read as one padding token.
    private static int[] Lengths(Tensor input, out int longest)
    {
        using Tensor real = input.ne(0), ids = real.cpu(), flat = ids.contiguous();
        ReadOnlySpan<byte> flags = flat.bytes;
        int rows = (int)input.size(0), steps = (int)input.size(1);
        var lengths = new int[rows];
        longest = 1;
        for (int row = 0; row < rows; row++)
        {
            lengths[row] = Math.Max(1, flags.Slice(row * steps, steps).LastIndexOf((byte)1) + 1);
            longest = Math.Max(longest, lengths[row]);
        }

        return lengths;
    }
}
