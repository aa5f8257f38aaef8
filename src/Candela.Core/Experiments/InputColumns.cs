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

        var inputs = schema.Columns
            .Where(c => c.Name != target && !request.Exclude.Contains(c.Name))
            .Where(c => request.Keep.Count == 0 ? c.Kind is not (ColumnKind.Constant or ColumnKind.Identifier) : request.Keep.Contains(c.Name))
            .Select(c => c.Name).ToList();
        return inputs.Count > 0 ? inputs : throw new DataException(
            $"No input column is left beside the target '{target}': {string.Join(", ", schema.Columns.Where(c => c.Name != target).Take(12).Select(c => $"{c.Name} ({(request.Exclude.Contains(c.Name) ? "excluded" : c.Kind.ToString().ToLowerInvariant())})"))}. Give more columns, or keep some with --keep.");
    }

    private static string Names(TableSchema schema) => string.Join(", ", schema.Columns.Take(40).Select(c => c.Name)) + (schema.Columns.Count > 40 ? ", ..." : "");
}
