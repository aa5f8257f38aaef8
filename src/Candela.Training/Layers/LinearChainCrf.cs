using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>A linear-chain conditional random field over K tags: a path's score is the sum of its emissions, of the transitions between neighbours, and of its first and last tag's own. As a layer
/// it gives the log-partition, [T, K] -> one number, whose gradient by the emissions are the tags' marginal probabilities.
/// Keys <c>transitions</c> [from, to], <c>start_transitions</c> and <c>end_transitions</c> [K]. Source: Lafferty et al. 2001; as the top of a recurrent net Huang et al. 2015.</summary>
public sealed class LinearChainCrf : Layer
{
    private LayerParameter? _transitions, _start, _end;

    /// <inheritdoc/>
    public override string TypeId => "crf";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input)
    {
        if (input.Count != 2 || input[0] < 1)
            throw new ShapeException($"A CRF needs examples of two axes, [steps, tags], and a step or more; got {input}.");
        if (InputShape is { } built && built.Last != input.Last)
            throw new ShapeException($"The CRF was built for {built.Last} tags; got examples of {input}.");
        return [];
    }

    /// <summary>The forward recursion's additions and exponentials.</summary>
    /// <inheritdoc/>
    public override double Flops(Shape input) => 2.0 * input[0] * input[1] * input[1];

    /// <summary>The log of the summed exponentiated scores of all paths of each sequence.</summary>
    /// <param name="emissions">[N, T, K].</param>
    /// <param name="lengths">Real steps of each sequence, 1..T; those behind do not count, but must be finite.</param>
    /// <returns>[N], with gradients. Costs T steps of N x K x K.</returns>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    public Tensor LogPartition(Tensor emissions, ReadOnlySpan<int> lengths)
    {
        Check(emissions, lengths);
        using TensorScope scope = TensorScope.Begin();
        Tensor transitions = _transitions!.Value.unsqueeze(0);
        Tensor alpha = emissions.select(1, 0) + _start!.Value;
        int steps = (int)emissions.size(1);
        for (int t = 1; t < steps; t++)
        {
            Tensor next = (alpha.unsqueeze(2) + transitions).logsumexp(1) + emissions.select(1, t);
            alpha = Longer(lengths, t) is { } goesOn ? where(tensor(goesOn, [lengths.Length, 1]).to(emissions.device), next, alpha) : next;
        }

        return scope.Keep((alpha + _end!.Value).logsumexp(1));
    }

    /// <summary>The log-probability of the tags of each sequence; training lowers its negative.</summary>
    /// <param name="emissions">[N, T, K].</param>
    /// <param name="tags">N x T, row-major, each below K; those behind a sequence's end do not count.</param>
    /// <param name="lengths">Real steps of each sequence, 1..T.</param>
    /// <returns>[N], 0 or less, with gradients.</returns>
    /// <exception cref="ShapeException">The lengths or tags do not fit.</exception>
    public Tensor LogLikelihood(Tensor emissions, ReadOnlySpan<long> tags, ReadOnlySpan<int> lengths)
    {
        Check(emissions, lengths);
        int count = lengths.Length, steps = (int)emissions.size(1), kinds = (int)emissions.size(2);
        if (tags.Length != count * steps)
            throw new ShapeException($"A CRF over {count} x {steps} steps needs as many tags; got {tags.Length}.");
        using TensorScope scope = TensorScope.Begin();
        var real = new long[tags.Length];
        var mask = new float[tags.Length];
        var last = new long[count];
        var (moves, moveMask) = (new long[count * (steps - 1)], new float[count * (steps - 1)]);
        for (int n = 0; n < count; n++)
        {
            for (int t = 0; t < lengths[n]; t++)
            {
                int at = (n * steps) + t;
                if (tags[at] < 0 || tags[at] >= kinds)
                    throw new ShapeException($"A CRF of {kinds} tags got the tag {tags[at]} in sequence {n}, step {t}.");
                (real[at], mask[at]) = (tags[at], 1);
                if (t == 0)
                    continue;
                int move = (n * (steps - 1)) + t - 1;
                (moves[move], moveMask[move]) = ((tags[at - 1] * kinds) + tags[at], 1);
            }

            last[n] = tags[(n * steps) + lengths[n] - 1];
        }

        Tensor index = Index(real, emissions), first = index.view(count, steps).select(1, 0);
        Tensor picked = emissions.gather(2, index.view(count, steps, 1)).squeeze(2);
        Tensor score = (picked * Mask(mask, emissions).view(count, steps)).sum(1) + _start!.Value.index_select(0, first) + _end!.Value.index_select(0, Index(last, emissions));
        if (steps > 1)
            score = score + (_transitions!.Value.flatten().index_select(0, Index(moves, emissions)) * Mask(moveMask, emissions)).view(count, steps - 1).sum(1);
        return scope.Keep(score - LogPartition(emissions, lengths));
    }

    /// <summary>The sum of the log-likelihoods times a factor, with gradients, computed in managed code: for training steps. One number; its gradient flows as that of <see cref="LogLikelihood"/>.</summary>
    /// <param name="emissions">[N, T, K] of float32.</param>
    /// <param name="tags">As of <see cref="LogLikelihood"/>.</param>
    /// <param name="lengths">As of <see cref="LogLikelihood"/>.</param>
    /// <param name="factor">Multiplies value and gradient.</param>
    internal Tensor SummedLikelihood(Tensor emissions, ReadOnlySpan<long> tags, ReadOnlySpan<int> lengths, double factor)
    {
        Check(emissions, lengths);
        int steps = (int)emissions.size(1), kinds = (int)emissions.size(2);
        using TensorScope scope = TensorScope.Begin();
        Tensor[] parameters = [_transitions!.Value, _start!.Value, _end!.Value];
        var chain = new ChainMarginals(TensorMemory.Read(parameters[0]), TensorMemory.Read(parameters[1]), TensorMemory.Read(parameters[2]));
        float[] all = TensorMemory.Read(emissions), gradient = new float[all.Length];
        double sum = 0;
        for (int n = 0; n < lengths.Length; n++)
        {
            int from = n * steps * kinds, count = lengths[n] * kinds;
            sum += chain.Add(all.AsSpan(from, count), tags.Slice(n * steps, lengths[n]), gradient.AsSpan(from, count));
        }

        // A linear function of the scores with the likelihood's gradient, moved to the likelihood's value.
        Tensor linear = (emissions * tensor(gradient, emissions.shape).to(emissions.device)).sum();
        foreach ((Tensor parameter, float[] slope) in parameters.Zip([chain.TransitionGradient, chain.StartGradient, chain.EndGradient]))
            linear = linear + (parameter * tensor(slope, parameter.shape).to(parameter.device)).sum();
        return scope.Keep((linear - linear.detach() + sum) * factor);
    }

    /// <summary>The best path of each sequence (Viterbi). Of equally good ones the first by tag number from the end.</summary>
    /// <param name="emissions">[N, T, K].</param>
    /// <param name="lengths">Real steps of each sequence, 1..T.</param>
    /// <returns>Per sequence its tags, as many as its length. Costs N x T x K x K.</returns>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    public IReadOnlyList<int[]> Decode(Tensor emissions, ReadOnlySpan<int> lengths)
    {
        Check(emissions, lengths);
        int steps = (int)emissions.size(1), kinds = (int)emissions.size(2);
        float[] all = TensorMemory.Read(emissions), transitions = TensorMemory.Read(_transitions!.Value), start = TensorMemory.Read(_start!.Value), end = TensorMemory.Read(_end!.Value);
        var paths = new int[lengths.Length][];
        for (int n = 0; n < paths.Length; n++)
            paths[n] = Decode(all.AsSpan(n * steps * kinds, lengths[n] * kinds), transitions, start, end);
        return paths;
    }

    /// <inheritdoc/>
    protected override void OnBuild(Shape input)
    {
        Initializer uniform = Initializers.Uniform(-0.1, 0.1);
        _transitions = Parameter("transitions", [input.Last, input.Last], uniform, decays: false);
        _start = Parameter("start_transitions", [input.Last], uniform, decays: false);
        _end = Parameter("end_transitions", [input.Last], uniform, decays: false);
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input)
    {
        var lengths = new int[input.size(0)];
        lengths.AsSpan().Fill((int)input.size(1));
        return LogPartition(input, lengths);
    }

    private static int[] Decode(ReadOnlySpan<float> emissions, float[] transitions, float[] start, float[] end)
    {
        int kinds = start.Length, steps = emissions.Length / kinds;
        var (best, next) = (new double[kinds], new double[kinds]);
        var from = new int[steps * kinds];
        for (int k = 0; k < kinds; k++)
            best[k] = (double)start[k] + emissions[k];
        for (int t = 1; t < steps; t++)
        {
            for (int k = 0; k < kinds; k++)
            {
                int argument = 0;
                for (int j = 1; j < kinds; j++)
                {
                    if (best[j] + transitions[(j * kinds) + k] > best[argument] + transitions[(argument * kinds) + k])
                        argument = j;
                }

                next[k] = best[argument] + transitions[(argument * kinds) + k] + emissions[(t * kinds) + k];
                from[(t * kinds) + k] = argument;
            }

            (best, next) = (next, best);
        }

        int at = 0;
        for (int k = 1; k < kinds; k++)
        {
            if (best[k] + end[k] > best[at] + end[at])
                at = k;
        }

        var path = new int[steps];
        for (int t = steps - 1; t >= 0; t--)
        {
            path[t] = at;
            at = from[(t * kinds) + at];
        }

        return path;
    }

    // Null when all sequences have the step.
    private static bool[]? Longer(ReadOnlySpan<int> lengths, int step)
    {
        bool[]? mask = null;
        for (int n = 0; n < lengths.Length; n++)
        {
            if (lengths[n] > step)
                continue;
            if (mask is null)
                (mask = new bool[lengths.Length]).AsSpan().Fill(true);
            mask[n] = false;
        }

        return mask;
    }

    private static Tensor Index(long[] values, Tensor like) => tensor(values).to(like.device);

    private static Tensor Mask(float[] values, Tensor like) => tensor(values).to(like.dtype, like.device);

    private void Check(Tensor emissions, ReadOnlySpan<int> lengths)
    {
        if (emissions.dim() != 3 || emissions.size(1) < 1 || lengths.Length != emissions.size(0))
            throw new ShapeException($"A CRF needs emissions [sequences, steps, tags] and a length per sequence; got [{string.Join(", ", emissions.shape)}] and {lengths.Length} lengths.");
        foreach (int length in lengths)
        {
            if (length < 1 || length > emissions.size(1))
                throw new ShapeException($"A CRF needs lengths from 1 to {emissions.size(1)}; got {length}.");
        }

        if (!IsBuilt)
        {
            Build(Shape.OfExample(emissions));
            _ = this.to(emissions.device);
        }

        _ = OutputShape(Shape.OfExample(emissions));
    }
}
