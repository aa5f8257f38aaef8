namespace Candela.Metrics;

/// <summary>A span of tokens with a type.</summary>
/// <param name="Type">What follows the prefix: <c>PER</c> of <c>B-PER</c>; <c>_</c> of a bare <c>B</c>.</param>
/// <param name="Start">Index of its first token.</param>
/// <param name="Length">Tokens, 1 or more.</param>
public readonly record struct TaggedSpan(string Type, int Start, int Length);
