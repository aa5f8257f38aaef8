using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Candela.Data;

/// <summary>A schema in text: printed for people, and as a YAML file of names and kinds that can be edited and given back.</summary>
public static class SchemaText
{
    private const int LongestName = 40;

    /// <summary>One line per column: name, kind and why, aligned, each ended by a newline.</summary>
    public static string Describe(TableSchema schema)
    {
        int width = Math.Clamp(schema.Columns.Select(c => c.Name.Length).DefaultIfEmpty(0).Max(), "column".Length, LongestName);
        var text = new StringBuilder();
        Line("column", "kind", "why");
        foreach (ColumnSchema column in schema.Columns)
        {
            string shape = column.Image is { } image ? $"{image.Channels} x {image.Height} x {image.Width}; " : "";
            Line(column.Name.Length <= LongestName ? column.Name : column.Name[..(LongestName - 3)] + "...", Name(column.Kind), shape + column.Note);
        }

        return text.ToString();

        void Line(string name, string kind, string why) =>
            text.Append($"{name.PadRight(width)}  {kind.PadRight(10)}  {why}".TrimEnd()).Append('\n');
    }

    /// <summary>The kind's name as users write it: number, integer, category, boolean, date, text, constant, identifier, image.</summary>
    public static string Name(ColumnKind kind) => kind.ToString().ToLowerInvariant();

    /// <summary>The kind of that name, in any case.</summary>
    /// <exception cref="UsageException">There is no such kind; the message names the nearest and lists all.</exception>
    public static ColumnKind ParseKind(string name)
    {
        foreach (ColumnKind kind in Enum.GetValues<ColumnKind>())
            if (Name(kind).Equals(name.Trim(), StringComparison.OrdinalIgnoreCase))
                return kind;
        string[] names = [.. Enum.GetValues<ColumnKind>().Select(Name)];
        throw new UsageException($"There is no column kind '{name}'.{NearestName.Hint(name, names)} Kinds: {string.Join(", ", names)}.");
    }

    /// <summary>Writes the names and kinds as a YAML mapping, with the reasons as comments.</summary>
    public static void Write(string path, TableSchema schema)
    {
        var text = new StringBuilder("# column: kind (number, integer, category, boolean, date, text, constant, identifier)\n");
        foreach (ColumnSchema column in schema.Columns)
        {
            string reason = column.Note.Length == 0 ? "" : "  # " + column.Note.ReplaceLineEndings(" ");
            text.Append('"').Append(column.Name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)
                .Replace("\t", "\\t", StringComparison.Ordinal).Replace("\r", "\\r", StringComparison.Ordinal)).Append("\": ").Append(Name(column.Kind)).Append(reason).Append('\n');
        }

        AtomicFile.WriteText(path, text.ToString());
    }

    /// <summary>Reads a YAML mapping of column names to kinds, for <see cref="TableOptions.Kinds"/>. Columns may be left out.</summary>
    /// <exception cref="FileFormatException">The file is missing or is no such mapping.</exception>
    /// <exception cref="DataException">A kind is unknown or a column occurs twice; the message names the line.</exception>
    public static IReadOnlyDictionary<string, ColumnKind> Read(string path)
    {
        var kinds = new Dictionary<string, ColumnKind>();
        using var text = new StrictTextReader(path);
        var parser = new Parser(text);
        try
        {
            parser.Consume<StreamStart>();
            parser.Consume<DocumentStart>();
            parser.Consume<MappingStart>();
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                Scalar name = parser.Consume<Scalar>(), kind = parser.Consume<Scalar>();
                if (!kinds.TryAdd(name.Value, KindAt(path, name, kind)))
                    throw new DataException($"{path} line {name.Start.Line}: column '{name.Value}' occurs twice.");
            }

            return kinds;
        }
        catch (YamlException e)
        {
            throw new FileFormatException(path, Fault.WrongFormat, $"line {e.Start.Line}: a schema file has one 'column: kind' a line, for example 'age: number'. Put names with special characters in double quotes.", e);
        }
    }

    private static ColumnKind KindAt(string path, Scalar name, Scalar kind)
    {
        try
        {
            return ParseKind(kind.Value);
        }
        catch (UsageException e)
        {
            throw new DataException($"{path} line {kind.Start.Line}, column '{name.Value}': {e.Message}", e);
        }
    }
}
