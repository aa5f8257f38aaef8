using System.Text.Json.Nodes;
using TorchSharp;
using static TorchSharp.torch;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace Candela.Training;

/// <summary>The base of Candela's layers: a TorchSharp module whose children and parameters are registered by name, whose input shape may be
/// found out late, and whose output shape is computed in managed code before libtorch is asked.
/// A new layer overrides <see cref="OutputShape"/>, <see cref="OnBuild"/> (to register parameters) and <see cref="Compute"/>.</summary>
public abstract class Layer : nn.Module<Tensor, Tensor>
{
    private readonly List<LayerParameter> _owned = [];
    private readonly List<KeyValuePair<string, Layer>> _children = [];
    private readonly List<KeyValuePair<string, Layer>> _attached = [];
    private long[] _accepted = [];
    private long? _counted; // not null while parameters are only counted

    /// <summary>Loads libtorch, if that has not happened, and starts an unbuilt layer.</summary>
    protected Layer() : base(StartEngine())
    {
    }

    /// <summary>The name among its siblings, part of its weights' keys. Null lets the parent choose (<c>conv1</c>, <c>dense2</c>).</summary>
    public string? Name { get; init; }

    /// <summary>The layer's type as config.json spells it (<c>conv2d</c>).</summary>
    public abstract string TypeId { get; }

    /// <summary>The shape of one example it was built for, or null before that.</summary>
    public Shape? InputShape { get; private set; }

    /// <summary>True once its parameters exist.</summary>
    public bool IsBuilt => InputShape is not null;

    /// <summary>Its own parameters, without its children's; empty before it is built.</summary>
    public IReadOnlyList<LayerParameter> OwnParameters => _owned;

    /// <summary>The layers inside it, in order, by name.</summary>
    public IReadOnlyList<KeyValuePair<string, Layer>> Children => _children;

    /// <summary>The shape of one example's output for one example's input (both without the batch axis). Needs no built layer.</summary>
    /// <exception cref="ShapeException">The layer cannot take that shape; the message has both.</exception>
    public abstract Shape OutputShape(Shape input);

    /// <summary>Floating-point operations of one example's forward pass, two per multiply-add, its children's included. Default: the children's sum is left to them, 0.</summary>
    public virtual double Flops(Shape input) => 0;

    /// <summary>Creates and fills all parameters for examples of this shape; free if that has been done for the same shape.</summary>
    /// <param name="input">Shape of one example.</param>
    /// <param name="seed">Seed of the first weights; each parameter has its own stream, chosen by its key.</param>
    /// <exception cref="ShapeException">A layer cannot take what the one before it gives, or the layer was built for another shape.</exception>
    public void Build(Shape input, long seed = 0)
    {
        if (IsBuilt)
        {
            _ = OutputShape(input);
            return;
        }

        BuildParameters(input);
        Initialize(seed);
    }

    /// <summary>Fills all parameters anew from their initialisers.</summary>
    public void Initialize(long seed) => Initialize(seed, "");

    /// <summary>Runs the layer on a batch ([batch, ...input shape]); builds it first if that has not happened (with seed 0).</summary>
    /// <exception cref="ShapeException">The batch's shape is not one the layer can take.</exception>
    public sealed override Tensor forward(Tensor input)
    {
        long[] shape = input.shape;
        if (!IsBuilt)
        {
            Build(Shape.OfExample(input));
            if (input.device_type != DeviceType.CPU)
                this.to(input.device);
        }

        if (shape.Length != _accepted.Length || !shape.AsSpan(1).SequenceEqual(_accepted.AsSpan(1)))
        {
            _ = OutputShape(Shape.OfExample(input));
            _accepted = shape;
        }

        return Compute(input);
    }

    /// <summary>Makes the noise of the next pass (dropout) a pure function of the seed and the step, so that a resumed run repeats it.
    /// The trainer calls it before every forward pass in training mode.</summary>
    public void BeginStep(long seed, long step)
    {
        ulong index = 0;
        BeginStep(Kernels.DropoutMask.StepKey(seed, step), ref index);
    }

