namespace Candela.Data;

/// <summary>Decides what is predicted from the target column, and refuses targets no model can learn.</summary>
public static class ProblemInference
{
    /// <summary>A whole-number target with at most this many distinct values may be a class.</summary>
    public const int FewClasses = 20;

    /// <summary>The task of classifying texts: a classification that needs a text column.</summary>
    public const string TextClassification = "text-classification";

    /// <summary>The names a task over a table's rows can have.</summary>
    public static IReadOnlyList<string> Tasks { get; } = ["regression", "classification", TextClassification];

    private const int MaxDistinct = 100_000;

    /// <summary>The task and its classes. A number is a regression; a category or boolean a classification; whole numbers are classes when they look
    /// like codes: at most <see cref="FewClasses"/> of them, close together (span at most twice their count plus two, or only two of them) and each met
    /// three times on average, else a regression. Reads the table once.</summary>
    /// <param name="table">All rows.</param>
    /// <param name="target">A column's name, <c>#INDEX</c> (0-based) or <c>last</c>; a column of exactly that name comes first.</param>
    /// <param name="task"><c>regression</c>, <c>classification</c> or <c>text-classification</c> forces; null (default) infers.</param>
    /// <exception cref="DataException">No such column; missing or infinite targets; one class only; as good as every row its own class; a kind that cannot be a target.</exception>
    /// <exception cref="UsageException">An unknown <paramref name="task"/>.</exception>
    public static Problem Infer(Table table, string target, string? task = null)
    {
        string name = ResolveTarget(table.Schema, target);
        int column = table.Schema.IndexOf(name);
        ColumnKind kind = table.Schema.Columns[column].Kind;
        if (task is not null && !Tasks.Contains(task))
            throw new UsageException($"Unknown task '{task}'. Tasks: {string.Join(", ", Tasks)}.{NearestName.Hint(task, Tasks)}");
        if (table.Rows == 0)
            throw new DataException("The table has no rows.");
        if (kind is ColumnKind.Text or ColumnKind.Identifier or ColumnKind.Image)
            throw new DataException($"Target '{name}' cannot be predicted: its kind is {kind.ToString().ToLowerInvariant()} ({Why(table.Schema.Columns[column])}). "
                + $"Needed: a number or a limited set of classes. Choose another --target, or say what it is with --type {name}=category or --type {name}=number.");
        if (kind == ColumnKind.Date && task != "regression")
            throw new DataException($"Target '{name}' is a date, which is no class. Choose another --target, or predict its day number with --task regression.");

        TargetCells cells = Scan(table, column, name);
        bool numeric = kind is ColumnKind.Number or ColumnKind.Integer or ColumnKind.Date;
        bool regression = task switch
        {
            "regression" => true,
            "classification" or TextClassification => false,
            _ => kind == ColumnKind.Number || (kind == ColumnKind.Integer && !LookLikeCodes(cells)),
        };
        if (regression)
        {
            if (!numeric && cells.FirstNotNumber is { } text)
                throw new DataException($"Target '{name}' holds names such as '{text}', not numbers: a regression needs numbers. Leave out --task regression to classify.");
            if (cells.Counts.Count == 1)
                throw new DataException($"Target '{name}' has the same value ({cells.Counts.Keys.First()}) in all {cells.Rows} rows: there is nothing to learn.");
            return new Problem(TaskKind.Regression, name, []);
        }

        if (cells.Counts.Count == 1)
            throw new DataException($"Target '{name}' has one class only ('{cells.Counts.Keys.First()}' in all {cells.Rows} rows); needed: two or more.");
        if (cells.Counts.Count > MaxDistinct || cells.Counts.Count > Math.Max(2, cells.Rows / 2))
            throw new DataException($"Target '{name}' has {(cells.Counts.Count > MaxDistinct ? "over " + MaxDistinct : cells.Counts.Count)} classes in {cells.Rows} rows: "
                + "nearly every row would be its own class. Choose another --target" + (numeric ? ", or --task regression." : "."));
        string[] classes = CellText.Sorted(cells.Counts.Keys);
        return new Problem(classes.Length == 2 ? TaskKind.Binary : TaskKind.Multiclass, name, classes);
    }

