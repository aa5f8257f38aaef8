namespace Candela.Language;

/// <summary>What a model made of one example.</summary>
/// <param name="Prediction">The likeliest choice, or the generated text.</param>
/// <param name="IsRight">Whether that is right: the right choice, or an exact match after normalisation.</param>
/// <param name="Score">1 or 0 for choices; token F1 for texts.</param>
public sealed record FewShotOutcome(string Prediction, bool IsRight, double Score)
{
    /// <summary>Log-probability of each choice; empty for texts.</summary>
    public IReadOnlyList<double> LogProbabilities { get; init; } = [];

    /// <summary>Whether the choice with the highest log-probability per UTF-8 byte is right; for texts as <see cref="IsRight"/>.</summary>
    public bool IsRightPerByte { get; init; }
}
