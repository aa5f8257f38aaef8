using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Re-homes all trained tensors of a module, and their gradients, into two flat native buffers that the module's own tensors are views of, so an optimiser makes
/// one pass over plain memory. Weights that decay come first; each tensor starts on a 64-byte boundary, and the gaps stay 0.</summary>
/// <remarks>The module works as before; <c>backward()</c> adds into the flat gradients. Gradients must be zeroed in place (<see cref="ZeroGradients"/>), not set to null, and
/// the module must not be moved to another device or type while this is in use. Disposing leaves the module's values as they are and its gradients null.</remarks>
public sealed unsafe class FlatParameters : IDisposable
{
    private const int Alignment = 16; // floats in 64 bytes
    private readonly Tensor _values, _gradients;
    private readonly Tensor? _valuesOnHost, _gradientsOnHost;
    private readonly float* _valuePointer, _gradientPointer;
    private readonly List<Tensor> _gradientViews = [];
    private readonly int _length;

    /// <summary>Moves the module's parameters into flat buffers.</summary>
    /// <exception cref="ShapeException">A parameter is not float32, parameters are on several devices, there are none, or more than 2^31.</exception>
    public FlatParameters(nn.Module module)
    {
        TrainableParameter[] parameters = [.. TrainableParameter.Of(module).OrderBy(p => p.Decays ? 0 : 1)];
        if (parameters.Length == 0)
            throw new ShapeException($"{module.GetName()} has no trained parameters. A hand-written module must call RegisterComponents() at the end of its constructor, and lists of modules must be ModuleLists.");
        var segments = new List<ParameterSegment>();
        int offset = 0;
        foreach (TrainableParameter parameter in parameters)
        {
            if (parameter.Value.dtype != ScalarType.Float32 || parameter.Value.device_type != parameters[0].Value.device_type || parameter.Value.device_index != parameters[0].Value.device_index)
                throw new ShapeException($"Parameter {parameter.Key} is {parameter.Value.dtype} on {parameter.Value.device}; the trainer needs float32 parameters on one device ({parameters[0].Value.device}).");
            int length = checked((int)parameter.Value.numel()), padded = checked((length + Alignment - 1) / Alignment * Alignment);
            segments.Add(new ParameterSegment(offset, padded, parameter.Decays));
            offset = checked(offset + padded);
        }

        (Parameters, Segments, Device, _length) = (parameters, segments, parameters[0].Value.device, offset);
        _values = zeros(offset, ScalarType.Float32, Device).DetachFromDisposeScope();
        _gradients = zeros(offset, ScalarType.Float32, Device).DetachFromDisposeScope();
        using (TensorScope scope = TensorScope.Begin())
        using (no_grad())
        {
            for (int i = 0; i < parameters.Length; i++)
            {
                TorchSharp.Modules.Parameter parameter = parameters[i].Value;
                long[] shape = parameter.shape;
                Tensor home = _values.narrow(0, segments[i].Offset, parameter.numel()).view(shape);
                home.copy_(parameter);
                parameter.set_(home);
                Tensor gradient = scope.Release(_gradients.narrow(0, segments[i].Offset, parameter.numel()).view(shape));
                parameter.grad = gradient;
                _gradientViews.Add(gradient);
            }
        }

        if (Device.type != TorchSharp.DeviceType.CPU)
            (_valuesOnHost, _gradientsOnHost) = (_values.cpu().DetachFromDisposeScope(), _gradients.cpu().DetachFromDisposeScope());
        _valuePointer = (float*)TensorAddress.Of(_valuesOnHost ?? _values);
        _gradientPointer = (float*)TensorAddress.Of(_gradientsOnHost ?? _gradients);
    }

    /// <summary>The module's tensors in the order of <see cref="Segments"/>.</summary>
    public IReadOnlyList<TrainableParameter> Parameters { get; }

    /// <summary>Where each tensor lies, its gap included.</summary>
    public IReadOnlyList<ParameterSegment> Segments { get; }

    /// <summary>Where the module is.</summary>
    public Device Device { get; }

    /// <summary>All values. On the CPU they are the module's own memory; on another device a copy, see <see cref="Upload"/>.</summary>
    public Span<float> Values => new(_valuePointer, _length);

    /// <summary>All gradients. On another device than the CPU a copy, see <see cref="Download"/>.</summary>
    public Span<float> Gradients => new(_gradientPointer, _length);

    /// <summary>Sets all gradients to 0 in place.</summary>
    public void ZeroGradients()
    {
        Gradients.Clear();
        if (_gradientsOnHost is not null)
            _gradients.zero_();
    }

    /// <summary>Copies <see cref="Values"/> to the device; nothing to do on the CPU.</summary>
    public void Upload()
    {
        if (_valuesOnHost is not null)
            _values.copy_(_valuesOnHost);
    }

    /// <summary>Copies the gradients from the device; nothing to do on the CPU.</summary>
    public void Download() => _gradientsOnHost?.copy_(_gradients);

    /// <summary>Points the module's gradients at the flat buffer again where something (module.zero_grad, another optimiser) has replaced them: what a stray gradient tensor holds
    /// replaces that part of the buffer, and a missing gradient becomes 0. Costs some native calls per parameter.</summary>
    public void Reattach()
    {
        using TensorScope scope = TensorScope.Begin();
        using IDisposable quiet = no_grad();
        for (int i = 0; i < Parameters.Count; i++)
        {
            Tensor? present = Parameters[i].Value.grad;
            if (present is not null && Device.type == TorchSharp.DeviceType.CPU && TensorAddress.Of(present) == _gradientPointer + Segments[i].Offset)
                continue;
            if (present is not null)
                _gradientViews[i].copy_(present);
            else
                _gradientViews[i].zero_();
            Parameters[i].Value.grad = _gradientViews[i];
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (TrainableParameter parameter in Parameters)
            parameter.Value.grad = null;
        foreach (Tensor view in _gradientViews)
            view.Dispose();
        foreach (Tensor? tensor in new[] { _values, _gradients, _valuesOnHost, _gradientsOnHost })
            tensor?.Dispose();
    }
}
