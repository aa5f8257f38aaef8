using Candela.Data;

namespace Candela.Experiments;

/// <summary>The ids of the tasks over sequences, as <c>--task</c> spells them.</summary>
public static class SequenceTasks
{
    /// <summary>Predict the next token.</summary>
    public const string LanguageModel = "language-model";

    /// <summary>A tag for each token of a sentence.</summary>
    public const string TokenClassification = "token-classification";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> Ids { get; } = [LanguageModel, TokenClassification];

    /// <summary>The id of a task over sequences, or null for one over a table's rows.</summary>
    public static string? IdOf(TaskKind task) => task switch
    {
        TaskKind.LanguageModel => LanguageModel,
        TaskKind.TokenClassification => TokenClassification,
        _ => null,
    };
}
