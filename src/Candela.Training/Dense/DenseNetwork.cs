using System.Text.Json.Nodes;
using Candela.Data;
using Candela.Graphs;

namespace Candela.Training.DenseNets;

/// <summary>A feed-forward net of dense layers on managed kernels: parameters and gradients are two flat buffers, a step allocates nothing, libtorch is not needed.
/// Layer types: dense (options units, activation, bias), activation, dropout (probability), flatten, and conv2d with the max-pool2d after it (see ConvBlock). Other types: <see cref="WhyNot"/>.</summary>
/// <remarks>Not for use from several threads at once. Results do not depend on the number of threads. Gradients agree with libtorch's to 1e-5 (tested).</remarks>
public sealed unsafe class DenseNetwork : IDisposable
{
    private readonly DenseOp[] _ops;
    private readonly StepContext _step;
    private readonly WorkPool _pool;
    private readonly bool _ownsPool;
    private int _reserved, _reservedTraining;
    private bool _disposed;

    /// <summary>Lays out the net with all parameters 0; call <see cref="Initialize"/> or <see cref="Parameters"/> next.</summary>
    /// <param name="graph">Its layers.</param>
    /// <param name="pool">Threads to use; null makes a pool of one, owned by the net.</param>
    /// <exception cref="UsageException">A layer the dense engine has not; a width that is not positive.</exception>
    /// <exception cref="ShapeException">A layer, or all together, have more numbers than fit one buffer (2,147,483,647).</exception>
    public DenseNetwork(LayerGraph graph, WorkPool? pool = null)
    {
        if (WhyNot(graph) is { } reason)
            throw new UsageException($"The dense engine cannot run this net: {reason}.");
        (Graph, _ownsPool) = (graph, pool is null);
        _pool = pool ?? new WorkPool(1);
        _step = new StepContext(_pool);
        InputWidth = graph.InputShape.Aggregate(1, (a, b) => Extent.OfLayer("input", a, b));
        var ops = new List<DenseOp>();
        var layout = new List<DenseParameter>();
        int width = InputWidth, length = 0, place = 1;
        IReadOnlyList<int> shape = graph.InputShape;
        for (int i = 0; i < graph.Layers.Count; i++)
        {
            LayerSpec layer = graph.Layers[i];
            int first = i;
            if (layer.Type != "flatten") // rows are flat already
            {
                DenseOp op = layer.Type == "conv2d" ? ConvBlock.Make(graph.Layers, ref i, ref shape, layout, ref length) : Make(layer, width, place, layout, ref length);
                ops.Add(op);
                width = op.Units;
            }

            // A layer's own activation is a child of it in a Sequential.
            for (int j = first; j <= i; j++)
                place += graph.Layers[j].Type is "dense" or "conv2d" && (Text(graph.Layers[j], "activation") ?? "none") != "none" ? 2 : 1;
        }

        (_ops, Layout, OutputWidth) = ([.. ops], layout, width);
        (Weights, Gradient) = (new AlignedFloats(length), new AlignedFloats(length));
        _step.Parameters = Weights.Pointer;
        _step.Gradients = Gradient.Pointer;
    }

    /// <summary>The layers.</summary>
    public LayerGraph Graph { get; }

    /// <summary>Numbers per input row.</summary>
    public int InputWidth { get; }

    /// <summary>Raw outputs per row.</summary>
    public int OutputWidth { get; }

    /// <summary>The weight tensors in buffer order.</summary>
    public IReadOnlyList<DenseParameter> Layout { get; }

    /// <summary>All parameters, as <see cref="Layout"/> says. Valid until disposed.</summary>
    public Span<float> Parameters => Weights.Span;

    /// <summary>The gradients written by the last <see cref="Differentiate"/>.</summary>
    public Span<float> Gradients => Gradient.Span;

    /// <summary>Segments of the flat buffers for an optimiser.</summary>
    public IReadOnlyList<ParameterSegment> Segments => [.. Layout.Select(p => new ParameterSegment(p.Offset, p.Length, p.Decays))];

    internal AlignedFloats Weights { get; }

    internal AlignedFloats Gradient { get; }

    internal IReadOnlyList<DenseOp> Ops => _ops;

    /// <summary>Numbers of working memory per row in evaluation, the input included.</summary>
    internal long FloatsPerRow => InputWidth + _ops.Sum(op => op.FloatsPerRow);

