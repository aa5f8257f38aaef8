namespace Candela.Tokenization;

/// <summary>How a byte-level BPE vocabulary is learnt.</summary>
public sealed record BpeTrainingOptions
{
    /// <summary>Most tokens, special ones and the 256 bytes included; at least 256 + the special ones. Fewer come of it when pairs run out. Default 8192.</summary>
    public int VocabularySize { get; init; } = 8192;

    /// <summary>A pair is joined only when it occurs at least so often. Default 2.</summary>
    public int MinFrequency { get; init; } = 2;

    /// <summary>Control tokens, which take the first ids. Default: <c>&lt;|endoftext|&gt;</c>, which is BOS and EOS.</summary>
    public IReadOnlyList<string> SpecialTokens { get; init; } = ["<|endoftext|>"];

    /// <summary>The regular expression whose matches are the pieces that tokens never cross. Default null: GPT-2's.</summary>
    public string? Pattern { get; init; }
}

/// <summary>How a WordPiece vocabulary is learnt.</summary>
public sealed record WordPieceTrainingOptions
{
    /// <summary>Most tokens, special ones included. Default 8192.</summary>
    public int VocabularySize { get; init; } = 8192;

    /// <summary>A pair is joined only when it occurs at least so often. Default 2.</summary>
    public int MinFrequency { get; init; } = 2;

    /// <summary>Whether text is lower-cased and stripped of accents. Default true.</summary>
    public bool Lowercase { get; init; } = true;

    /// <summary>Most different characters kept, the most frequent ones; words with others become <c>[UNK]</c>. Default 1000, as in Hugging Face's BERT trainer.</summary>
    public int MaxAlphabet { get; init; } = 1000;

    /// <summary>Control tokens, which take the first ids; <c>[UNK]</c>, <c>[CLS]</c> and <c>[SEP]</c> must be among them. Default: BERT's five.</summary>
    public IReadOnlyList<string> SpecialTokens { get; init; } = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
}

/// <summary>How a Unigram vocabulary is learnt.</summary>
public sealed record UnigramTrainingOptions
{
    /// <summary>Most tokens, special ones included; all characters of the text are kept even if they are more. Default 8192.</summary>
    public int VocabularySize { get; init; } = 8192;

    /// <summary>Longest token in UTF-16 characters. Default 16.</summary>
    public int MaxTokenLength { get; init; } = 16;

    /// <summary>Candidates to start from: all characters and the substrings with the largest frequency times length. Default 1,000,000.</summary>
    public int SeedSize { get; init; } = 1_000_000;

    /// <summary>Share of the candidates that one pruning keeps, above 0 and below 1. Default 0.75.</summary>
    public double ShrinkingFactor { get; init; } = 0.75;

    /// <summary>EM iterations between prunings. Default 2.</summary>
    public int Iterations { get; init; } = 2;

    /// <summary>Control tokens, which take the first ids; the first of them is the unknown token. Default: <c>&lt;unk&gt;</c>, <c>&lt;s&gt;</c>, <c>&lt;/s&gt;</c>.</summary>
    public IReadOnlyList<string> SpecialTokens { get; init; } = ["<unk>", "<s>", "</s>"];
}

/// <summary>How a vocabulary of characters is made.</summary>
public sealed record CharacterTrainingOptions
{
    /// <summary>Characters rarer than this are unknown. Default 1.</summary>
    public int MinFrequency { get; init; } = 1;

    /// <summary>Control tokens, which take the first ids. Default: none.</summary>
    public IReadOnlyList<string> SpecialTokens { get; init; } = [];

    /// <summary>What stands for characters that are not in the vocabulary; one of <see cref="SpecialTokens"/>. Default null: they are left out.</summary>
    public string? UnknownToken { get; init; }
}
