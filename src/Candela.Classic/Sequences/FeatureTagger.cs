using Candela.Classic.Linear;
using Candela.Language;

namespace Candela.Classic.Sequences;

/// <summary>A tagger of tokens without a neural network: a linear-chain conditional random field over written-down features, trained by L-BFGS. The baseline any token classification
/// has to beat. The same data and options give the same tagger. Immutable and safe from several threads.</summary>
/// <remarks>Lafferty, McCallum and Pereira 2001; features are those common for part-of-speech and entity tagging (Ratnaparkhi 1996; Sha and Pereira 2003). A feature has a weight for the tags it was
/// seen with. Verified: gradient by finite differences, decoding and likelihood by enumeration.</remarks>
public sealed partial class FeatureTagger
{
    private const int Period = 10;
    private const double LeastDecrease = 1e-4;

    private readonly string[] _names;
    private readonly Dictionary<string, int> _numbers;
    private readonly ChainShape _shape;
    private readonly double[] _weights;

    private FeatureTagger(TokenTemplates templates, string[] tags, string[] names, ChainShape shape, double[] weights)
    {
        (Templates, Tags, _names, _shape, _weights) = (templates, tags, names, shape, weights);
        _numbers = new Dictionary<string, int>(names.Length, StringComparer.Ordinal);
        for (int i = 0; i < names.Length; i++)
            _numbers.TryAdd(names[i], i);
    }

    /// <summary>The features it reads; never <see cref="TokenTemplates.Auto"/>.</summary>
    public TokenTemplates Templates { get; }

    /// <summary>The tags it can give, in ordinal order.</summary>
    public IReadOnlyList<string> Tags { get; }

    /// <summary>Weights of features and transitions.</summary>
    public int ParameterCount => _weights.Length;

    /// <summary>Trains a tagger.</summary>
    /// <param name="sentences">Tagged sentences; empty ones are passed over.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellation">Ends the training with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="DataException">There is no tagged token.</exception>
    /// <exception cref="UsageException">An option is out of its range.</exception>
    public static FeatureTagger Train(IReadOnlyList<TaggedSentence> sentences, FeatureTaggerOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new FeatureTaggerOptions();
        if (options.MinimumCount < 1 || options.MaxIterations < 1 || !(options.L2 > 0 && double.IsFinite(options.L2)))
            throw new UsageException($"MinimumCount {options.MinimumCount}, MaxIterations {options.MaxIterations}, L2 {options.L2}: the first two must be 1 or more, the last above 0.");
        TaggedSentence[] kept = [.. sentences.Where(s => s.Tokens.Count > 0)];
        if (kept.Length == 0)
            throw new DataException("There is no tagged token to train a tagger on; sentences with tokens and tags were needed.");

        TokenTemplates templates = options.Templates == TokenTemplates.Auto ? TokenFeatures.Choose(kept.Select(s => s.Tokens)) : options.Templates;
        string[] tags = [.. kept.SelectMany(s => s.Tags).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        var (names, examples) = Number(kept, templates, tags, options.MinimumCount);
        ChainShape shape = ShapeOf(examples, names.Length, tags.Length);
        var weights = new double[shape.Length];
        var values = new List<double>();
        Lbfgs.Minimise(new ChainObjective(examples, shape, options.L2), weights, tolerance: 1e-6, options.MaxIterations, (iteration, value) =>
        {
            cancellation.ThrowIfCancellationRequested();
            options.Progress?.Invoke(iteration, value);
            values.Add(value);
            return values.Count <= Period || values[^(Period + 1)] - value > LeastDecrease * Math.Abs(value);
        });
        for (int i = 0; i < weights.Length; i++)
            weights[i] = (float)weights[i]; // as they are saved
        return new FeatureTagger(templates, tags, names, shape, weights);
    }

    /// <summary>The most probable tags of a sentence.</summary>
    /// <param name="tokens">Its tokens, parted as those of training.</param>
    /// <returns>One tag per token.</returns>
    public string[] Tag(IReadOnlyList<string> tokens)
    {
        var lookup = _numbers.GetAlternateLookup<ReadOnlySpan<char>>();
        int[][] features = TokenFeatures.Of(tokens, Templates, name => lookup.TryGetValue(name, out int number) ? number : -1);
        var emission = new double[tokens.Count * Tags.Count];
        _shape.Score(features, _weights, emission);
        return Array.ConvertAll(Viterbi.Best(emission, _weights.AsSpan(_shape.PairTags.Length), Tags.Count), t => Tags[t]);
    }

    private static (string[] Names, ChainSentence[] Examples) Number(TaggedSentence[] sentences, TokenTemplates templates, string[] tags, int minimum)
    {
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        var lookup = numbers.GetAlternateLookup<ReadOnlySpan<char>>();
        var (names, counts) = (new List<string>(), new List<int>());
        var examples = new ChainSentence[sentences.Length];
        for (int i = 0; i < sentences.Length; i++)
        {
            int[][] features = TokenFeatures.Of(sentences[i].Tokens, templates, name =>
            {
                if (!lookup.TryGetValue(name, out int number))
                {
                    string text = name.ToString();
                    numbers[text] = number = names.Count;
                    names.Add(text);
                    counts.Add(0);
                }

                counts[number]++;
                return number;
            });
            examples[i] = new ChainSentence(features, [.. sentences[i].Tags.Select(tag => Array.BinarySearch(tags, tag, StringComparer.Ordinal))]);
        }

        if (minimum == 1)
            return ([.. names], examples);
        var place = new int[names.Count];
        var kept = new List<string>();
        for (int n = 0; n < place.Length; n++)
        {
            place[n] = counts[n] >= minimum ? kept.Count : -1;
            if (place[n] >= 0)
                kept.Add(names[n]);
        }

        return ([.. kept], Array.ConvertAll(examples, e => e with { Features = Array.ConvertAll(e.Features, f => f.Select(n => place[n]).Where(n => n >= 0).ToArray()) }));
    }

    private static ChainShape ShapeOf(ChainSentence[] examples, int features, int tags)
    {
        var seen = new HashSet<long>();
        foreach (ChainSentence example in examples)
            for (int i = 0; i < example.Tags.Length; i++)
                foreach (int feature in example.Features[i])
                    seen.Add(((long)feature * tags) + example.Tags[i]);
        long[] pairs = [.. seen];
        Array.Sort(pairs);
        var starts = new int[features + 1];
        foreach (long pair in pairs)
            starts[(pair / tags) + 1]++;
        for (int f = 0; f < features; f++)
            starts[f + 1] += starts[f];
        return new ChainShape(starts, Array.ConvertAll(pairs, pair => (int)(pair % tags)), tags);
    }
}
