using Candela.Data;

namespace Candela.Experiments;

/// <summary>Finds the target and the input columns a request means.</summary>
internal static class InputColumns
{
    /// <summary>The target's name: as given, or the one column beside an image.</summary>
    public static string Target(TableSchema schema, string? given)
    {
        if (given is not null)
            return ProblemInference.ResolveTarget(schema, given);
        var others = schema.Columns.Where(c => c.Kind != ColumnKind.Image).ToList();
        if (others.Count == 1 && schema.Columns.Count > 1)
            return others[0].Name;
        if (others.Count == 0)
            throw new UsageException("The images have no labels, so there is nothing to predict: add --labels FILE (the IDX labels file), or give a folder with one subfolder of images per class.");
        throw new UsageException($"Which column is to be predicted was not said: add --target COL (or `last`). Columns: {Names(schema)}.");
    }

    /// <summary>The inputs: all columns but the target, the excluded ones and those that carry nothing (constants, identifiers); only the kept ones when some are named.</summary>
    public static List<string> Inputs(TableSchema schema, string target, TrainRequest request)
    {
        foreach (var (option, names) in new[] { ("--exclude", request.Exclude), ("--keep", request.Keep) })
        {
            foreach (string name in names)
            {
                if (schema.IndexOf(name) < 0)
                    throw new DataException($"{option} names '{name}', which is no column.{NearestName.Hint(name, schema.Columns.Select(c => c.Name))} Columns: {Names(schema)}.");
                if (name == target && option == "--keep")
                    throw new UsageException($"--keep names the target '{name}', which cannot be an input of itself.");
            }
        }

        foreach (var column in schema.Columns)
            if (request.Keep.Contains(column.Name) && column.Kind is ColumnKind.Constant or ColumnKind.Identifier)
                throw new UsageException($"--keep names '{column.Name}', which is {(column.Kind == ColumnKind.Constant ? "a constant" : "an identifier")} ({column.Note}): it says nothing about other rows. If it does, say what it holds with --type {column.Name}=number (or category, text).");
        var inputs = schema.Columns
            .Where(c => c.Name != target && !request.Exclude.Contains(c.Name))
            .Where(c => request.Keep.Count == 0 ? c.Kind is not (ColumnKind.Constant or ColumnKind.Identifier) : request.Keep.Contains(c.Name))
            .Select(c => c.Name).ToList();
        return inputs.Count > 0 ? inputs : throw new DataException(
            $"No input column is left beside the target '{target}': {string.Join(", ", schema.Columns.Where(c => c.Name != target).Take(12).Select(c => $"{c.Name} ({(request.Exclude.Contains(c.Name) ? "excluded" : c.Kind.ToString().ToLowerInvariant())})"))}. Give more columns, or say what one holds with --type NAME=KIND.");
    }

    /// <summary>The columns that are neither target nor input.</summary>
    public static IReadOnlySet<string> Unused(IReadOnlyList<string> names, TrainRequest request)
    {
        string? target = request.Target is null ? null : ProblemInference.ResolveTarget(new TableSchema([.. names.Select(n => new ColumnSchema(n, ColumnKind.Text))]), request.Target);
        return names.Where(n => n != target && (request.Exclude.Contains(n) || (request.Keep.Count > 0 && !request.Keep.Contains(n)))).ToHashSet();
    }

    private static string Names(TableSchema schema) => string.Join(", ", schema.Columns.Take(40).Select(c => c.Name)) + (schema.Columns.Count > 40 ? ", ..." : "");
}
