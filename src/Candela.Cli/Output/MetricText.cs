using Candela.Data;
using Candela.Metrics;

namespace Candela.Cli.Output;

/// <summary>Metrics as people read them.</summary>
internal static class MetricText
{
    private static readonly string[] Headline = ["accuracy", "rocAuc", "f1Macro", "logLoss", "ece", "r2", "rmse", "mae", "loss", "perplexity", "bitsPerByte"];

    /// <summary>The metric a task is judged by.</summary>
    public static string Primary(Problem problem) => problem.Task == TaskKind.LanguageModel ? "loss" : problem.IsClassification ? "accuracy" : "r2";

    /// <summary>The few metrics shown first, those that apply.</summary>
    public static IEnumerable<string> Shown(IReadOnlyDictionary<string, MetricValue> metrics) => Headline.Where(metrics.ContainsKey);

    public static string Number(double value)
    {
        double size = Math.Abs(value);
        return double.IsNaN(value) ? "-" : size switch
        {
            >= 10_000 => value.ToString("N0"),
            >= 100 => value.ToString("F1"),
            _ => value.ToString("F4"),
        };
    }

    public static string Interval(MetricValue metric) => $"{Number(metric.Value)} [{Number(metric.Low)}, {Number(metric.High)}]";
}
