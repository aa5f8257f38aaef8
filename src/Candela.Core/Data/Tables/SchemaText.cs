using System.Text;

namespace Candela.Data;

/// <summary>A schema in text, for people and for files.</summary>
public static class SchemaText
{
    /// <summary>One line per column: name, kind and why, aligned.</summary>
    public static string Describe(TableSchema schema)
    {
        int name = Math.Min(40, Math.Max(6, schema.Columns.Max(c => c.Name.Length)));
        var text = new StringBuilder();
        text.Append("column".PadRight(name)).Append("  ").Append("kind".PadRight(10)).Append("  why\n");
        foreach (ColumnSchema column in schema.Columns)
            text.Append(column.Name.PadRight(name)).Append("  ").Append(column.Kind.ToString().ToLowerInvariant().PadRight(10)).Append("  ").Append(column.Note).Append('\n');
        return text.ToString();
    }
}
