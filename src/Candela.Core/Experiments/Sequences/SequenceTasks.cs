using Candela.Data;

namespace Candela.Experiments;

/// <summary>The ids of the tasks over sequences, as <c>--task</c> spells them.</summary>
public static class SequenceTasks
{
    /// <summary>Predict the next token.</summary>
    public const string LanguageModel = "language-model";

    /// <summary>Predict tokens that were hidden.</summary>
    public const string MaskedLanguageModel = "masked-language-model";

    /// <summary>Prefer one answer to another.</summary>
    public const string Preference = "preference";

    /// <summary>A tag for each token of a sentence.</summary>
    public const string TokenClassification = "token-classification";

    /// <summary>A text in another language.</summary>
    public const string Translation = "translation";

    /// <summary>A shorter text that says the same.</summary>
    public const string Summarization = "summarization";

    /// <summary>The next values of a series.</summary>
    public const string Forecast = "forecast";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> Ids { get; } = [LanguageModel, MaskedLanguageModel, Preference, TokenClassification, Translation, Summarization, Forecast];

    /// <summary>The id of a task over sequences, or null for one over a table's rows.</summary>
    public static string? IdOf(TaskKind task) => task switch
    {
        TaskKind.LanguageModel => LanguageModel,
        TaskKind.MaskedLanguageModel => MaskedLanguageModel,
        TaskKind.Preference => Preference,
        TaskKind.TokenClassification => TokenClassification,
        TaskKind.Translation => Translation,
        TaskKind.Summarization => Summarization,
        TaskKind.Forecast => Forecast,
        _ => null,
    };
}
