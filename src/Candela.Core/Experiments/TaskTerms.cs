using Candela.Data;
using Candela.Metrics;

namespace Candela.Experiments;

/// <summary>The words and metrics of a task: what every output names it by.</summary>
public static class TaskTerms
{
    /// <summary>The id of the metric a task is judged by.</summary>
    public static string MainMetric(Problem problem) => problem.Task switch
    {
        TaskKind.LanguageModel or TaskKind.MaskedLanguageModel => "loss",
        TaskKind.TokenClassification => HasSpans(problem) ? "f1Micro" : "accuracy",
        TaskKind.Translation => "bleu",
        TaskKind.Summarization => "rougeL",
        TaskKind.Forecast => "mae",
        TaskKind.Regression => "r2",
        _ => "accuracy",
    };

    /// <summary>The id of the metric shown second.</summary>
    public static string SecondMetric(Problem problem) => problem.Task switch
    {
        TaskKind.LanguageModel => "perplexity",
        TaskKind.MaskedLanguageModel => "maskedAccuracy",
        TaskKind.Preference => "loss",
        TaskKind.TokenClassification => HasSpans(problem) ? "accuracy" : "f1Macro",
        TaskKind.Translation => "chrf",
        TaskKind.Summarization => "rouge1",
        TaskKind.Forecast => "mase",
        TaskKind.Regression => "rmse",
        _ => "rocAuc",
    };

    /// <summary>Whether less of the main metric is better.</summary>
    public static bool LessIsBetter(Problem problem) => problem.Task is TaskKind.LanguageModel or TaskKind.MaskedLanguageModel or TaskKind.Forecast;

    /// <summary>The id of the metric by how much another method's figure is above that of the run's net on the same examples, with an interval of its own; it decides whether the two are apart.</summary>
    /// <param name="metric">A metric's id.</param>
    public static string OverNet(string metric) => metric + "OverNet";

    /// <summary>What an evaluation counts: rows, tokens, texts, ...</summary>
    public static string Scored(TaskKind task) => task switch
    {
        TaskKind.LanguageModel or TaskKind.MaskedLanguageModel or TaskKind.TokenClassification => "tokens",
        TaskKind.Preference => "pairs",
        TaskKind.Translation or TaskKind.Summarization => "texts",
        TaskKind.Forecast => "values",
        _ => "rows",
    };

    /// <summary>What the parts of the data are counted in.</summary>
    public static string Examples(TaskKind task) => task == TaskKind.TokenClassification ? "sentences" : Scored(task);

    /// <summary>Whether the classes of a tagging task mark spans of tokens (<c>B-PER I-PER O</c>).</summary>
    private static bool HasSpans(Problem problem) => SpanF1.AreSpanTags(problem.Classes);
}
