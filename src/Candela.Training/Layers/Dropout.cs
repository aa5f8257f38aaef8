using System.Text.Json.Nodes;
using Candela.Training.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>In training mode sets each number to zero with a probability and scales the others by 1 / (1 - probability); in evaluation mode does nothing.
/// The mask is a pure function of <see cref="Layer.BeginStep(long, long)"/>'s seed and step and of how often the layer was called since. Source: Srivastava et al. 2014.</summary>
public sealed class Dropout : Layer
{
    private ulong _key;
    private ulong _calls;

    /// <summary>Creates it.</summary>
    /// <param name="probability">Of dropping a number, 0 (nothing) up to but not 1.</param>
    public Dropout(double probability)
    {
        if (!(probability >= 0 && probability < 1))
            throw new UsageException($"Dropout needs a probability from 0 up to but not 1; got {probability}.");
        Probability = probability;
    }

    /// <summary>Of dropping a number.</summary>
    public double Probability { get; }

    /// <inheritdoc/>
    public override string TypeId => "dropout";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input) => input;

    /// <inheritdoc/>
    protected override void OnBeginStep(ulong key) => (_key, _calls) = (key, 0);

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input)
    {
        if (Probability == 0 || !training)
            return input.alias();
        return Apply(input, Probability, NextKey());
    }

    /// <summary>The key of the next call's mask, for one that makes the mask elsewhere; 0 where nothing is dropped.</summary>
    internal ulong NextKey() => Probability == 0 || !training ? 0 : DropoutMask.CallKey(_key, ++_calls);

    /// <summary>The input with the mask of a key on it.</summary>
    internal static Tensor Apply(Tensor input, double probability, ulong callKey)
    {
        Tensor mask = empty(input.shape, ScalarType.Float32);
        DropoutMask.Fill(TensorMemory.Singles(mask), probability, callKey);
        if (input.dtype != ScalarType.Float32 || input.device_type != DeviceType.CPU)
            mask = mask.to(input.dtype, input.device, disposeAfter: true);
        Tensor output = input.mul(mask);
        mask.Dispose();
        return output;
    }

    internal override void WriteOptions(JsonObject options) => options["probability"] = Probability;
}
