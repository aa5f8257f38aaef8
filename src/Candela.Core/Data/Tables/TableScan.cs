namespace Candela.Data;

/// <summary>Reads rows of a known schema as a stream, for prediction: nothing is inferred and nothing is kept.</summary>
public static class TableScan
{
    private const int DateSample = 200;

    /// <summary>The rows of a file in order, as chunks of the columns of <paramref name="schema"/>, found by name; other columns are left out. A category's names are those met in the
    /// stream, in order of appearance, and may differ from chunk to chunk: use <see cref="CategoryColumn.NameAt"/>. Memory does not grow with the file.</summary>
    /// <param name="path">As for <see cref="Table.Load"/>.</param>
    /// <param name="schema">The columns wanted and their kinds. Image columns are resized to their shape.</param>
    /// <param name="options">How to read the file; its kinds are not used.</param>
    /// <param name="chunkRows">The most rows of a chunk. Default 4096.</param>
    /// <exception cref="DataException">A wanted column is missing (the message names the nearest), or a cell does not fit its kind.</exception>
    /// <exception cref="FileFormatException">The file is missing, broken or of another format.</exception>
    public static IEnumerable<TableChunk> Read(string path, TableSchema schema, TableOptions options, int chunkRows = 4096)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(chunkRows);
        DataFormat format = DataFormats.Detect(path);
        if (format is DataFormat.ImageFolder or DataFormat.Idx)
            return ImageTables.Scan(path, format, schema, options, chunkRows);
        RowSource source = DataFormats.Rows(path, format, options, null, schema);
        return Rows(source, schema, Places(source, schema), [], new MissingMarks(options.MissingMarks), chunkRows).Select(rows => rows.Inputs);
    }

    /// <summary>The same, with the cells of some columns of the file beside, as text as it stands there (trimmed): an id to tell the rows by.</summary>
    /// <param name="path">A file of rows; images have no other columns.</param>
    /// <param name="schema">The columns wanted and their kinds.</param>
    /// <param name="keep">Names of the columns to carry, which may be wanted ones too; null for all of the file.</param>
    /// <param name="options">How to read the file; its kinds are not used.</param>
    /// <param name="chunkRows">The most rows of a chunk. Default 4096.</param>
    /// <exception cref="UsageException">The data are images.</exception>
    /// <exception cref="DataException">A wanted or kept column is missing (the message names the nearest), or a cell does not fit its kind.</exception>
    /// <exception cref="FileFormatException">The file is missing, broken or of another format.</exception>
    public static KeptScan ReadKeeping(string path, TableSchema schema, IReadOnlyList<string>? keep, TableOptions options, int chunkRows = 4096)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(chunkRows);
        DataFormat format = DataFormats.Detect(path);
        if (format is DataFormat.ImageFolder or DataFormat.Idx)
            throw new UsageException($"{path} holds images, which have no other columns to keep. Leave out --keep.");
        RowSource source = DataFormats.Rows(path, format, options, null, schema);
        string[] names = [.. (keep ?? source.Names).Distinct()];
        int[] kept = Array.ConvertAll(names, name => source.Names.IndexOf(name) is >= 0 and var place ? place
            : throw new DataException($"{path}: column '{name}' is to be kept, but it is not in the file.{NearestName.Hint(name, source.Names)} Columns of the file: {string.Join(", ", source.Names)}."));
        return new KeptScan(names, Rows(source, schema, Places(source, schema), kept, new MissingMarks(options.MissingMarks), chunkRows));
    }

    /// <summary>Where the columns of <paramref name="schema"/> are in a file.</summary>
    internal static int[] Places(RowSource source, TableSchema schema)
    {
        var places = new int[schema.Columns.Count];
        for (int i = 0; i < places.Length; i++)
        {
            string name = schema.Columns[i].Name;
            places[i] = source.Names.IndexOf(name);
            if (places[i] < 0)
                throw new DataException($"{source.Path}: column '{name}' is missing; {(name == schema.Reading?.Target ? "it is the target" : "the model was trained on it")}.{NearestName.Hint(name, source.Names)} Columns of the file: {string.Join(", ", source.Names)}.");
        }

        return places;
    }

    private static int IndexOf(this IReadOnlyList<string> names, string name)
    {
        for (int i = 0; i < names.Count; i++)
            if (names[i] == name)
                return i;
        return -1;
    }

    private static IEnumerable<KeptRows> Rows(RowSource source, TableSchema schema, int[] places, int[] kept, MissingMarks missing, int chunkRows)
    {
        var cells = new List<string[]>();
        ColumnPlan[] plans = Plans(source, schema, places, missing);
        var builders = new ColumnBuilder[plans.Length];
        for (int i = 0; i < plans.Length; i++)
            builders[i] = ColumnBuilder.For(plans[i], missing, chunkRows, packed: false);
        using RowReader reader = source.Open();
        long first = 0;
        int rows = 0;
        bool more = true;
        while (more)
        {
            more = reader.Read();
            if (more)
            {
                for (int i = 0; i < builders.Length; i++)
                    if (builders[i].Add(reader.Cell(places[i])) != CellFault.None)
                        throw CellErrors.Bad(source, reader, plans[i], reader.Cell(places[i]));
                if (kept.Length > 0)
                    cells.Add(Array.ConvertAll(kept, place => reader.Cell(place).ToString()));
                rows++;
            }

            if (rows == chunkRows || (!more && rows > 0))
            {
                yield return new KeptRows(new TableChunk(schema, [.. builders.Select(b => b.Complete(lend: false))], first), [.. cells]);
                first += rows;
                rows = 0;
                cells.Clear();
                foreach (ColumnBuilder builder in builders)
                    (builder as NameBuilder)?.Refresh();
            }
        }
    }

    /// <summary>How those columns are read: in their kinds, taking names that were not met before.</summary>
    internal static ColumnPlan[] Plans(RowSource source, TableSchema schema, int[] places, MissingMarks missing)
    {
        // A schema that was not found in a file does not say how dates are written: look.
        var sketches = new Dictionary<int, ColumnSketch>();
        for (int i = 0; i < places.Length; i++)
            if (schema.Columns[i] is { Kind: ColumnKind.Date, Date: null })
                sketches[i] = new ColumnSketch(schema.Columns[i].Name, missing);
        if (sketches.Count > 0)
        {
            using RowReader reader = source.Open();
            for (int row = 0; row < DateSample && reader.Read(); row++)
                foreach ((int i, ColumnSketch sketch) in sketches)
                    sketch.Add(reader.Cell(places[i]));
        }

        return [.. schema.Columns.Select((c, i) => new ColumnPlan(c.Name, c.Kind, c.Note) { Given = true, Open = true, Date = c.Date ?? (sketches.TryGetValue(i, out ColumnSketch? s) ? s.Date.Form : default) })];
    }
}
