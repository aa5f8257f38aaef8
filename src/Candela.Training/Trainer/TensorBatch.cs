using Candela.Data;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Turns <see cref="FeatureBatch"/> rows into tensors, in native buffers that are made once and used again: <see cref="Fill"/> replaces what the tensors of
/// the batch before showed.</summary>
public sealed unsafe class TensorBatch : IDisposable
{
    private readonly FeatureLayout _layout;
    private readonly Device _device;
    private readonly int _capacity;
    private readonly Tensor? _denseBuffer, _tokenBuffer;
    private readonly float* _dense;
    private readonly long* _tokens;
    private readonly Tensor _valueBuffer, _labelBuffer;
    private readonly float* _values;
    private readonly long* _labels;
    private readonly List<Tensor> _views = [], _moved = [];
    private Tensor? _denseView, _tokenView, _valueView, _labelView;
    private bool _labelled;

    /// <summary>Makes buffers for batches of at most <paramref name="capacity"/> rows.</summary>
    /// <param name="layout">What each row holds.</param>
    /// <param name="capacity">Rows, at least 1.</param>
    /// <param name="device">Where the tensors are used; null for the CPU (no copy).</param>
    public TensorBatch(FeatureLayout layout, int capacity, Device? device = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        LibTorch.Load();
        (_layout, _capacity, _device) = (layout, capacity, device ?? CPU);
        if (layout.DenseWidth > 0)
            _dense = (float*)Make(ScalarType.Float32, [capacity, .. layout.DenseShape.Select(size => (long)size)], out _denseBuffer);
        if (layout.TokenLength > 0)
            _tokens = (long*)Make(ScalarType.Int64, [capacity, layout.TokenLength], out _tokenBuffer);
        _values = (float*)Make(ScalarType.Float32, [capacity, 1], out _valueBuffer);
        _labels = (long*)Make(ScalarType.Int64, [capacity], out _labelBuffer);
    }

    /// <summary>Rows filled in.</summary>
    public int Count { get; private set; }

    /// <summary>Dense features, [Count, ...DenseShape], or null when the layout has none. Owned by this batch.</summary>
    public Tensor? Dense { get; private set; }

    /// <summary>Token ids, int64 [Count, TokenLength], or null. Owned by this batch.</summary>
    public Tensor? Tokens { get; private set; }

    /// <summary>The network's input: the tokens where there are some, else the dense features.</summary>
    /// <exception cref="ShapeException">The layout has neither.</exception>
    public Tensor Inputs => Tokens ?? Dense ?? throw new ShapeException("The rows have neither dense features nor tokens, so there is no input tensor; sparse n-gram rows are for the linear models.");

    /// <summary>Copies a batch in.</summary>
    /// <exception cref="ShapeException">More rows than the capacity.</exception>
    public void Fill(FeatureBatch batch)
    {
        if (batch.Count > _capacity)
            throw new ShapeException($"The tensor batch has room for {_capacity} rows; got {batch.Count}.");
        int rows = batch.Count;
        if (rows != Count || _views.Count == 0)
            Reshape(rows);
        if (_dense != null)
            batch.Dense.AsSpan(0, rows * _layout.DenseWidth).CopyTo(new Span<float>(_dense, rows * _layout.DenseWidth));
        if (_tokens != null)
            Widen(batch.Tokens.AsSpan(0, rows * _layout.TokenLength), _tokens);
        _labelled = batch.Labels.Length > 0;
        if (_labelled)
        {
            Widen(batch.Labels.AsSpan(0, rows), _labels);
            for (int i = 0; i < rows; i++)
                _values[i] = batch.Labels[i];
        }
        else if (batch.Targets.Length > 0)
        {
            batch.Targets.AsSpan(0, rows).CopyTo(new Span<float>(_values, rows));
        }

        if (_device.type == TorchSharp.DeviceType.CPU)
            return;
        foreach (Tensor old in _moved)
            old.Dispose();
        _moved.Clear();
        (Dense, Tokens) = (Move(_denseView), Move(_tokenView));
    }

    /// <summary>Targets as a loss wants them: values (regression targets, or labels 0 and 1 as numbers) [Count, 1]; class indices, int64 [Count]; or one-hot rows [Count, classes].</summary>
    /// <param name="form">What the loss takes.</param>
    /// <param name="classes">Width of one-hot rows.</param>
    /// <exception cref="DataException">Class indices were asked for and the rows have no labels.</exception>
    public Tensor Targets(TargetForm form, long classes = 0)
    {
        if (form != TargetForm.Values && !_labelled)
            throw new DataException("The loss needs class labels; the rows have numbers as targets.");
        Tensor targets = form == TargetForm.Values ? _valueView! : _labelView!;
        if (_device.type != TorchSharp.DeviceType.CPU)
            targets = Move(targets)!;
        return form == TargetForm.Distribution ? nn.functional.one_hot(targets, classes).to(ScalarType.Float32) : targets;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor tensor in _views.Concat(_moved))
            tensor.Dispose();
        _views.Clear();
        _moved.Clear();
        foreach (Tensor? tensor in new[] { _denseBuffer, _tokenBuffer, _valueBuffer, _labelBuffer })
            tensor?.Dispose();
    }

    private void Reshape(int rows)
    {
        foreach (Tensor view in _views)
            view.Dispose();
        _views.Clear();
        Count = rows;
        (_denseView, _tokenView, _valueView, _labelView) = (View(_denseBuffer), View(_tokenBuffer), View(_valueBuffer), View(_labelBuffer));
        (Dense, Tokens) = (_denseView, _tokenView);

        Tensor? View(Tensor? buffer)
        {
            if (buffer is null)
                return null;
            Tensor view = buffer.narrow(0, 0, rows).DetachFromDisposeScope();
            _views.Add(view);
            return view;
        }
    }

    private Tensor? Move(Tensor? view)
    {
        if (view is null)
            return null;
        Tensor moved = view.to(_device).DetachFromDisposeScope();
        _moved.Add(moved);
        return moved;
    }

    private static void Widen(ReadOnlySpan<int> from, long* to)
    {
        for (int i = 0; i < from.Length; i++)
            to[i] = from[i];
    }

    private static void* Make(ScalarType type, long[] shape, out Tensor tensor)
    {
        tensor = zeros(shape, type).DetachFromDisposeScope();
        return TensorAddress.Of(tensor);
    }
}

internal static unsafe class TensorAddress
{
    /// <summary>The first byte of a contiguous CPU tensor's memory; it does not move while the tensor lives.</summary>
    public static void* Of(Tensor tensor) => System.Runtime.CompilerServices.Unsafe.AsPointer(ref System.Runtime.InteropServices.MemoryMarshal.GetReference(tensor.bytes));
}
