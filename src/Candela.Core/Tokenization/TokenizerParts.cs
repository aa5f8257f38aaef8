namespace Candela.Tokenization;

/// <summary>Everything a <see cref="Tokenizer"/> is made of.</summary>
internal sealed record TokenizerParts
{
    /// <summary>The file or source, for messages.</summary>
    public required string Name { get; init; }

    public required TokenModel Model { get; init; }

    public Normalizer? Normalizer { get; init; }

    public PreTokenizer? PreTokenizer { get; init; }

    public PostProcessor? PostProcessor { get; init; }

    public TokenDecoder? Decoder { get; init; }

    public IReadOnlyList<AddedToken> AddedTokens { get; init; } = [];

    public TruncationOptions? Truncation { get; init; }

    public PaddingOptions? Padding { get; init; }

    public int? BosId { get; init; }

    public int? EosId { get; init; }

    public int? PadId { get; init; }

    public int? UnknownId { get; init; }

    /// <summary>The text of the Jinja template that makes a prompt of messages.</summary>
    public string? ChatTemplateText { get; init; }
}

/// <summary>How long encodings are cut.</summary>
internal sealed record TruncationOptions(int MaxLength, int Stride = 0, string Strategy = "LongestFirst", string Direction = "Right");

/// <summary>How short encodings are filled up: to a fixed length, or (null) to the longest of a batch, so that one encoding alone is padded only to the multiple.</summary>
internal sealed record PaddingOptions(int? Length, string Direction = "Right", int? MultipleOf = null, int PadId = 0, int PadTypeId = 0, string PadToken = "[PAD]");
