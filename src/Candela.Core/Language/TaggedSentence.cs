namespace Candela.Language;

/// <summary>One sentence (or message) with one tag per token.</summary>
public sealed record TaggedSentence
{
    /// <summary>Creates the sentence.</summary>
    /// <param name="tokens">Its words or characters, in order.</param>
    /// <param name="tags">As many tags.</param>
    /// <exception cref="DataException">The two lists differ in length.</exception>
    public TaggedSentence(IReadOnlyList<string> tokens, IReadOnlyList<string> tags)
    {
        if (tokens.Count != tags.Count)
            throw new DataException($"A tagged sentence of {tokens.Count} tokens has {tags.Count} tags; one tag per token was needed.");
        (Tokens, Tags) = (tokens, tags);
    }

    /// <summary>Words or characters, in order.</summary>
    public IReadOnlyList<string> Tokens { get; }

    /// <summary>The tag of each token: a part of speech, or a span tag such as <c>B-PER</c>.</summary>
    public IReadOnlyList<string> Tags { get; }
}
