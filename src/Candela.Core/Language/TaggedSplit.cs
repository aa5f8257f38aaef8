namespace Candela.Language;

/// <summary>Two disjoint parts of a corpus, each in the corpus's order.</summary>
/// <param name="Train">The larger part, usually.</param>
/// <param name="Held">The sentences held out.</param>
public sealed record TaggedSplit(IReadOnlyList<TaggedSentence> Train, IReadOnlyList<TaggedSentence> Held);
