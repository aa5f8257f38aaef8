using System.Numerics.Tensors;

namespace Candela.Training;

/// <summary>Log-likelihoods of a linear-chain CRF and their gradients by forward and backward sums in managed code, scaled per step (Rabiner 1989, section V.A): some hundred native calls per batch fewer
/// than by autograd. Verified against it.</summary>
internal sealed class ChainMarginals
{
    private readonly int _tags;
    private readonly double[] _moves, _start, _end; // exp of the transitions
    private readonly double _highest; // taken off the transitions

    /// <param name="transitions">[tags, tags], from and to.</param>
    /// <param name="start">[tags].</param>
    /// <param name="end">[tags].</param>
    public ChainMarginals(float[] transitions, float[] start, float[] end)
    {
        _tags = start.Length;
        _highest = Math.Max(TensorPrimitives.Max<float>(transitions), Math.Max(TensorPrimitives.Max<float>(start), TensorPrimitives.Max<float>(end)));
        double[] Factor(float[] values) => Array.ConvertAll(values, v => Math.Exp(v - _highest));
        (_moves, _start, _end) = (Factor(transitions), Factor(start), Factor(end));
        (Transitions, Start, End) = (transitions, start, end);
        (TransitionGradient, StartGradient, EndGradient) = (new float[transitions.Length], new float[_tags], new float[_tags]);
    }

    /// <summary>The derivatives of the sum of the log-likelihoods added so far, as the transitions are laid out.</summary>
    public float[] TransitionGradient { get; }

    /// <summary>Those of the first tag's own scores.</summary>
    public float[] StartGradient { get; }

    /// <summary>Those of the last tag's.</summary>
    public float[] EndGradient { get; }

    private float[] Transitions { get; }

    private float[] Start { get; }

    private float[] End { get; }

    /// <summary>Adds a sequence.</summary>
    /// <param name="emissions">[steps, tags].</param>
    /// <param name="path">Its tags, one per step.</param>
    /// <param name="gradient">[steps, tags]: the derivatives by the emissions are written here.</param>
    /// <returns>The log-likelihood.</returns>
    public double Add(ReadOnlySpan<float> emissions, ReadOnlySpan<long> path, Span<float> gradient)
    {
        int steps = path.Length, tags = _tags;
        double[] potential = new double[steps * tags], forward = new double[steps * tags], scale = new double[steps];
        double logarithm = (steps + 1) * _highest;
        for (int t = 0; t < steps; t++)
        {
            ReadOnlySpan<float> emission = emissions.Slice(t * tags, tags);
            Span<double> own = potential.AsSpan(t * tags, tags), now = forward.AsSpan(t * tags, tags);
            float top = TensorPrimitives.Max(emission);
            for (int k = 0; k < tags; k++)
                own[k] = Math.Exp(emission[k] - top);
            if (t == 0)
                _start.CopyTo(now);
            else
                for (int s = 0; s < tags; s++)
                    TensorPrimitives.MultiplyAdd(_moves.AsSpan(s * tags, tags), forward[((t - 1) * tags) + s], now, now);
            TensorPrimitives.Multiply(now, own, now);
            scale[t] = TensorPrimitives.Sum<double>(now);
            TensorPrimitives.Divide(now, scale[t], now);
            logarithm += top + Math.Log(scale[t]);
        }

        Span<double> backward = new double[tags], weighted = new double[tags];
        double last = TensorPrimitives.Dot<double>(forward.AsSpan(^tags), _end);
        logarithm += Math.Log(last);
        TensorPrimitives.Divide(_end, last, backward);
        double score = Start[path[0]] + End[path[^1]];
        for (int k = 0; k < tags; k++)
            EndGradient[k] -= (float)(forward[((steps - 1) * tags) + k] * backward[k]);
        EndGradient[path[^1]]++;
        StartGradient[path[0]]++;
        for (int t = steps - 1; t >= 0; t--)
        {
            Span<double> now = forward.AsSpan(t * tags, tags);
            for (int k = 0; k < tags; k++)
                gradient[(t * tags) + k] = (float)-(now[k] * backward[k]);
            gradient[(t * tags) + (int)path[t]]++;
            score += emissions[(t * tags) + (int)path[t]];
            if (t == 0)
                break;
            TensorPrimitives.Multiply<double>(potential.AsSpan(t * tags, tags), backward, weighted);
            TensorPrimitives.Divide(weighted, scale[t], weighted);
            for (int s = 0; s < tags; s++)
            {
                ReadOnlySpan<double> moves = _moves.AsSpan(s * tags, tags);
                double before = forward[((t - 1) * tags) + s];
                for (int k = 0; k < tags; k++)
                    TransitionGradient[(s * tags) + k] -= (float)(before * moves[k] * weighted[k]);
                backward[s] = TensorPrimitives.Dot(moves, weighted);
            }

            TransitionGradient[((int)path[t - 1] * tags) + (int)path[t]]++;
            score += Transitions[((int)path[t - 1] * tags) + (int)path[t]];
        }

        for (int k = 0; k < tags; k++)
            StartGradient[k] -= (float)(forward[k] * backward[k]);
        return score - logarithm;
    }
}
