using Candela.Data;
using Candela.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Tasks;

/// <summary>Shows what recurrent nets can and cannot remember: trains one on a <see cref="LongRangeProblem"/>, and measures how far back a gradient reaches.</summary>
public static class LongRangeTrial
{
    private const int StepsPerRound = 100, Judged = 1000;

    /// <summary>Trains a net and measures it on fresh sequences of full length.</summary>
    /// <param name="options">The problem, the net and the budget.</param>
    /// <param name="events">Told of each 100 steps: mean training loss.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="UsageException">An option is out of range.</exception>
    public static LongRangeOutcome Train(LongRangeOptions options, IProgress<TrainEvent>? events = null, CancellationToken cancellation = default)
    {
        if (options.Length < 2)
            throw new UsageException($"A length of {options.Length} was asked for; 2 is the least.");
        var plan = new TrainingPlan
        {
            Seed = options.Seed,
            Epochs = int.MaxValue,
            BatchSize = options.BatchSize,
            LearningRate = options.LearningRate,
            ClipNorm = options.ClipNorm,
            Ema = options.Ema,
            Threads = options.Threads,
        };
        LibTorch.SetThreads(plan.Threads);
        using var network = new LongRangeNetwork(options);
        network.Build([options.Length, LongRangeSource.WidthOf(options.Problem)], options.Seed);
        long began = TimeProvider.System.GetTimestamp();
        long steps = 0;
        using var trainable = new LongRangeTrainable(network);
        foreach (int length in Stages(options))
        {
            if (steps >= options.Steps)
                break;
            var train = new LongRangeSource(options.Problem, options.Curriculum ? (length + 1) / 2 : length, length, StepsPerRound * options.BatchSize, options.Seed + length);
            steps += TrainingLoop.Run(trainable, train, null, plan with { MaxSteps = options.Steps - steps, StopLoss = length == options.Length ? options.StopLoss : options.StageLoss }, new TrainingSession { Events = events, Cancellation = cancellation }).Steps;
        }

        double seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        var fresh = new LongRangeSource(options.Problem, options.Length, options.Length, Judged, ~options.Seed);
        return new LongRangeOutcome(steps, -trainable.Evaluate(fresh).Score!.Value, seconds);
    }

    // 10, 20, 50, 100, 200, 500, ... below the length, then the length.
    private static IEnumerable<int> Stages(LongRangeOptions options)
    {
        for (int ten = 10; options.Curriculum && ten < options.Length; ten *= 10)
            foreach (int stage in new[] { ten, 2 * ten, 5 * ten })
                if (stage < options.Length)
                    yield return stage;
        yield return options.Length;
    }

    /// <summary>How strongly the state at the end depends on each input: the norm of the gradient of a random direction of the last state with respect to the input so many steps before the
    /// end, relative to that of the last input, for a net with its first weights.</summary>
    /// <param name="net"><c>rnn</c>, <c>lstm</c> or <c>gru</c>.</param>
    /// <param name="distances">Steps before the end, 0 for the last input.</param>
    /// <param name="units">Numbers of the state.</param>
    /// <param name="memory">See <see cref="Recurrent.Memory"/>.</param>
    /// <param name="seed">Of weights, inputs and direction.</param>
    /// <returns>One ratio per distance.</returns>
    public static IReadOnlyList<double> GradientReach(string net, IReadOnlyList<int> distances, int units = 128, int memory = 0, long seed = 1)
    {
        const int Width = 8, Sequences = 8;
        using Recurrent layer = LongRangeNetwork.Make(net, units, memory, sequence: false);
        int steps = distances.Max() + 1;
        layer.Build([steps, Width], seed);
        using TensorScope scope = TensorScope.Begin();
        var rng = new Rng(seed, 3);
        float[] Gaussian(int count)
        {
            var values = new float[count];
            foreach (ref float value in values.AsSpan())
                value = (float)rng.NextGaussian();
            return values;
        }

        Tensor input = tensor(Gaussian(Sequences * steps * Width), [Sequences, steps, Width]).requires_grad_(true);
        (layer.call(input) * tensor(Gaussian(Sequences * units), [Sequences, units])).sum().backward();
        float[] norms = TensorMemory.Read(input.grad!.pow(2).sum([0, 2]).sqrt());
        return [.. distances.Select(d => (double)norms[steps - 1 - d] / norms[steps - 1])];
    }
}

