using Candela.Language;

namespace Candela.Training.Tasks;

/// <summary>A tagger that is not a net, which the report puts beside it.</summary>
public interface IReferenceTagger
{
    /// <summary>Its name in the report.</summary>
    string Name { get; }

    /// <summary>Trains it; afterwards <see cref="Tag"/> may be called.</summary>
    /// <param name="sentences">The sentences the net is trained on.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>Trained numbers.</returns>
    long Train(IReadOnlyList<TaggedSentence> sentences, CancellationToken cancellation);

    /// <summary>One tag per token.</summary>
    IReadOnlyList<string> Tag(IReadOnlyList<string> tokens);
}
