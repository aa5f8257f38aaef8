using Candela.Data;
using Candela.Experiments;
using Candela.Metrics;
using Candela.Runs;

namespace Candela.Cli.Output;

/// <summary>Metrics as people read them.</summary>
internal static class MetricText
{
    private static readonly string[] Headline = ["bleu", "chrf", "rougeL", "rouge1", "rouge2", "f1Micro", "accuracy", "rocAuc", "f1Macro", "logLoss", "ece", "r2", "rmse", "mae", "smape", "mase", "coverage", "loss", "perplexity", "bitsPerByte"];

    /// <summary>The task as people and JSON name it: <c>regression</c>, <c>language-model</c>.</summary>
    public static string Task(Problem problem) => SequenceTasks.IdOf(problem.Task) ?? problem.Task.ToString().ToLowerInvariant();

    /// <summary>The part of the data a run's figures are of, and the figures; the last part that was scored when the record names none to be judged by.</summary>
    public static KeyValuePair<string, IReadOnlyDictionary<string, MetricValue>> Judged(RunRecord record) =>
        record.JudgedSplit() is { } split ? new(split, record.Metrics[split].Metrics)
            : record.Metrics.Count > 0 ? new(record.Metrics.Last().Key, record.Metrics.Last().Value.Metrics) : new("test", new Dictionary<string, MetricValue>());

    /// <summary>The few metrics shown first, those that apply; of rows with one class each the micro F1 is the accuracy again.</summary>
    public static IEnumerable<string> Shown(IReadOnlyDictionary<string, MetricValue> metrics) => Headline.Where(id => metrics.ContainsKey(id) && !(id == "f1Micro" && metrics.ContainsKey("logLoss")));

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
