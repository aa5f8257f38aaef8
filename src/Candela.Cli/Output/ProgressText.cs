using Candela.Data;
using Candela.Models;

namespace Candela.Cli.Output;

/// <summary>Words of the progress displays.</summary>
internal static class ProgressText
{
    public static string Of(EpochEnded epoch)
    {
        string valid = epoch.ValidLoss is { } loss ? $", valid loss {loss:G4}" : "";
        string score = epoch.ValidScore is { } s ? $", valid score {s:F4}" : "";
        return $"  epoch {epoch.Epoch + 1}: loss {epoch.TrainLoss:G4}{valid}{score} ({Seconds(epoch.Seconds)})";
    }

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
