namespace Candela.Decoding;

/// <summary>Chooses the next token from logits by <see cref="GenerationOptions"/>: processors in order, then the likeliest token (temperature 0) or a draw. Takes about 30 bytes an id of the vocabulary, once. One thread at a time.</summary>
public sealed class TokenSampler
{
    private readonly ILogitsProcessor[] _processors;
    private readonly ILogitsWarper[] _warpers;
    private readonly TokenCandidates? _candidates;
    private readonly Rng _rng;

    /// <summary>Builds the chain.</summary>
    /// <param name="options">Checked against the vocabulary here.</param>
    /// <param name="vocabularySize">The model's number of logits.</param>
    /// <param name="endTokens">Ids that end the text; <see cref="GenerationOptions.MinTokens"/> bans them at first.</param>
    /// <param name="tokens">The tokenizer's vocabulary; ids from here on are never chosen.</param>
    public TokenSampler(GenerationOptions options, int vocabularySize, IReadOnlyList<int> endTokens, int tokens = int.MaxValue)
    {
        options.Validate(vocabularySize);
        _processors = [.. ProcessorsOf(options, vocabularySize, endTokens, tokens)];
        _warpers = [.. WarpersOf(options)];
        _rng = new Rng(options.Seed, stream: 0x67656E);
        if (options.Temperature > 0 && options.Beams == 1)
            _candidates = new TokenCandidates(vocabularySize);
    }

    /// <summary>True when logits are changed before the choice.</summary>
    internal bool HasProcessors => _processors.Length > 0;

    /// <summary>The next token.</summary>
    /// <param name="tokens">The prompt and what was generated.</param>
    /// <param name="promptLength">How many of them are the prompt.</param>
    /// <param name="logits">The model's logits; changed in place.</param>
    /// <exception cref="EngineException">A logit is NaN or positive infinity.</exception>
    /// <exception cref="UsageException">The options ban every token.</exception>
    public int Next(ReadOnlySpan<int> tokens, int promptLength, Span<float> logits)
    {
        Process(tokens, promptLength, logits);
        if (_candidates is null)
            return LogProbability.Greedy(logits);
        _candidates.Load(logits);
        foreach (ILogitsWarper warper in _warpers)
            warper.Warp(_candidates);
        return Draw(_candidates, _rng.NextDouble());
    }

    /// <summary>Applies the processors only, as beam search does to log-probabilities.</summary>
    internal void Process(ReadOnlySpan<int> tokens, int promptLength, Span<float> logits)
    {
        foreach (ILogitsProcessor processor in _processors)
            processor.Process(tokens, promptLength, logits);
    }

    /// <summary>The candidate at which the running sum of probabilities passes <paramref name="uniform"/>, in [0, 1).</summary>
    internal static int Draw(TokenCandidates candidates, double uniform)
    {
        Span<float> weights = candidates.Weights(out double total);
        double left = uniform * total;
        int last = 0;
        for (int i = 0; i < weights.Length; i++)
        {
            if (weights[i] == 0)
                continue;
            last = i;
            left -= weights[i];
            if (left < 0)
                break;
        }

        return candidates.Ids[last];
    }

    private static IEnumerable<ILogitsProcessor> ProcessorsOf(GenerationOptions options, int vocabularySize, IReadOnlyList<int> endTokens, int tokens)
    {
        if (options.LogitBias.Count > 0)
            yield return new LogitBias(options.LogitBias);
        if (options.RepetitionPenalty != 1)
            yield return new RepetitionPenalty(options.RepetitionPenalty);
        if (options.PresencePenalty != 0 || options.FrequencyPenalty != 0)
            yield return new PresenceFrequencyPenalty(options.PresencePenalty, options.FrequencyPenalty);
        if (options.NoRepeatNgram > 0)
            yield return new NoRepeatNgram(options.NoRepeatNgram);
        if (options.BannedSequences.Count > 0)
            yield return new BannedSequences(options.BannedSequences);
        if (options.MinTokens > 0 && endTokens.Count > 0)
            yield return new MinimumTokens(options.MinTokens, endTokens);
        if (options.SuppressedTokens.Count > 0 || tokens < vocabularySize)
            yield return new SuppressedTokens(options.SuppressedTokens, tokens);
    }

    private static IEnumerable<ILogitsWarper> WarpersOf(GenerationOptions options)
    {
        if (options.Temperature is not (0 or 1))
            yield return new Temperature(options.Temperature);
        if (options.TopK > 0)
            yield return new TopK(options.TopK);
        if (options.TopP < 1)
            yield return new TopP(options.TopP);
        if (options.MinP > 0)
            yield return new MinP(options.MinP);
        if (options.TypicalP < 1)
            yield return new Typical(options.TypicalP);
    }
}
