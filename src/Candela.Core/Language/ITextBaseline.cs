namespace Candela.Language;

/// <summary>A simple way from a source text to a target text, against which a trained network is judged.</summary>
public interface ITextBaseline
{
    /// <summary>Its short name, such as <c>lead</c>.</summary>
    string Name { get; }

    /// <summary>What it does, in a few words, with what it learnt; after <see cref="Train"/> for those that learn.</summary>
    string Describe { get; }

    /// <summary>Learns what it needs.</summary>
    /// <param name="pairs">Training pairs, at least one.</param>
    /// <param name="cancellation">Ends the training.</param>
    /// <exception cref="DataException">There is no pair, or none that can be used.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    void Train(IReadOnlyList<TextPair> pairs, CancellationToken cancellation = default);

    /// <summary>The target it gives for a source; safe from several threads once trained.</summary>
    /// <param name="source">Any text.</param>
    string Apply(string source);
}