    /// <summary>Null when the dense engine runs such a net, else the reason as a sentence without a full stop.</summary>
    public static string? WhyNot(LayerGraph graph)
    {
        if (graph.Layers.Count == 0)
            return "it has no layers";
        IReadOnlyList<int> shape = graph.InputShape;
        for (int i = 0; i < graph.Layers.Count; i++)
        {
            LayerSpec layer = graph.Layers[i];
            if (layer.Type == "conv2d")
            {
                if (ConvBlock.WhyNot(graph.Layers, ref i, ref shape) is { } refusal)
                    return refusal;
                continue;
            }

            if (layer.Type is not ("dense" or "activation" or "dropout" or "flatten"))
                return $"layer '{layer.Name}' is of type '{layer.Type}'; known types are dense, activation, dropout, flatten, conv2d and the max-pool2d after it";
            if (Text(layer, "activation") is { } name && !IsElementwise(name))
                return $"layer '{layer.Name}' has activation '{name}'; known ones are {string.Join(", ", ActivationNames.All.Where(IsElementwise))}";
            if (layer.Type == "flatten")
                shape = [shape.Aggregate(1, (a, b) => Extent.OfLayer(layer.Name, a, b))];
            if (layer.Type != "dense")
                continue;
            if (Number(layer, "units", 0) < 1)
                return $"layer '{layer.Name}' needs units of 1 or more";
            if (shape.Count != 1)
                return $"layer '{layer.Name}' is dense along the last of {shape.Count} axes; put a flatten before it";
            shape = [(int)Number(layer, "units", 0)];
        }

        return null;
    }

    /// <summary>Draws the weights: He normal (2015) before relu-like activations, Xavier normal (Glorot and Bengio 2010) otherwise; biases 0.
    /// The last layer's weights are Xavier's.</summary>
    public void Initialize(long seed)
    {
        var rng = new Rng(seed, 0x1717);
        foreach (ConvOp op in _ops.OfType<ConvOp>())
        {
            foreach (ref float w in Parameters.Slice(op.Weight, op.WeightLength))
                w = (float)(rng.NextGaussian() * Math.Sqrt(2.0 / op.FanIn));
        }

        foreach (LinearOp op in _ops.OfType<LinearOp>())
        {
            bool rectified = op.Activation is not (ActivationKind.None or ActivationKind.Tanh or ActivationKind.Sigmoid);
            double deviation = rectified ? Math.Sqrt(2.0 / op.Width) : Math.Sqrt(2.0 / (op.Width + op.Units));
            foreach (ref float w in Parameters.Slice(op.Weight, op.Width * op.Units))
                w = (float)(rng.NextGaussian() * deviation);
        }
    }

    /// <summary>The raw outputs of rows [rows, InputWidth], without dropout: [rows, OutputWidth], valid until the next call.</summary>
    /// <exception cref="ShapeException">Fewer numbers than rows need.</exception>
    public ReadOnlySpan<float> Forward(ReadOnlySpan<float> inputs, int rows)
    {
        if (inputs.Length < (long)rows * InputWidth)
            throw new ShapeException($"{rows} rows of {InputWidth} numbers need {(long)rows * InputWidth} numbers; got {inputs.Length}.");
        fixed (float* x = inputs)
        {
            var outputs = new ReadOnlySpan<float>(Run(x, rows, training: false), rows * OutputWidth);
            GC.KeepAlive(this);
            return outputs;
        }
    }

    /// <summary>The mean loss of a batch; its gradient is left in <see cref="Gradients"/>.</summary>
    /// <param name="batch">Dense rows with labels or targets.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="seed">Seed of dropout.</param>
    /// <param name="step">Number of the step; the dropout masks are a function of it and the seed.</param>
    /// <param name="accumulate">Adds to the gradients instead of replacing them. Default false.</param>
    /// <param name="dropout">False leaves dropout off. Default true.</param>
    public double Differentiate(FeatureBatch batch, DenseLoss loss, long seed, long step, bool accumulate = false, bool dropout = true) =>
        DifferentiateSum(batch, loss, seed, step, accumulate, dropout).Mean;

    internal BatchLoss DifferentiateSum(FeatureBatch batch, DenseLoss loss, long seed, long step, bool accumulate, bool dropout = true, double gradientScale = 1)
    {
        CheckBatch(batch, loss);
        (_step.Seed, _step.Step, _step.Accumulate) = (seed, step, accumulate);
        fixed (float* x = batch.Dense)
        {
            float* outputs = Run(x, batch.Count, dropout, reserveTraining: true);
            BatchLoss sum = loss.Evaluate(outputs, _ops[^1].Slopes.Pointer, batch, OutputWidth, gradientScale);
            for (int i = _ops.Length - 1; i >= 0; i--)
                _ops[i].Backward(_step, i == 0 ? x : _ops[i - 1].Values.Pointer, i == 0 ? null : _ops[i - 1].Slopes.Pointer, batch.Count);
            GC.KeepAlive(this);
            return sum;
        }
    }

    /// <summary>The loss of a batch without dropout and without gradients.</summary>
    internal BatchLoss Evaluate(FeatureBatch batch, DenseLoss loss)
    {
        CheckBatch(batch, loss);
        fixed (float* x = batch.Dense)
            return loss.Evaluate(Run(x, batch.Count, training: false), null, batch, OutputWidth);
    }

    /// <summary>Raw outputs of the last run.</summary>
    internal ReadOnlySpan<float> Outputs(int rows) => new(_ops[^1].Values.Pointer, rows * OutputWidth);

