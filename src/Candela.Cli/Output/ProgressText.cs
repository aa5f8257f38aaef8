using Candela.Data;
using Candela.Models;

namespace Candela.Cli.Output;

/// <summary>Words of the progress displays.</summary>
internal static class ProgressText
{
    /// <summary>Lines shown of a sample while training goes on.</summary>
    public const int SampleLines = 2;

    private const int LineWidth = 100;

    /// <summary>A row of figures at the end of an epoch.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="ofText">Whether it is the steps of a language model between two evaluations.</param>
    public static string Of(EpochEnded epoch, bool ofText = false)
    {
        if (ofText)
            return $"  step {epoch.Steps:N0}: loss {epoch.TrainLoss:F4}{(epoch.ValidLoss is { } held ? $", valid loss {held:F4}, perplexity {Perplexity(held)}" : $", perplexity {Perplexity(epoch.TrainLoss)}")} ({Seconds(epoch.Seconds)})";
        string valid = epoch.ValidLoss is { } loss ? $", valid loss {loss:G4}" : "";
        string score = epoch.ValidScore is { } s ? $", valid score {s:F4}" : "";
        return $"  epoch {epoch.Epoch + 1}: loss {epoch.TrainLoss:G4}{valid}{score} ({Seconds(epoch.Seconds)})";
    }

    /// <summary>A step with its rate.</summary>
    /// <param name="step">The step.</param>
    /// <param name="ofText">Whether it is of a language model.</param>
    public static string Of(StepEnded step, bool ofText) => ofText
        ? $"step {step.Step:N0}: loss {step.Loss:F3}, perplexity {Perplexity(step.Loss)}, {step.RowsPerSecond:N0} tokens/s"
        : $"epoch {step.Epoch + 1}, step {step.Step:N0}: loss {step.Loss:G4}, {step.RowsPerSecond:N0} rows/s";

    /// <summary>The first lines of a text on a screen: no blank ones, no control characters, each cut to its width.</summary>
    public static string[] Lines(string text, int most)
    {
        string[] lines = [.. text.ReplaceLineEndings("\n").Split('\n').Select(l => string.Concat(l.Select(c => char.IsControl(c) ? ' ' : c)).TrimEnd()).Where(l => l.Length > 0)];
        string[] shown = [.. lines.Take(most).Select(l => l.Length > LineWidth ? l[..(LineWidth - 1)] + "…" : l)];
        if (lines.Length > most && shown is [.., var last])
            shown[^1] = last.EndsWith('…') ? last : last + " …";
        return shown.Length > 0 ? shown : ["(nothing)"];
    }

    private static string Perplexity(double loss) => MetricText.Number(Math.Exp(loss));

    /// <summary>Rows and the kind of each column; of wide tables the first 30.</summary>
    public static string Of(TableRead table)
    {
        const int Shown = 30;
        IReadOnlyList<ColumnSchema> columns = table.Schema.Columns;
        string more = columns.Count > Shown ? $"... and {columns.Count - Shown} more{Environment.NewLine}" : "";
        string schema = SchemaText.Describe(new TableSchema([.. columns.Take(Shown)])).ReplaceLineEndings();
        return $"{table.Rows:N0} rows, {columns.Count} columns; target '{table.Target}'{Environment.NewLine}{schema}{more}(change a kind with --type COL=KIND)";
    }

    public static string Of(FamilyStarted family) =>
        $"fit {family.Index + 1}{(family.Fits > 0 ? $" of {family.Fits}" : "")}: {family.Family}{(family.Purpose.Length > 0 ? $", {family.Purpose}" : "")}";

    public static string Seconds(double seconds) => seconds switch
    {
        < 1 => $"{seconds * 1000:F0} ms",
        < 90 => $"{seconds:F1} s",
        < 5400 => $"{seconds / 60:F1} min",
        _ => $"{seconds / 3600:F1} h",
    };
}
