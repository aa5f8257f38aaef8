using System.Globalization;

namespace Candela.Data;

/// <summary>Reads a stored column as another kind.</summary>
internal sealed class KindChange
{
    private readonly Func<TableColumn, TableColumn> _apply;

    private KindChange(int column, Func<TableColumn, TableColumn> apply) => (Column, _apply) = (column, apply);

    public int Column { get; }

    public TableColumn Apply(TableColumn column) => _apply(column);

    /// <summary>The change of one column of <paramref name="table"/> to <paramref name="kind"/>, or null when the cells are stored the same way.</summary>
    public static KindChange? Create(Table table, int index, ColumnKind kind)
    {
        ColumnSchema column = table.Schema.Columns[index];
        Storage from = StorageOf(column.Kind), to = StorageOf(kind);
        if (from == Storage.Images || to == Storage.Images)
            throw new DataException($"Column '{column.Name}' is of kind {column.Kind.ToString().ToLowerInvariant()} and cannot be read as {kind.ToString().ToLowerInvariant()}.");
        if (kind is ColumnKind.Integer or ColumnKind.Boolean)
            Check(table, index, column.Name, kind);
        if (from == to)
            return null;
        if (to == Storage.Numbers)
            return new KindChange(index, ToNumbers(column.Name, kind, table, index));
        if (to == Storage.Texts)
            return new KindChange(index, c => new TextColumn(Texts(c)));
        if (to == Storage.Names)
            return new KindChange(index, ToNames(table, index, column.Name));
        return null;
    }

    private static Storage StorageOf(ColumnKind kind) => kind switch
    {
        ColumnKind.Number or ColumnKind.Integer or ColumnKind.Date => Storage.Numbers,
        ColumnKind.Category or ColumnKind.Boolean or ColumnKind.Constant => Storage.Names,
        ColumnKind.Text or ColumnKind.Identifier => Storage.Texts,
        _ => Storage.Images,
    };

    private static void Check(Table table, int index, string name, ColumnKind kind)
    {
        var seen = new HashSet<string>();
        foreach (TableChunk chunk in table.Pass())
        {
            TableColumn cells = chunk.Columns[index];
            for (int i = 0; i < cells.Count; i++)
            {
                if (kind == ColumnKind.Integer && cells is NumberColumn numbers && numbers.Values[i] == MathF.Floor(numbers.Values[i]))
                    continue;
                if (TextAt(cells, i) is not { } cell)
                    continue;
                bool fits = kind == ColumnKind.Boolean ? seen.Add(cell) is false || seen.Count <= 2 : !NumberCell.TryParse(cell, out double value) || value == Math.Floor(value);
                if (!fits)
                    throw Misfit(name, kind, chunk.FirstRow + i, cell, kind == ColumnKind.Boolean ? "a third value" : "not a whole number");
            }
        }
    }

    private static Func<TableColumn, TableColumn> ToNumbers(string name, ColumnKind kind, Table table, int index)
    {
        // Every cell is tried now, so that a misfit is met at the door and not in the middle of training.
        foreach (TableChunk chunk in table.Pass())
            _ = Numbers(name, kind, chunk.Columns[index], chunk.FirstRow);
        return c => Numbers(name, kind, c, 0);
    }

    private static NumberColumn Numbers(string name, ColumnKind kind, TableColumn column, long firstRow)
    {
        float Parse(string? cell, int row)
        {
            if (cell == null)
                return float.NaN;
            if (kind == ColumnKind.Date)
            {
                foreach (DateForm form in Enum.GetValues<DateForm>())
                    if (DateCell.TryParse(cell, form, out double days))
                        return (float)days;
            }
            else if (NumberCell.TryParse(cell, out float value) && !float.IsInfinity(value))
            {
                return value;
            }

            throw Misfit(name, kind, firstRow + row, cell, kind == ColumnKind.Date ? "not a date" : "not a number");
        }

        var values = new float[column.Count];
        if (column is CategoryColumn names)
        {
            var byCode = new float?[names.Names.Count];
            for (int i = 0; i < values.Length; i++)
                values[i] = names.Codes[i] < 0 ? float.NaN : byCode[names.Codes[i]] ??= Parse(names.NameAt(i), i);
        }
        else
        {
            string?[] texts = ((TextColumn)column).Values;
            for (int i = 0; i < values.Length; i++)
                values[i] = Parse(texts[i], i);
        }

        return new NumberColumn(values);
    }

    private static Func<TableColumn, TableColumn> ToNames(Table table, int index, string column)
    {
        var names = new List<string>();
        var codes = new Dictionary<string, int>();
        var numberCodes = new Dictionary<float, int>();
        foreach (TableChunk chunk in table.Pass())
        {
            TableColumn cells = chunk.Columns[index];
            for (int i = 0; i < cells.Count; i++)
            {
                if (cells is NumberColumn numbers ? float.IsNaN(numbers.Values[i]) || numberCodes.ContainsKey(numbers.Values[i]) : TextAt(cells, i) is not { } text || codes.ContainsKey(text))
                    continue;
                string name = TextAt(cells, i)!;
                if (names.Count == KindInference.DictionaryLimit)
                    throw new DataException($"Column '{column}' has more than {KindInference.DictionaryLimit} different values (row {chunk.FirstRow + i + 1}: '{name}') and cannot be read as a category; read it as text or number.");
                if (cells is NumberColumn { Values: var values })
                    numberCodes.Add(values[i], names.Count);
                codes.Add(name, names.Count);
                names.Add(name);
            }
        }

        return c =>
        {
            var taken = new int[c.Count];
            if (c is NumberColumn { Values: var values })
            {
                for (int i = 0; i < taken.Length; i++)
                    taken[i] = float.IsNaN(values[i]) ? -1 : numberCodes[values[i]];
            }
            else
            {
                for (int i = 0; i < taken.Length; i++)
                    taken[i] = TextAt(c, i) is { } text ? codes[text] : -1;
            }

            return new CategoryColumn(taken, names);
        };
    }

    private static string? TextAt(TableColumn column, int row) => column switch
    {
        TextColumn texts => texts.Values[row],
        CategoryColumn names => names.NameAt(row),
        NumberColumn numbers => float.IsNaN(numbers.Values[row]) ? null : (numbers.Values[row] + 0f).ToString("R", CultureInfo.InvariantCulture),
        _ => throw new ShapeException($"A column of type {column.GetType().Name} has no text form."),
    };

    private static string?[] Texts(TableColumn column)
    {
        var texts = new string?[column.Count];
        for (int i = 0; i < texts.Length; i++)
            texts[i] = TextAt(column, i);
        return texts;
    }

    private static DataException Misfit(string name, ColumnKind kind, long row, string cell, string what) =>
        new($"Row {row + 1}, column '{name}': '{(cell.Length <= 40 ? cell : cell[..37] + "...")}' is {what}, so the column cannot be read as {kind.ToString().ToLowerInvariant()}. Correct the cell or leave out --type {name}={kind.ToString().ToLowerInvariant()}.");

    private enum Storage
    {
        Numbers,
        Names,
        Texts,
        Images,
    }
}
