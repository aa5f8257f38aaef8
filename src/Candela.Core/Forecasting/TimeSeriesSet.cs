using Candela.Data;

namespace Candela.Forecasting;

/// <summary>The series of a file.</summary>
public sealed class TimeSeriesSet
{
    private TimeSeriesSet(string source, string target, string? time, IReadOnlyList<string> inputs, IReadOnlyList<TimeSeries> series, string hash) =>
        (Source, Target, Time, Inputs, Series, DataHash) = (source, target, time, inputs, series, hash);

    /// <summary>The file.</summary>
    public string Source { get; }

    /// <summary>The target's name.</summary>
    public string Target { get; }

    /// <summary>The time column's name, or null.</summary>
    public string? Time { get; }

    /// <summary>The names of the other columns read.</summary>
    public IReadOnlyList<string> Inputs { get; }

    /// <summary>At least one, in the order in which the file first names them.</summary>
    public IReadOnlyList<TimeSeries> Series { get; }

    /// <summary>SHA-256 of the file.</summary>
    public string DataHash { get; }

    /// <summary>Reads a table as series: one row per time, oldest first.</summary>
    /// <param name="path">As <see cref="Table.Load"/> reads it.</param>
    /// <param name="options">Which columns are meant.</param>
    /// <param name="cancellation">Ends reading.</param>
    /// <exception cref="DataException">A column is missing or not of numbers, a cell is missing, times are not in order, or there are no rows.</exception>
    public static TimeSeriesSet Read(string path, TimeSeriesOptions options, CancellationToken cancellation = default)
    {
        TableSchema schema;
        using (Table first = Table.Load(path, options.Table, null, cancellation))
            schema = first.Schema;
        string target = ProblemInference.ResolveTarget(schema, options.Target);
        string? time = Column(schema, options.Time, "--time"), group = Column(schema, options.Group, "--group");
        if (time is null && schema.Columns.Where(c => c.Kind == ColumnKind.Date && c.Name != target && c.Name != group && !options.Inputs.Contains(c.Name)).ToList() is [var only])
            time = only.Name;
        string[] inputs = [.. options.Inputs.Select(name => Column(schema, name, "--keep")!)];
        if (inputs.Append(target).Append(time).Append(group).Where(n => n is not null).GroupBy(n => n).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new UsageException($"Column '{twice.Key}' is named twice among --target, --time, --group and --keep; each needs a column of its own.");
        var kinds = new Dictionary<string, ColumnKind>(options.Table.Kinds);
        foreach (string number in inputs.Append(target))
        {
            ColumnSchema column = schema.Columns[schema.IndexOf(number)];
            if (column.Kind is ColumnKind.Text or ColumnKind.Category or ColumnKind.Date or ColumnKind.Image)
                throw new DataException($"{(number == target ? "Target" : "Input")} '{number}' is a {column.Kind.ToString().ToLowerInvariant()}{(column.Note.Length > 0 ? $" ({column.Note})" : "")}; a forecast needs numbers. Choose another column, or say how missing cells are marked with --na.");
            kinds[number] = ColumnKind.Number;
        }

        foreach (string? text in new[] { time, group })
            if (text is not null)
                kinds[text] = ColumnKind.Text;
        using Table table = Table.Load(path, options.Table with { Kinds = kinds }, null, cancellation);
        if (table.Rows == 0)
            throw new DataException($"{path} has no rows.");
        return new TimeSeriesSet(path, target, time, inputs, [.. Split(table, target, time, group, inputs)], table.DataHash);
    }

    private static IEnumerable<TimeSeries> Split(Table table, string target, string? time, string? group, string[] inputs)
    {
        var names = new Dictionary<string, Growing>();
        var order = new List<Growing>();
        long row = 0;
        foreach (TableChunk chunk in table.Chunks())
        {
            float[][] numbers = [.. inputs.Prepend(target).Select(name => ((NumberColumn)chunk.Column(name)).Values)];
            string?[]? times = time is null ? null : ((TextColumn)chunk.Column(time)).Values, groups = group is null ? null : ((TextColumn)chunk.Column(group)).Values;
            for (int i = 0; i < chunk.Rows; i++)
            {
                row++;
                string name = groups is null ? "" : groups[i] ?? throw new DataException($"Column '{group}' names no series in data row {row}. Fill it, or leave that row out.");
                if (!names.TryGetValue(name, out Growing? series))
                    order.Add(names[name] = series = new Growing(name, inputs.Length));
                for (int c = 0; c < numbers.Length; c++)
                {
                    if (!float.IsFinite(numbers[c][i]))
                        throw new DataException($"Column '{(c == 0 ? target : inputs[c - 1])}' has no number in data row {row}{(times?[i] is { } at ? $" ({at})" : "")}. A series needs one at every step: fill it in (for example with the value before it), or cut the file there.");
                    series.Numbers[c].Add(numbers[c][i]);
                }

                series.Rows.Add(row);
                series.Times.Add(times?[i]);
            }
        }

        return order.Select(s => new TimeSeries(s.Name, s.Numbers[0], [.. s.Numbers.Skip(1)],
            time is null ? null : TimeAxis.Of(s.Times, $"'{time}'{(s.Name.Length > 0 ? $" of series '{s.Name}'" : "")}", s.Rows)));
    }

    private static string? Column(TableSchema schema, string? name, string option) => name is null || schema.IndexOf(name) >= 0 ? name
        : throw new DataException($"{option} names '{name}', which is no column.{NearestName.Hint(name, schema.Columns.Select(c => c.Name))} Columns: {string.Join(", ", schema.Columns.Take(40).Select(c => c.Name))}.");

    private sealed class Growing(string name, int inputs)
    {
        public string Name { get; } = name;

        public List<double>[] Numbers { get; } = [.. Enumerable.Range(0, inputs + 1).Select(_ => new List<double>())];

        public List<string?> Times { get; } = [];

        public List<long> Rows { get; } = [];
    }
}
