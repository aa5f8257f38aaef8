namespace Candela.Data;

/// <summary>Errors about one cell: where, what stands there, what was needed, what to do.</summary>
internal static class CellErrors
{
    public static DataException Bad(RowSource source, RowReader reader, ColumnPlan plan, ReadOnlySpan<char> cell)
    {
        string text = cell.Length <= 40 ? cell.ToString() : string.Concat(cell[..37], "...");
        string where = $"{source.Where(reader)}, column '{plan.Name}'";
        bool number = NumberCell.TryParse(cell, out float value);
        if (plan.Kind == ColumnKind.Integer && number && float.IsFinite(value))
            return new DataException($"{where}: '{text}' is not a whole number. Correct it, or read the column with --type {plan.Name}=number.");
        if (plan.Kind is ColumnKind.Number or ColumnKind.Integer && number)
            return new DataException($"{where}: '{text}' is not a finite number (up to 3.4e38). Correct it, or read it as missing with --na \"{text}\".");
        string needed = plan.Kind switch
        {
            ColumnKind.Number or ColumnKind.Integer => "a number",
            ColumnKind.Date => $"a date written {DateCell.Describe(plan.Date)}",
            ColumnKind.Boolean => "one of two values",
            ColumnKind.Constant => "the column's one value",
            _ => $"one of at most {KindInference.DictionaryLimit} names",
        };
        string other = plan.Kind == ColumnKind.Category ? "text" : "category";
        return new DataException($"{where}: '{text}' is not {needed}. Correct it, read it as missing with --na \"{text}\", or read the column as names with --type {plan.Name}={other}.");
    }
}