/// <summary>A recurrent layer with a linear one on top.</summary>
internal sealed class LongRangeNetwork : Layer
{
    private readonly LongRangeProblem _problem;
    private readonly Recurrent _recurrent;
    private readonly Dense _head;

    public LongRangeNetwork(LongRangeOptions options)
    {
        _problem = options.Problem;
        _recurrent = Child("recurrent", Make(options.Net, options.Units, options.Memory, sequence: _problem == LongRangeProblem.Copy));
        _head = Child("head", new Dense(_problem == LongRangeProblem.Copy ? LongRangeSource.Kinds : 1));
    }

    /// <inheritdoc/>
    public override string TypeId => "long-range";

    public static Recurrent Make(string net, int units, int memory, bool sequence) => net switch
    {
        "rnn" => new Rnn(units, sequence: sequence),
        "lstm" => new Lstm(units, sequence: sequence, memory: memory),
        "gru" => new Gru(units, sequence: sequence, memory: memory),
        _ => throw new UsageException($"There is no recurrent net '{net}'.{NearestName.Hint(net, ["rnn", "lstm", "gru"])} Nets: rnn, lstm, gru."),
    };

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input) => _problem == LongRangeProblem.Copy ? [LongRangeSource.Symbols, LongRangeSource.Kinds] : [1];

    /// <inheritdoc/>
    protected override void OnBuild(Shape input)
    {
        BuildChild(_recurrent, input);
        BuildChild(_head, _recurrent.OutputShape(input));
    }

    // [N, T, F] -> [N, 1], or [N, 10, 8]
    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input)
    {
        Tensor states = _recurrent.call(input);
        return _head.call(_problem == LongRangeProblem.Copy ? states.narrow(1, states.size(1) - LongRangeSource.Symbols, LongRangeSource.Symbols) : states);
    }
}

/// <summary>The net as the training loop trains it.</summary>
internal sealed class LongRangeTrainable(LongRangeNetwork network) : ITrainable<LongRangeBatch>, IDisposable
{
    private const int EvaluationBatch = 100;
    private readonly FlatParameters _flat = new(network);

    public IReadOnlyList<ParameterSegment> Segments => _flat.Segments;

    public Span<float> Parameters => _flat.Values;

    public Span<float> Gradients => _flat.Gradients;

    public BatchLoss Differentiate(LongRangeBatch batch, long step, bool accumulate, double gradientScale)
    {
        using TensorScope scope = TensorScope.Begin();
        if (!accumulate)
            _flat.ZeroGradients();
        Tensor loss = Loss(batch, Outputs(batch));
        (gradientScale == 1 ? loss : loss * gradientScale).backward();
        return new BatchLoss((double)loss.ToSingle() * batch.Count, batch.Count);
    }

    /// <summary>The score is minus the squared error, or minus the share of wrong symbols.</summary>
    public ValidationResult Evaluate(IBatchSource<LongRangeBatch> rows)
    {
        BatchLoss total = default;
        long right = 0, symbols = 0;
        using IDisposable quiet = no_grad();
        foreach (LongRangeBatch batch in rows.Batches(new BatchPlan(EvaluationBatch)))
        {
            using TensorScope scope = TensorScope.Begin();
            Tensor outputs = Outputs(batch);
            total += new BatchLoss((double)Loss(batch, outputs).ToSingle() * batch.Count, batch.Count);
            if (batch.Recalled.Length == 0)
                continue;
            symbols += batch.Recalled.Length;
            right += outputs.argmax(2).eq(tensor(batch.Recalled, [batch.Count, LongRangeSource.Symbols])).sum().ToInt64();
        }

        return new ValidationResult(total.Mean, symbols == 0 ? -total.Mean : -(1 - ((double)right / symbols)));
    }

    public void Dispose() => _flat.Dispose();

    private Tensor Outputs(LongRangeBatch batch) => network.call(TensorMemory.FromSingles(batch.Inputs, batch.Count, batch.Steps, batch.Inputs.Length / (batch.Count * batch.Steps)));

    private static Tensor Loss(LongRangeBatch batch, Tensor outputs) => batch.Recalled.Length == 0
        ? nn.functional.mse_loss(outputs, tensor(batch.Sums, [batch.Count, 1]))
        : nn.functional.cross_entropy(outputs.view(-1, LongRangeSource.Kinds), tensor(batch.Recalled));
}
