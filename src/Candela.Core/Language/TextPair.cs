namespace Candela.Language;

/// <summary>A text and what is to be made of it: its translation, its summary.</summary>
/// <param name="Source">What is given.</param>
/// <param name="Target">What is wanted.</param>
public sealed record TextPair(string Source, string Target);