    /// <summary>Layers, output shapes, parameters, FLOPs and memory for inputs of this shape (or of the built one).</summary>
    public ModelSummary Summary(Shape? input = null) => ModelSummary.Of(this, input);

    /// <summary>Registers parameters with <see cref="Parameter"/> and builds children with <see cref="BuildChild"/>, for inputs of this shape, which <see cref="OutputShape"/> has accepted.</summary>
    protected virtual void OnBuild(Shape input)
    {
    }

    /// <summary>The layer's function of a batch of accepted shape.</summary>
    protected abstract Tensor Compute(Tensor input);

    /// <summary>Runs layers one after the other. A tensor between two of them is freed as soon as the second has run: what the gradient needs of it autograd keeps by itself,
    /// and the rest is memory to use again at once.</summary>
    internal static Tensor Chain(IEnumerable<Layer> layers, Tensor input)
    {
        Tensor at = input;
        foreach (Layer layer in layers)
        {
            Tensor next = layer.call(at);
            if (!ReferenceEquals(at, input) && !ReferenceEquals(at, next))
                at.Dispose();
            at = next;
        }

        return at;
    }

    /// <summary>True for a child that takes this layer's own input rather than the output of the child before it (a shortcut, a branch).</summary>
    internal virtual bool TakesOwnInput(string child) => false;

    /// <summary>The input of a child that takes neither this layer's nor the output of the child before it; null (default) for all others.</summary>
    internal virtual Shape? InnerInput(string child, Shape input) => null;

    /// <summary>Adds what config.json must hold to make the layer again, besides its children and weights.</summary>
    internal virtual void WriteOptions(JsonObject options)
    {
    }

    /// <summary>Called by <see cref="BeginStep(long, long)"/> with a key that differs between layers, steps and seeds.</summary>
    protected virtual void OnBeginStep(ulong key)
    {
    }

    /// <summary>Registers a layer inside this one; its weights' keys begin with <paramref name="name"/> and a dot. A name with dots (<c>attention.self.query</c>) is placed within layers, or mere parts of keys, of those names.</summary>
    protected T Child<T>(string name, T layer) where T : Layer
    {
        string[] parts = name.Split('.');
        Layer parent = this;
        foreach (string part in parts.AsSpan(0, parts.Length - 1))
            parent = parent._children.Find(c => c.Key == part).Value ?? parent.Register(part, new KeyGroup());
        parent.Register(parts[^1], layer);
        return layer;
    }

    private Layer Register(string name, Layer layer)
    {
        register_module(name, layer);
        _children.Add(new KeyValuePair<string, Layer>(name, layer));
        return layer;
    }

    /// <summary>Puts a built layer beside this one's children: it moves and trains with them and its parameters are <see cref="TrainableParameter"/>s under its name, but it is no part of the model's own
    /// weights, its summary or its initialisation.</summary>
    internal void Attach(string name, Layer layer)
    {
        register_module(name, layer);
        _attached.Add(new KeyValuePair<string, Layer>(name, layer));
    }

    /// <summary>Takes attached layers off again; the caller disposes them.</summary>
    internal void DetachAll()
    {
        foreach ((string name, _) in _attached)
            register_module(name, null!); // removes it
        _attached.Clear();
    }

    /// <summary>All layers inside by their paths, children before their own children, attached ones left out.</summary>
    internal IEnumerable<KeyValuePair<string, Layer>> Paths(string prefix = "") =>
        _children.SelectMany(c => c.Value.Paths($"{prefix}{c.Key}.").Prepend(new KeyValuePair<string, Layer>(prefix + c.Key, c.Value)));

    /// <summary>Creates and registers a trained tensor; it is filled after the whole network is built.</summary>
    protected LayerParameter Parameter(string name, Shape shape, Initializer initializer, bool decays)
    {
        if (_counted is { } counted)
        {
            _counted = counted + shape.Elements;
            return new LayerParameter(name, shape, initializer, decays, null!);
        }

        var value = new TorchParameter(zeros(shape.ToLongs(), ScalarType.Float32));
        value.DetachFromDisposeScope();
        register_parameter(name, value);
        var parameter = new LayerParameter(name, shape, initializer, decays, value);
        _owned.Add(parameter);
        return parameter;
    }

