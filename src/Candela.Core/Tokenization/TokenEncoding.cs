namespace Candela.Tokenization;

/// <summary>What <see cref="Tokenizer.EncodeFull"/> gives: parallel lists, one entry a token.</summary>
public sealed record TokenEncoding
{
    /// <summary>The ids.</summary>
    public required int[] Ids { get; init; }

    /// <summary>The tokens as the vocabulary spells them.</summary>
    public required string[] Tokens { get; init; }

    /// <summary>0 for the first text, 1 for the second, as the post-processor says.</summary>
    public required int[] TypeIds { get; init; }

    /// <summary>True for tokens that the post-processor or the padding added.</summary>
    public required bool[] SpecialMask { get; init; }

    /// <summary>False for padding.</summary>
    public required bool[] AttentionMask { get; init; }

    /// <summary>Where the token starts in its original text, in UTF-16 units; 0 for tokens that stand for no text.</summary>
    public required int[] Starts { get; init; }

    /// <summary>How many UTF-16 units of the original text the token stands for; 0 for tokens that stand for no text.</summary>
    public required int[] Lengths { get; init; }

    /// <summary>Index of the pre-token (word) of its text that the token is part of; -1 for tokens that stand for no text.</summary>
    public required int[] Words { get; init; }

    /// <summary>Which text a token comes from: 0 the first, 1 the second, -1 none.</summary>
    public required int[] Sequences { get; init; }

    /// <summary>What truncation cut off, in windows of the same size that overlap by the stride; empty when nothing was cut.</summary>
    public IReadOnlyList<TokenEncoding> Overflowing { get; init; } = [];

    /// <summary>Number of tokens.</summary>
    public int Count => Ids.Length;
}
