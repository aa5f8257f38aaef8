namespace Candela.Language;

/// <summary>What to read from a file of tagged sentences.</summary>
public sealed record TaggedCorpusOptions
{
    /// <summary>The column of the tags: a number from 0 (negative ones count from the last, -1), or for CoNLL-U a name (<c>id form lemma upos xpos feats head deprel deps misc</c>). Default: the
    /// last column of a column file, <c>upos</c> of CoNLL-U.</summary>
    public string? TagColumn { get; init; }

    /// <summary>The column of the tokens, given like <see cref="TagColumn"/>. Default: 0 of a column file, <c>form</c> of CoNLL-U.</summary>
    public string? TokenColumn { get; init; }

    /// <summary>Whether tokens carry their place in the word as a number at their end (<c>科0 技1</c>), which is then cut off. Default (null): yes when every token of the file is a text and a
    /// number, each sentence starts at 0, and at least 99 % of the tokens are one character with a number that is 0 or one more than the number before. Only for column files.</summary>
    public bool? NumberedTokens { get; init; }

    /// <summary>Whether only tokens are wanted, as for prediction: tags are not looked at (each token stands in for its own), and a file may have one column. Default false.</summary>
    public bool TokensOnly { get; init; }
}
