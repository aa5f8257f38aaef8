namespace Candela.Data;

/// <summary>What is predicted.</summary>
public enum TaskKind
{
    /// <summary>A number.</summary>
    Regression,

    /// <summary>One of two classes.</summary>
    Binary,

    /// <summary>One of three or more classes.</summary>
    Multiclass,

    /// <summary>The next token of a text.</summary>
    LanguageModel,

    /// <summary>A tag for each token of a sentence.</summary>
    TokenClassification,

    /// <summary>Tokens of a text that were hidden.</summary>
    MaskedLanguageModel,

    /// <summary>The better of two answers.</summary>
    Preference,

    /// <summary>A text in another language.</summary>
    Translation,

    /// <summary>A shorter text that says the same.</summary>
    Summarization,

    /// <summary>The next values of a series.</summary>
    Forecast,
}

/// <summary>The target and, for classification, its classes.</summary>
/// <param name="Task">What is predicted.</param>
/// <param name="Target">The target column's name.</param>
/// <param name="Classes">Class names in the order of scores; sorted numerically when all are numbers, else ordinally. Empty for regression.
/// For a binary task the second class is the positive one.</param>
public sealed record Problem(TaskKind Task, string Target, IReadOnlyList<string> Classes)
{
    /// <summary>Numbers a model gives per row: 1 for regression, one probability per class for classification (2 for binary); 0 where a sequence is given.</summary>
    public int Outputs => Task == TaskKind.Regression ? 1 : Classes.Count;

    /// <summary>True when every row has one of some classes.</summary>
    public bool IsClassification => Task is TaskKind.Binary or TaskKind.Multiclass;
}