    /// <summary>Registers a tensor that is saved with the weights but not trained (running means). Read it back with <c>get_buffer</c>, because moving the layer replaces it.</summary>
    protected void Buffer(string name, Tensor value)
    {
        if (_counted is null)
            register_buffer(name, value.DetachFromDisposeScope());
        else
            value.Dispose();
    }

    /// <summary>Builds a child's parameters within this layer's <see cref="OnBuild"/>.</summary>
    protected void BuildChild(Layer child, Shape input)
    {
        if (_counted is null)
            child.BuildParameters(input);
    }

    /// <inheritdoc/>
    protected override void RegisterComponents()
    {
        // Registration is explicit; TorchSharp's by field would add each child a second time under the field's name.
    }

    /// <inheritdoc/>
    protected override void _toEpilog(ScalarType? dtype, Device? device, bool non_blocking)
    {
        base._toEpilog(dtype, device, non_blocking);
        foreach (LayerParameter parameter in _owned)
            parameter.Value = get_parameter(parameter.Name)!;
    }

    /// <summary>How many trained numbers the layer itself has, or would have for examples of this shape.</summary>
    internal long CountParameters(Shape input)
    {
        if (IsBuilt)
            return _owned.Sum(p => p.Shape.Elements);
        _ = OutputShape(input);
        _counted = 0;
        OnBuild(input);
        long count = _counted.Value;
        _counted = null;
        return count;
    }

    /// <summary>All parameters inside, frozen ones too, by key.</summary>
    internal IEnumerable<KeyValuePair<string, TorchParameter>> AllParameters(string prefix = "") =>
        _owned.Select(p => new KeyValuePair<string, TorchParameter>(prefix + p.Name, p.Value)).Concat(_children.SelectMany(c => c.Value.AllParameters($"{prefix}{c.Key}.")));

    /// <summary>Creates all parameters, zero, for weights that come from a file.</summary>
    internal void BuildOnly(Shape input) => BuildParameters(input);

    private void BuildParameters(Shape input)
    {
        if (IsBuilt)
            return;
        _ = OutputShape(input);
        OnBuild(input);
        InputShape = input;
    }

    /// <summary>Fills all parameters from the streams that belong to keys beginning with <paramref name="prefix"/>.</summary>
    internal void Initialize(long seed, string prefix)
    {
        foreach (LayerParameter parameter in _owned)
        {
            var rng = new Rng(seed, StreamOf(prefix + parameter.Name));
            if (parameter.Value.dtype == ScalarType.Float32 && parameter.Value.device_type == DeviceType.CPU && parameter.Value.is_contiguous())
            {
                Span<float> place = TensorMemory.Singles(parameter.Value);
                place.Clear();
                parameter.Initializer(place, parameter.Shape, rng); // in its place: a managed copy of a whole model would stay in the process's memory
                continue;
            }

            var values = new float[parameter.Shape.Elements];
            parameter.Initializer(values, parameter.Shape, rng);
            TensorMemory.Write(parameter.Value, values);
        }

        foreach ((string name, Layer child) in _children)
            child.Initialize(seed, $"{prefix}{name}.");
    }

    private void BeginStep(ulong key, ref ulong index)
    {
        OnBeginStep(Kernels.DropoutMask.LayerKey(key, index++));
        foreach ((_, Layer child) in _children)
            child.BeginStep(key, ref index);
        foreach ((_, Layer layer) in _attached)
            layer.BeginStep(key, ref index);
    }

    // FNV-1a, 64 bits: the same on every machine, unlike string.GetHashCode.
    private static long StreamOf(string key)
    {
        ulong hash = 14695981039346656037;
        foreach (char c in key)
            hash = (hash ^ c) * 1099511628211;
        return (long)hash;
    }

    private static string StartEngine()
    {
        LibTorch.Load();
        return "layer";
    }
}
