using System.Text.Json.Nodes;
using Candela.Training.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Recurrent nets over sequences, [T, F] -> [T, units] (2 x units when bidirectional: forwards, then backwards): <see cref="Rnn"/>, <see cref="Lstm"/>, <see cref="Gru"/>. Stacked layers
/// read the outputs of the layer below, with dropout between them. Keys as in torch.nn.LSTM: <c>weight_ih_l0</c> [gates x units, F], <c>weight_hh_l0</c> [gates x units, units], <c>bias_ih_l0</c>,
/// <c>bias_hh_l0</c>, with <c>_reverse</c> behind for the backward direction. Weights begin uniform in +-1/sqrt(units).</summary>
public abstract class Recurrent : Layer
{
    private readonly List<LayerParameter[]> _runs = []; // layer by layer, forwards before backwards
    private readonly string _function;
    private readonly int _gates;
    private ulong _key, _calls;

    private protected Recurrent(string function, int gates, int units, int layers, bool bidirectional, double dropout, bool bias, bool sequence, int memory = 0)
    {
        if (units < 1 || layers < 1)
            throw new UsageException($"{GetType().Name} needs units and layers of 1 or more; got {units} and {layers}.");
        if (!(dropout >= 0 && dropout < 1))
            throw new UsageException($"{GetType().Name} needs a dropout from 0 up to but not 1; got {dropout}.");
        if (memory is not (0 or >= 3) || (memory > 0 && !bias))
            throw new UsageException($"{GetType().Name} needs a memory of 0 (none) or 3 steps or more, and offsets for it; got {memory}{(bias ? "" : " without offsets")}.");
        Memory = memory;
        (_function, _gates, Units, Layers, Bidirectional, DropoutProbability, HasBias, GivesSequence) = (function, gates, units, layers, bidirectional, dropout, bias, sequence);
    }

    /// <summary>Numbers of the state, per direction.</summary>
    public int Units { get; }

    /// <summary>Layers on top of each other.</summary>
    public int Layers { get; }

    /// <summary>Whether each layer also reads from the end.</summary>
    public bool Bidirectional { get; }

    /// <summary>Share of the numbers between two layers set to 0 in training.</summary>
    public double DropoutProbability { get; }

    /// <summary>Whether offsets are trained.</summary>
    public bool HasBias { get; }

    /// <summary>True gives the outputs at every step; false only the last state of the top layer, [units], which for the backward direction is that at the first step.</summary>
    public bool GivesSequence { get; }

    /// <inheritdoc/>
    public sealed override string TypeId => _function;

    /// <summary>Steps over which the first weights keep what the state holds, at the longest; 0 for PyTorch's first weights. The offsets of the gates that keep are then log(u), u uniform in
    /// [1, memory - 1], so that the units' time constants cover all spans up to it (chrono initialisation: Tallec and Ollivier 2018, section 2).</summary>
    public int Memory { get; }

