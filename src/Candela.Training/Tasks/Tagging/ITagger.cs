namespace Candela.Training.Tasks;

/// <summary>A net that tags the tokens of sentences.</summary>
internal interface ITagger : IDisposable
{
    /// <summary>The tags it can give.</summary>
    IReadOnlyList<string> Tags { get; }

    /// <summary>Trained numbers.</summary>
    long ParameterCount { get; }

    /// <summary>The best tags of each sentence.</summary>
    IReadOnlyList<IReadOnlyList<string>> Tag(IReadOnlyList<IReadOnlyList<string>> sentences);

    /// <summary>Writes the model's files into an existing folder.</summary>
    void Save(string folder);
}

/// <summary>What came of training a tagger.</summary>
/// <param name="Tagger">The caller disposes it.</param>
/// <param name="Outcome">How training went.</param>
/// <param name="Model">The kind of net.</param>
/// <param name="From">What it was trained from, as the end of a sentence.</param>
/// <param name="Chosen">The settings, by recipe key.</param>
internal sealed record TrainedTagger(ITagger Tagger, TrainingOutcome Outcome, string Model, string From, IReadOnlyDictionary<string, string> Chosen);