    /// <summary>The softmax of the last run's outputs.</summary>
    internal void Softmax(int rows, Span<float> to)
    {
        if (to.Length < rows * OutputWidth)
            throw new ShapeException($"{rows} rows of {OutputWidth} classes need {rows * OutputWidth} scores; there is room for {to.Length}.");
        fixed (float* p = to)
            Kernels.ElementKernels.Softmax(_ops[^1].Values.Pointer, p, rows, OutputWidth);
    }

    /// <summary>Frees the buffers.</summary>
    public void Dispose()
    {
        _disposed = true;
        foreach (DenseOp op in _ops)
            op.Dispose();
        Weights.Dispose();
        Gradient.Dispose();
        if (_ownsPool)
            _pool.Dispose();
    }

    private static bool IsElementwise(string activation) => ActivationNames.All.Contains(activation) && ActivationNames.Parse(activation) is not (ActivationKind.Softmax or ActivationKind.PRelu);

    internal static string? Text(LayerSpec layer, string option) => layer.Options.TryGetPropertyValue(option, out JsonNode? node) ? node?.GetValue<string>() : null;

    internal static double Number(LayerSpec layer, string option, double otherwise) =>
        layer.Options.TryGetPropertyValue(option, out JsonNode? node) && node is JsonValue value
            ? value.TryGetValue(out double number) ? number : value.TryGetValue(out int whole) ? whole : otherwise
            : otherwise;

    private static DenseOp Make(LayerSpec layer, int width, int place, List<DenseParameter> layout, ref int length)
    {
        ActivationKind activation = Text(layer, "activation") is { } name ? ActivationNames.Parse(name) : ActivationKind.None;
        if (layer.Type == "activation")
            return new ActivationOp(width, activation);
        if (layer.Type == "dropout")
            return new DropoutOp(width, Number(layer, "probability", 0.5), place);
        int units = (int)Number(layer, "units", 0);
        int weight = length, bias = -1;
        layout.Add(new DenseParameter($"{layer.Name}.weight", [units, width], length, Decays: true));
        length = Extent.Sum(layer.Name, length, Extent.OfLayer(layer.Name, units, width));
        if (!(layer.Options.TryGetPropertyValue("bias", out JsonNode? node) && node is JsonValue value && value.TryGetValue(out bool with) && !with))
        {
            bias = length;
            layout.Add(new DenseParameter($"{layer.Name}.bias", [units], length, Decays: false));
            length = Extent.Sum(layer.Name, length, units);
        }

        return new LinearOp(width, units, weight, bias, activation);
    }

    private float* Run(float* x, int rows, bool training, bool reserveTraining = false)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (rows > _reserved || (reserveTraining && rows > _reservedTraining))
        {
            (int before, int beforeTraining) = (_reserved, _reservedTraining);
            (_reserved, _reservedTraining) = (0, 0); // a refused size leaves some operations smaller or without memory
            foreach (DenseOp op in _ops)
                op.Reserve(rows, reserveTraining);
            _reserved = Math.Max(rows, before);
            _reservedTraining = reserveTraining ? Math.Max(rows, beforeTraining) : beforeTraining;
        }

        _step.Training = training;
        foreach (DenseOp op in _ops)
        {
            op.Forward(_step, x, rows);
            x = op.Values.Pointer;
        }

        return x;
    }

    private void CheckBatch(FeatureBatch batch, DenseLoss loss)
    {
        int rows = batch.Count;
        if (batch.Dense.Length < (long)rows * InputWidth)
            throw new ShapeException($"A batch of {rows} rows needs {(long)rows * InputWidth} dense numbers ({InputWidth} per row); it has {batch.Dense.Length}.");
        bool labelled = loss.IsClassification;
        int targets = labelled ? batch.Labels.Length : batch.Targets.Length;
        if (targets < rows)
            throw new ShapeException($"Loss {loss.Kind} needs {(labelled ? "labels" : "targets")} for {rows} rows; the batch has {targets}.");
        if (batch.Weights.Length > 0 && batch.Weights.Length < rows)
            throw new ShapeException($"{rows} rows need as many weights, or none; the batch has {batch.Weights.Length}.");
        if (loss.Kind is not (DenseLossKind.CrossEntropy or DenseLossKind.Perceptron) && OutputWidth != 1)
            throw new ShapeException($"Loss {loss.Kind} needs a net with 1 output; it has {OutputWidth}.");
        if (!labelled)
            return;
        int classes = loss.Kind == DenseLossKind.CrossEntropy || OutputWidth > 1 ? OutputWidth : 2;
        if (loss.ClassWeights is { } weights && weights.Count != classes)
            throw new ShapeException($"{weights.Count} class weights were given for {classes} classes.");
        foreach (int label in batch.Labels.AsSpan(0, rows))
            if ((uint)label >= (uint)classes)
                throw new DataException($"A label is {label}; with {classes} classes it must be 0..{classes - 1}.");
    }
}
