using Candela.Data;

namespace Candela.Experiments;

/// <summary>The ids of the tasks over sequences, as <c>--task</c> spells them.</summary>
public static class SequenceTasks
{
    /// <summary>Predict the next token.</summary>
    public const string LanguageModel = "language-model";

    /// <summary>A label for every token.</summary>
    public const string TokenClassification = "token-classification";

    /// <summary>A text in one language to a text in another.</summary>
    public const string Translation = "translation";

    /// <summary>A text to a shorter one.</summary>
    public const string Summarization = "summarization";

    /// <summary>The next values of a series.</summary>
    public const string Forecast = "forecast";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> Ids { get; } = [LanguageModel, TokenClassification, Translation, Summarization, Forecast];

    /// <summary>The id of a task over sequences, or null for one over a table's rows.</summary>
    public static string? IdOf(TaskKind task) => task switch
    {
        TaskKind.LanguageModel => LanguageModel,
        TaskKind.TokenClassification => TokenClassification,
        TaskKind.Translation => Translation,
        TaskKind.Summarization => Summarization,
        TaskKind.Forecast => Forecast,
        _ => null,
    };
}
