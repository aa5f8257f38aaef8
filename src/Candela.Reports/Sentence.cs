namespace Candela.Reports;

/// <summary>Words put together.</summary>
internal static class Sentence
{
    /// <summary>The text with a capital at its start.</summary>
    public static string Upper(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
