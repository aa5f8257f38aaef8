namespace Candela.Language;

/// <summary>Gives the source back as it is: what a translation or a summary must at least beat.</summary>
public sealed class CopyBaseline : ITextBaseline
{
    /// <inheritdoc/>
    public string Name => "copy";

    /// <inheritdoc/>
    public string Describe => "the source as it is";

    /// <summary>Learns nothing.</summary>
    /// <inheritdoc/>
    public void Train(IReadOnlyList<TextPair> pairs, CancellationToken cancellation = default)
    {
    }

    /// <inheritdoc/>
    public string Apply(string source) => source;
}
