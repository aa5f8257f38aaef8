using System.Numerics.Tensors;
using Candela.Classic.Linear;

namespace Candela.Classic.Sequences;

/// <summary>One training sentence: the features of each token and its tag.</summary>
internal sealed record ChainSentence(int[][] Features, int[] Tags);

/// <summary>Which parameters there are: a weight for each pair of a feature and a tag that occur together, then transitions [tags + 1, tags] whose last row is for the first token.</summary>
/// <param name="Starts">[features + 1]: where each feature's pairs start.</param>
/// <param name="PairTags">[pairs]: the tag of each pair.</param>
/// <param name="Tags">How many tags there are.</param>
internal sealed record ChainShape(int[] Starts, int[] PairTags, int Tags)
{
    public int Length => PairTags.Length + ((Tags + 1) * Tags);

    /// <summary>Adds up the scores of each tag at each token into <paramref name="emission"/> [length, tags].</summary>
    public void Score(int[][] features, ReadOnlySpan<double> weights, Span<double> emission)
    {
        emission.Clear();
        for (int i = 0; i < features.Length; i++)
        {
            Span<double> row = emission.Slice(i * Tags, Tags);
            foreach (int feature in features[i])
                for (int p = Starts[feature]; p < Starts[feature + 1]; p++)
                    row[PairTags[p]] += weights[p];
        }
    }
}

/// <summary>Minus the log-likelihood of a linear-chain conditional random field (Lafferty, McCallum and Pereira 2001), plus L2 / 2 times the squared norm. Forward and backward sums are scaled
/// per token (Rabiner 1989, section V.A). One evaluation takes tokens * (pairs per token + tags^2) steps.</summary>
internal sealed class ChainObjective : ISmoothObjective
{
    private readonly ChainSentence[] _sentences;
    private readonly ChainShape _shape;
    private readonly double _l2;
    private readonly double[] _observed;
    private readonly double[] _emission, _forward, _backward, _scale;

    public ChainObjective(ChainSentence[] sentences, ChainShape shape, double l2)
    {
        (_sentences, _shape, _l2) = (sentences, shape, l2);
        int longest = sentences.Max(s => s.Tags.Length), tags = shape.Tags;
        (_emission, _forward, _backward, _scale) = (new double[longest * tags], new double[longest * tags], new double[2 * tags], new double[longest]);
        _observed = new double[shape.Length];
        foreach (ChainSentence sentence in sentences)
            for (int i = 0; i < sentence.Tags.Length; i++)
            {
                foreach (int feature in sentence.Features[i])
                    for (int p = shape.Starts[feature]; p < shape.Starts[feature + 1]; p++)
                        _observed[p] += shape.PairTags[p] == sentence.Tags[i] ? 1 : 0;
                _observed[shape.PairTags.Length + ((i == 0 ? tags : sentence.Tags[i - 1]) * tags) + sentence.Tags[i]]++;
            }
    }

    public int Length => _shape.Length;

    public double Evaluate(double[] parameters, double[] gradient)
    {
        int pairs = _shape.PairTags.Length;
        TensorPrimitives.Negate<double>(_observed, gradient);
        var factor = new double[Length - pairs]; // exp of the transitions
        var edges = new double[factor.Length];   // expected transitions, not yet times their factor
        TensorPrimitives.Exp<double>(parameters.AsSpan(pairs), factor);
        double value = 0;
        foreach (ChainSentence sentence in _sentences)
            value += Add(sentence, parameters, factor, gradient, edges);
        TensorPrimitives.MultiplyAdd<double>(edges, factor, gradient.AsSpan(pairs), gradient.AsSpan(pairs));
        value -= TensorPrimitives.Dot<double>(parameters, _observed);
        TensorPrimitives.MultiplyAdd<double>(parameters, _l2, gradient, gradient);
        return value + (_l2 / 2 * TensorPrimitives.SumOfSquares<double>(parameters));
    }

    // The logarithm of the sum over all tag sequences; their expected feature counts go into the gradient.
    private double Add(ChainSentence sentence, double[] parameters, double[] factor, double[] gradient, double[] edges)
    {
        int length = sentence.Tags.Length, tags = _shape.Tags;
        Span<double> emission = _emission.AsSpan(0, length * tags);
        _shape.Score(sentence.Features, parameters, emission);
        double logarithm = 0;
        for (int i = 0; i < length; i++)
        {
            Span<double> potential = emission.Slice(i * tags, tags), forward = _forward.AsSpan(i * tags, tags);
            double top = TensorPrimitives.Max<double>(potential);
            TensorPrimitives.Subtract<double>(potential, top, potential);
            TensorPrimitives.Exp<double>(potential, potential);
            if (i == 0)
                factor.AsSpan(tags * tags).CopyTo(forward);
            else
            {
                forward.Clear();
                for (int s = 0; s < tags; s++)
                    TensorPrimitives.MultiplyAdd<double>(factor.AsSpan(s * tags, tags), _forward[((i - 1) * tags) + s], forward, forward);
            }

            TensorPrimitives.Multiply<double>(forward, potential, forward);
            _scale[i] = TensorPrimitives.Sum<double>(forward);
            TensorPrimitives.Divide<double>(forward, _scale[i], forward);
            logarithm += top + Math.Log(_scale[i]);
        }

        Span<double> backward = _backward.AsSpan(0, tags), weighted = _backward.AsSpan(tags);
        backward.Fill(1);
        for (int i = length - 1; i >= 0; i--)
        {
            Span<double> potential = emission.Slice(i * tags, tags), forward = _forward.AsSpan(i * tags, tags);
            TensorPrimitives.Multiply<double>(potential, backward, weighted);
            TensorPrimitives.Divide<double>(weighted, _scale[i], weighted);
            TensorPrimitives.Multiply<double>(forward, backward, forward); // from here the probability of each tag at this token
            foreach (int feature in sentence.Features[i])
                for (int p = _shape.Starts[feature]; p < _shape.Starts[feature + 1]; p++)
                    gradient[p] += forward[_shape.PairTags[p]];
            if (i == 0)
            {
                Span<double> first = edges.AsSpan(tags * tags);
                TensorPrimitives.Add<double>(first, weighted, first);
                break;
            }

            for (int s = 0; s < tags; s++)
            {
                Span<double> row = edges.AsSpan(s * tags, tags);
                TensorPrimitives.MultiplyAdd<double>(weighted, _forward[((i - 1) * tags) + s], row, row);
                backward[s] = TensorPrimitives.Dot<double>(factor.AsSpan(s * tags, tags), weighted);
            }
        }

        return logarithm;
    }
}
