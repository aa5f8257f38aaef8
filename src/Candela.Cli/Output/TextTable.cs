using Spectre.Console;

namespace Candela.Cli.Output;

/// <summary>Tables for people: ruled on a terminal, aligned plain columns in a pipe.</summary>
internal static class TextTable
{
    /// <summary>Writes a table; cells that parse as numbers are right-aligned.</summary>
    public static void Write(TextWriter output, IReadOnlyList<string> header, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        if (!Console.IsOutputRedirected && ReferenceEquals(output, Console.Out))
        {
            WriteRuled(header, rows);
            return;
        }

        var widths = header.Select((name, column) => rows.Select(r => r[column].Length).Append(name.Length).Max()).ToArray();
        foreach (IReadOnlyList<string> row in rows.Prepend(header))
        {
            IEnumerable<string> cells = row.Select((cell, column) => RightAligned(rows, column) ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]));
            output.WriteLine(string.Join("  ", cells).TrimEnd());
        }
    }

    private static void WriteRuled(IReadOnlyList<string> header, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var table = new Table { Border = TableBorder.Rounded };
        for (int column = 0; column < header.Count; column++)
            table.AddColumn(new TableColumn(Markup.Escape(header[column])) { Alignment = RightAligned(rows, column) ? Justify.Right : Justify.Left });
        foreach (IReadOnlyList<string> row in rows)
            table.AddRow(row.Select(Markup.Escape).ToArray());
        AnsiConsole.Write(table);
    }

    private static bool RightAligned(IReadOnlyList<IReadOnlyList<string>> rows, int column) =>
        rows.Count > 0 && rows.All(r => r[column].Length == 0 || char.IsAsciiDigit(r[column][0]) || r[column][0] is '-' or '~');
}