    private int OutputWidth => Bidirectional ? 2 * Units : Units;

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input)
    {
        if (input.Count != 2)
            throw new ShapeException($"{GetType().Name}({Units}) needs examples of two axes, [steps, width]; got {input}.");
        if (InputShape is { } built && built.Last != input.Last)
            throw new ShapeException($"{GetType().Name}({Units}) was built for examples of width {built.Last}; got {input}.");
        return GivesSequence ? input.WithLast(OutputWidth) : [OutputWidth];
    }

    /// <summary>The products with the weights.</summary>
    /// <inheritdoc/>
    public override double Flops(Shape input)
    {
        double perStep = 0;
        for (int layer = 0; layer < Layers; layer++)
            perStep += 2.0 * _gates * Units * ((layer == 0 ? input.Last : OutputWidth) + Units) * (Bidirectional ? 2 : 1);
        return input[0] * perStep;
    }

    /// <summary>Runs over sequences of different lengths in one batch: padding changes neither direction's outputs at the real steps, and the outputs at padding are 0.</summary>
    /// <param name="input">[N, T, F]; what stands behind a sequence's end does not matter as long as it is finite.</param>
    /// <param name="lengths">Real steps of each sequence, 1..T.</param>
    /// <returns>[N, T, units] (or 2 x units), or without <see cref="GivesSequence"/> the state after each one's last real step.</returns>
    /// <exception cref="ShapeException">There are not as many lengths as sequences, or one is out of range.</exception>
    public Tensor Run(Tensor input, ReadOnlySpan<int> lengths)
    {
        long steps = input.dim() == 3 ? input.size(1) : 0;
        if (input.dim() != 3 || lengths.Length != input.size(0))
            throw new ShapeException($"{GetType().Name} needs [sequences, steps, width] and a length per sequence; got [{string.Join(", ", input.shape)}] and {lengths.Length} lengths.");
        bool full = true;
        foreach (int length in lengths)
        {
            if (length < 1 || length > steps)
                throw new ShapeException($"{GetType().Name} needs lengths from 1 to {steps}; got {length}.");
            full &= length == steps;
        }

        if (full)
            return call(input);
        if (!IsBuilt)
        {
            Build(Shape.OfExample(input));
            _ = this.to(input.device);
        }

        _ = OutputShape(Shape.OfExample(input));
        using var real = new RealSteps(lengths, steps, input);
        return RunAll(input, real);
    }

    /// <inheritdoc/>
    protected override void OnBuild(Shape input)
    {
        double bound = 1 / Math.Sqrt(Units);
        Initializer uniform = Initializers.Uniform(-bound, bound);
        _runs.Clear();
        for (int layer = 0; layer < Layers; layer++)
        {
            foreach (string end in Bidirectional ? ["", "_reverse"] : (string[])[""])
            {
                List<LayerParameter> run =
                [
                    Parameter($"weight_ih_l{layer}{end}", [_gates * Units, layer == 0 ? input.Last : OutputWidth], uniform, decays: true),
                    Parameter($"weight_hh_l{layer}{end}", [_gates * Units, Units], uniform, decays: true),
                ];
                if (HasBias)
                {
                    run.Add(Parameter($"bias_ih_l{layer}{end}", [_gates * Units], Memory > 0 ? Chrono : uniform, decays: false));
                    run.Add(Parameter($"bias_hh_l{layer}{end}", [_gates * Units], Memory > 0 ? Initializers.Zeros : uniform, decays: false));
                }

                _runs.Add([.. run]);
            }
        }
    }

    // An LSTM's input gates (block 0) are the mirror of its forget gates (block 1); a GRU's update gate (block 1) is both. All other offsets are 0.
    private void Chrono(Span<float> values, Shape shape, Rng rng)
    {
        values.Clear();
        for (int unit = 0; unit < Units; unit++)
        {
            float keep = (float)Math.Log(1 + ((Memory - 2) * rng.NextDouble()));
            values[Units + unit] = keep;
            if (_function == "lstm")
                values[unit] = -keep;
        }
    }

    /// <inheritdoc/>
    protected override void OnBeginStep(ulong key) => (_key, _calls) = (key, 0);

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => RunAll(input, null);

    private Tensor RunAll(Tensor input, RealSteps? real)
    {
        Tensor at = input;
        for (int layer = 0; layer < Layers; layer++)
        {
            Tensor next = RunLayer(at, layer, real);
            if (training && DropoutProbability > 0 && layer < Layers - 1)
            {
                Tensor dropped = Dropout.Apply(next, DropoutProbability, DropoutMask.CallKey(_key, ++_calls));
                next.Dispose();
                next = dropped;
            }

            if (!ReferenceEquals(at, input))
                at.Dispose();
            at = next;
        }

        if (!GivesSequence)
        {
            Tensor last = Last(at, real);
            at.Dispose();
            return last;
        }

        if (real is null)
            return at;
        Tensor masked = at.mul(real.Mask);
        at.Dispose();
        return masked;
    }

    // Padding lies behind the sequences, so the forward direction meets it too late to matter; the backward one reads each sequence turned around, its padding still behind.
    private Tensor RunLayer(Tensor input, int layer, RealSteps? real)
    {
        Tensor forwards = RunDirection(input, Bidirectional ? 2 * layer : layer);
        if (!Bidirectional)
            return forwards;
        using Tensor turned = Turn(input, real), outputs = RunDirection(turned, (2 * layer) + 1), backwards = Turn(outputs, real);
        Tensor both = cat([forwards, backwards], 2);
        forwards.Dispose();
        return both;
    }

    private Tensor RunDirection(Tensor input, int run) => RecurrentOp.Run(_function, input, Units, Array.ConvertAll(_runs[run], p => (Tensor)p.Value));

    private static Tensor Turn(Tensor x, RealSteps? real)
    {
        if (real is null)
            return x.flip(1);
        using Tensor index = real.Turned.expand(-1, -1, x.size(2));
        return x.gather(1, index);
    }

    private Tensor Last(Tensor outputs, RealSteps? real)
    {
        using Tensor ends = real is null ? outputs.select(1, outputs.size(1) - 1) : Ends(outputs, real);
        if (!Bidirectional)
            return ends.clone();
        using Tensor starts = outputs.select(1, 0), forwards = ends.narrow(1, 0, Units), backwards = starts.narrow(1, Units, Units);
        return cat([forwards, backwards], 1);
    }

    private static Tensor Ends(Tensor outputs, RealSteps real)
    {
        using Tensor index = real.Ends.expand(-1, -1, outputs.size(2)), picked = outputs.gather(1, index);
        return picked.squeeze(1);
    }

    internal override void WriteOptions(JsonObject options)
    {
        options["units"] = Units;
        options["layers"] = Layers;
        options["bidirectional"] = Bidirectional;
        options["dropout"] = DropoutProbability;
        options["bias"] = HasBias;
        options["sequence"] = GivesSequence;
        if (Memory > 0)
            options["memory"] = Memory;
    }

    /// <summary>Indices and mask of sequences of different lengths.</summary>
    private sealed class RealSteps : IDisposable
    {
        public RealSteps(ReadOnlySpan<int> lengths, long steps, Tensor like)
        {
            var turned = new long[lengths.Length * steps];
            var ends = new long[lengths.Length];
            var mask = new float[turned.Length];
            for (int n = 0; n < lengths.Length; n++)
            {
                ends[n] = lengths[n] - 1;
                for (int t = 0; t < steps; t++)
                {
                    bool isReal = t < lengths[n];
                    turned[(n * steps) + t] = isReal ? lengths[n] - 1 - t : t;
                    mask[(n * steps) + t] = isReal ? 1 : 0;
                }
            }

            using TensorScope scope = TensorScope.Begin();
            Turned = scope.Release(tensor(turned, [lengths.Length, steps, 1]).to(like.device));
            Ends = scope.Release(tensor(ends, [lengths.Length, 1, 1]).to(like.device));
            Mask = scope.Release(tensor(mask, [lengths.Length, steps, 1]).to(like.dtype, like.device));
        }

        /// <summary>[N, T, 1]: each sequence from its end, padding in its place.</summary>
        public Tensor Turned { get; }

        /// <summary>[N, 1, 1]: the last real step.</summary>
        public Tensor Ends { get; }

        /// <summary>[N, T, 1]: 1 at real steps, else 0.</summary>
        public Tensor Mask { get; }

        public void Dispose()
        {
            Turned.Dispose();
            Ends.Dispose();
            Mask.Dispose();
        }
    }
}
