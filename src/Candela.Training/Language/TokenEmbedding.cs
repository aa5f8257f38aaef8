using static TorchSharp.torch;

namespace Candela.Training.Language;

/// <summary>A table of vectors, key <c>weight</c> [rows, width], that is looked up by id and may also be the output matrix.</summary>
internal sealed class TokenEmbedding(int rows, int width, double deviation, int? paddingId = null) : Layer
{
    private LayerParameter? _weight;

    public override string TypeId => "embedding";

    public override Shape OutputShape(Shape input) => Shape.Of([.. input, width]);

    protected override void OnBuild(Shape input)
    {
        Initializer normal = Initializers.Normal(0, deviation);
        _weight = Parameter("weight", [rows, width], (values, shape, rng) =>
        {
            normal(values, shape, rng);
            if (paddingId is { } id && id < rows)
                values.Slice(id * width, width).Clear();
        }, decays: true);
    }

    /// <summary>[B, T] ids -> [B, T, width].</summary>
    protected override Tensor Compute(Tensor input)
    {
        using Tensor flat = input.reshape(-1), vectors = _weight!.Value.index_select(0, flat);
        return vectors.view([.. input.shape, width]);
    }

    /// <summary>The first rows from <paramref name="start"/>, [count, width], a view.</summary>
    public Tensor Rows(int start, int count) => _weight!.Value.narrow(0, start, count);

    /// <summary>[..., width] -> [..., rows]: the table as output matrix.</summary>
    public Tensor Project(Tensor hidden, Tensor? bias = null) => Bfloat16Products.Linear(hidden, _weight!.Value, bias);

    public Tensor Weight => _weight!.Value;

    public LayerParameter Table => _weight!;
}

/// <summary>Blocks one after the other, whose keys are their numbers.</summary>
internal sealed class BlockList<TBlock> : Layer where TBlock : Layer
{
    public BlockList(IEnumerable<TBlock> blocks) =>
        Blocks = [.. blocks.Select((block, i) => Child(i.ToString(System.Globalization.CultureInfo.InvariantCulture), block))];

    public IReadOnlyList<TBlock> Blocks { get; }

    public override string TypeId => "blocks";

    public override Shape OutputShape(Shape input) => input;

    protected override void OnBuild(Shape input)
    {
        foreach (TBlock block in Blocks)
            BuildChild(block, input);
    }

    protected override Tensor Compute(Tensor input) => Chain(Blocks, input);
}
