namespace Candela.Decoding;

/// <summary>How a continuation is chosen and where it ends. The defaults sample from the model's own distribution.
/// Changes are applied in the order of Hugging Face's <c>generate</c>: bias, repetition, presence and frequency penalties, n-grams, banned sequences,
/// least length, suppressed tokens; then, when sampling, temperature, top-k, top-p, min-p, typical.</summary>
public sealed record GenerationOptions
{
    /// <summary>The most tokens generated, at least 1. The context may end sooner. Default 128.</summary>
    public int MaxTokens { get; init; } = 128;

    /// <summary>Tokens before which no end token is chosen and no stop string is heeded. Default 0.</summary>
    public int MinTokens { get; init; }

    /// <summary>Divides the logits, 0 or more; 0 is greedy: the likeliest token, of equals the lowest id. Default 1. Beam search does not sample and ignores this and the filters.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Sample among the k likeliest tokens only; of equals the lowest ids. 0, the default, is all.</summary>
    public int TopK { get; init; }

    /// <summary>Sample among the smallest set of likeliest tokens whose probability reaches this (Holtzman et al. 2020), above 0. Default 1: all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Sample among the tokens at least this many times as likely as the likeliest (Nguyen et al. 2024), 0 to 1. Default 0: all.</summary>
    public double MinP { get; init; }

    /// <summary>Sample among the tokens whose surprisal is nearest the entropy, until their probability reaches this (Meister et al. 2022), above 0. Default 1: all.</summary>
    public double TypicalP { get; init; } = 1;

    /// <summary>Divides positive and multiplies negative logits of every token of the prompt and the text so far (Keskar et al. 2019), above 0. Default 1: none.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Taken once off the logit of every token generated so far (OpenAI's definition; the prompt does not count). Default 0.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>Taken off the logit of every token once for each time it was generated so far (OpenAI's definition; the prompt does not count). Default 0.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>Added to the logits of these ids before anything else; negative infinity bans. Default none.</summary>
    public IReadOnlyDictionary<int, float> LogitBias { get; init; } = new Dictionary<int, float>();

    /// <summary>No run of this many tokens occurs twice in prompt and text together. Default 0: off.</summary>
    public int NoRepeatNgram { get; init; }

    /// <summary>Runs of ids that are never completed ("bad words"). Default none.</summary>
    public IReadOnlyList<int[]> BannedSequences { get; init; } = [];

    /// <summary>Ids that are never chosen. Default none.</summary>
    public IReadOnlyList<int> SuppressedTokens { get; init; } = [];

    /// <summary>Beams of the beam search; 1, the default, is greedy or sampling.</summary>
    public int Beams { get; init; } = 1;

    /// <summary>How many of the beams' results are returned, 1 to <see cref="Beams"/>. Default 1.</summary>
    public int BestOfBeams { get; init; } = 1;

    /// <summary>Beams are ranked by sum of log-probabilities / length^this; above 0 favours longer text. Default 1.</summary>
    public double LengthPenalty { get; init; } = 1;

    /// <summary>When beam search may stop. Default <see cref="BeamStopping.Heuristic"/>.</summary>
    public BeamStopping BeamStopping { get; init; }

    /// <summary>Strings that end the text, found across token borders, ordinal; the text is cut before the one completed first. They need a tokenizer. Default none.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>Ids that end the text besides the tokenizer's end-of-text token. Default none.</summary>
    public IReadOnlyList<int> StopTokens { get; init; } = [];

    /// <summary>True when the tokenizer's end-of-text token is a token like any other. Default false.</summary>
    public bool IgnoreEndOfText { get; init; }

    /// <summary>Seed of the sampling; the same seed, prompt, model and machine give the same tokens. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>How many of the likeliest tokens are reported at each step with their log-probabilities, under the model's own distribution. Default 0.</summary>
    public int TopLogProbabilities { get; init; }

    /// <summary>Checks every value for a model of <paramref name="vocabularySize"/> ids.</summary>
    /// <exception cref="UsageException">A value is out of its range; the message names it.</exception>
    public void Validate(int vocabularySize)
    {
        Require(MaxTokens >= 1, nameof(MaxTokens), MaxTokens, "at least 1");
        Require(MinTokens >= 0, nameof(MinTokens), MinTokens, "0 or more");
        Require(Temperature >= 0 && double.IsFinite(Temperature), nameof(Temperature), Temperature, "0 (greedy) or more");
        Require(TopK >= 0, nameof(TopK), TopK, "0 (all) or more");
        Require(TopP > 0, nameof(TopP), TopP, "above 0; 1 is all");
        Require(MinP is >= 0 and <= 1, nameof(MinP), MinP, "0 to 1");
        Require(TypicalP > 0, nameof(TypicalP), TypicalP, "above 0; 1 is all");
        Require(RepetitionPenalty > 0 && double.IsFinite(RepetitionPenalty), nameof(RepetitionPenalty), RepetitionPenalty, "above 0; 1 is none");
        Require(double.IsFinite(PresencePenalty), nameof(PresencePenalty), PresencePenalty, "a finite number");
        Require(double.IsFinite(FrequencyPenalty), nameof(FrequencyPenalty), FrequencyPenalty, "a finite number");
        Require(NoRepeatNgram >= 0, nameof(NoRepeatNgram), NoRepeatNgram, "0 (off) or more");
        Require(Beams >= 1, nameof(Beams), Beams, "at least 1");
        Require(BestOfBeams >= 1 && BestOfBeams <= Beams, nameof(BestOfBeams), BestOfBeams, $"1 to the number of beams, {Beams}");
        Require(double.IsFinite(LengthPenalty), nameof(LengthPenalty), LengthPenalty, "a finite number");
        Require(TopLogProbabilities >= 0, nameof(TopLogProbabilities), TopLogProbabilities, "0 or more");
        foreach ((int id, float bias) in LogitBias)
        {
            RequireId(nameof(LogitBias), id, vocabularySize);
            Require(bias < float.PositiveInfinity, nameof(LogitBias), bias, "a number, or negative infinity to ban a token");
        }

        foreach (int id in SuppressedTokens)
            RequireId(nameof(SuppressedTokens), id, vocabularySize);
        foreach (int id in StopTokens)
            RequireId(nameof(StopTokens), id, vocabularySize);
        foreach (int[] run in BannedSequences)
        {
            if (run.Length == 0)
                throw new UsageException($"{nameof(BannedSequences)}: an empty run of tokens was given; each needs at least one id.");
            foreach (int id in run)
                RequireId(nameof(BannedSequences), id, vocabularySize);
        }

        foreach (string stop in StopStrings)
            if (stop.Length == 0)
                throw new UsageException($"{nameof(StopStrings)}: an empty string was given; leave it out, or give one with a character.");
    }

    private static void Require(bool holds, string name, object value, string needed)
    {
        if (!holds)
            throw new UsageException(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{name}: {value} was given; needed is {needed}."));
    }

    private static void RequireId(string name, int id, int vocabularySize)
    {
        if ((uint)id >= (uint)vocabularySize)
            throw new UsageException($"{name}: token id {id} was given; the model's ids are 0 to {vocabularySize - 1}.");
    }
}