    /// <summary>The column meant by <paramref name="target"/>: an exact name, else <c>#INDEX</c> (0-based), else <c>last</c>.</summary>
    /// <exception cref="DataException">There is none; the message names the nearest.</exception>
    public static string ResolveTarget(TableSchema schema, string target)
    {
        int count = schema.Columns.Count;
        if (schema.IndexOf(target) >= 0)
            return target;
        if (target == "last" && count > 0)
            return schema.Columns[^1].Name;
        if (target.StartsWith('#') && int.TryParse(target.AsSpan(1), out int index))
        {
            return index >= 0 && index < count ? schema.Columns[index].Name
                : throw new DataException($"Target {target} is out of range: the table has {count} columns, #0 to #{count - 1}.");
        }

        var names = schema.Columns.Select(c => c.Name);
        throw new DataException($"There is no column '{target}' for the target.{NearestName.Hint(target, names)} Columns: {string.Join(", ", names.Take(50))}{(count > 50 ? ", ..." : "")}.");
    }

    private static string Why(ColumnSchema column) => column.Note.Length > 0 ? column.Note : "as given";

    private static bool LookLikeCodes(TargetCells cells)
    {
        int distinct = cells.Counts.Count;
        if (distinct > FewClasses || cells.Rows < 3L * distinct)
            return false;
        return distinct <= 2 || cells.Max - cells.Min + 1 <= (2 * distinct) + 2;
    }

    private static TargetCells Scan(Table table, int column, string name)
    {
        var cells = new TargetCells();
        long missing = 0, firstMissing = -1, infinite = 0, firstInfinite = -1;
        var numbers = new Dictionary<float, long>();
        foreach (TableChunk chunk in table.Pass())
        {
            cells.Rows += chunk.Rows;
            switch (chunk.Columns[column])
            {
                case NumberColumn { Values: var values }:
                    for (int i = 0; i < values.Length; i++)
                    {
                        float value = values[i];
                        if (float.IsNaN(value))
                        {
                            if (missing++ == 0)
                                firstMissing = chunk.FirstRow + i;
                        }
                        else if (float.IsInfinity(value))
                        {
                            if (infinite++ == 0)
                                firstInfinite = chunk.FirstRow + i;
                        }
                        else
                        {
                            (cells.Min, cells.Max) = (Math.Min(cells.Min, value), Math.Max(cells.Max, value));
                            if (numbers.Count <= MaxDistinct)
                                numbers[value] = numbers.GetValueOrDefault(value) + 1;
                        }
                    }

                    break;
                case CategoryColumn category:
                    var counts = new long[category.Names.Count];
                    for (int i = 0; i < category.Codes.Length; i++)
                    {
                        int code = category.Codes[i];
                        if (code >= 0)
                            counts[code]++;
                        else if (missing++ == 0)
                            firstMissing = chunk.FirstRow + i;
                    }

                    for (int code = 0; code < counts.Length; code++)
                    {
                        if (counts[code] == 0)
                            continue;
                        string text = category.Names[code];
                        cells.Counts[text] = cells.Counts.GetValueOrDefault(text) + counts[code];
                        if (!CellText.TryNumber(text, out _))
                            cells.FirstNotNumber ??= text;
                    }

                    break;
                default:
                    throw new DataException($"Target '{name}' is not a column of numbers or classes.");
            }
        }

        // Rows are counted from 1, as people count the data rows of a file.
        if (missing > 0)
            throw new DataException($"Target '{name}' is empty in {missing} of {cells.Rows} rows, first in data row {firstMissing + 1}. Every row needs a target: remove those rows, or choose another --target.");
        if (infinite > 0)
            throw new DataException($"Target '{name}' is infinite in {infinite} of {cells.Rows} rows, first in data row {firstInfinite + 1}. Every target must be finite: correct or remove those rows.");
        foreach (var (value, count) in numbers)
            cells.Counts[CellText.Of(value)] = count;
        return cells;
    }

    private sealed class TargetCells
    {
        public long Rows;
        public Dictionary<string, long> Counts = [];
        public float Min = float.PositiveInfinity;
        public float Max = float.NegativeInfinity;
        public string? FirstNotNumber;
    }
}
