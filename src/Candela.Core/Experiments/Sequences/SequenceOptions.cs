namespace Candela.Experiments;

/// <summary>What training on text and sequences is asked for, beside what every training has. Null leaves the choice to the task, which records what it chose.</summary>
public sealed record SequenceOptions
{
    /// <summary>A Hugging Face or run folder whose weights training starts from; null starts from random ones.</summary>
    public string? Base { get; init; }

    /// <summary><c>char</c>, <c>bpe</c>, or the path of a tokenizer. Null: the base's, else by the task and the size of the text.</summary>
    public string? Tokenizer { get; init; }

    /// <summary>Tokens of a vocabulary that is trained here.</summary>
    public int? Vocabulary { get; init; }

    /// <summary>Layers of a net from scratch.</summary>
    public int? Layers { get; init; }

    /// <summary>Attention heads of each layer.</summary>
    public int? Heads { get; init; }

    /// <summary>Numbers per token in the net.</summary>
    public int? Width { get; init; }

    /// <summary>Tokens a training sequence has at the most; also the context of a net from scratch.</summary>
    public int? Block { get; init; }

    /// <summary>Steps between evaluations; null leaves it to the task.</summary>
    public int? EvaluateEvery { get; init; }

    /// <summary>Rank of low-rank adapters (LoRA) that are trained instead of the base's own weights; null for none.</summary>
    public int? LoraRank { get; init; }

    /// <summary>An adapter's update counts alpha / rank times; null for twice the rank.</summary>
    public double? LoraAlpha { get; init; }

    /// <summary>Dropout of what adapters read, 0 to below 1; null for none.</summary>
    public double? LoraDropout { get; init; }

    /// <summary>Matrices that get adapters, by the last parts of their names; null for the attention projections.</summary>
    public IReadOnlyList<string>? LoraTargets { get; init; }

    /// <summary>Whether only the last norm and the output matrix are trained.</summary>
    public bool? HeadOnly { get; init; }

    /// <summary>Numbers inside the feed-forward half of a block, of a net from scratch; null for what suits its kind.</summary>
    public int? FeedForward { get; init; }

    /// <summary>Whether blocks keep their inputs alone and run again on the way back: less memory, more time.</summary>
    public bool? CheckpointActivations { get; init; }

    /// <summary><c>fp32</c>, <c>bf16</c> (matrix products in bfloat16, all else float32) or <c>auto</c>: bf16 on CUDA, else fp32. Null means auto.</summary>
    public string? Precision { get; init; }

    /// <summary>Of preferences: how strongly the model is held to its base, above 0; null for 0.1.</summary>
    public double? Beta { get; init; }

    /// <summary>The column or key that holds the texts to be translated or summarised; null for the usual names.</summary>
    public string? Source { get; init; }

    /// <summary>A file whose lines are the targets of the data's lines; null when the data holds both.</summary>
    public string? TargetFile { get; init; }

    /// <summary>The same of the validation file; null for the file whose name differs as the targets' does.</summary>
    public string? ValidTargetFile { get; init; }

    /// <summary>The same of the test file.</summary>
    public string? TestTargetFile { get; init; }

    /// <summary>Texts kept at each step when the trained model writes; 1 takes the likeliest token every time.</summary>
    public int? Beams { get; init; }

    /// <summary>Forecasts: the column of times; null takes the only column of dates, else rows count as equal steps.</summary>
    public string? Time { get; init; }

    /// <summary>Forecasts: the column that names the series a row belongs to; null for one series.</summary>
    public string? Group { get; init; }

    /// <summary>Forecasts: steps ahead.</summary>
    public int? Horizon { get; init; }

    /// <summary>Forecasts: past steps that are looked at.</summary>
    public int? Window { get; init; }

    /// <summary>Forecasts: steps of a season, 1 for none; null looks for one.</summary>
    public int? Season { get; init; }

    /// <summary>Whether a masked language model also learns whether one text follows another; null where the text has documents.</summary>
    public bool? NextSentence { get; init; }
}
