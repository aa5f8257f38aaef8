namespace Candela.Data;

/// <summary>One pass over the training rows of a table.</summary>
internal static class EncoderFit
{
    private const int SampleBudget = 16_000_000;   // sampled numbers of all columns together: 64 MB
    private const int SampleRows = 100_000;

    public static PreprocessingState Run(Table table, TableSplit split, Problem problem, IReadOnlyList<string> inputs, FeatureRequest request)
    {
        ColumnSchema[] columns = Select(table.Schema, problem, inputs, out int[] indices);
        int numbers = columns.Count(c => c.Kind is ColumnKind.Number or ColumnKind.Integer);
        int sample = Math.Clamp(SampleBudget / Math.Max(1, numbers), 4096, SampleRows);
        var learners = new ColumnLearner?[columns.Length];
        for (int i = 0; i < columns.Length; i++)
            learners[i] = columns[i] switch
            {
                { Kind: ColumnKind.Number or ColumnKind.Integer } column => new NumberLearner(column.Name, column.Kind, request, sample, i),
                { Kind: ColumnKind.Category or ColumnKind.Boolean } column => new CategoryLearner(column.Name, column.Kind, request),
                { Kind: ColumnKind.Date } column => new DateLearner(column.Name, column.Kind, column.Date),
                { Kind: ColumnKind.Image, Image: { } shape } column => new PixelLearner(column.Name, column.Kind, shape),
                _ => null,
            };

        int[] texts = [.. Enumerable.Range(0, columns.Length).Where(i => learners[i] is null)];
        TextLearner? text = texts.Length > 0 && (request.TextAsNgrams || request.TextAsTokens) ? new TextLearner(request) : null;
        var target = new NumberMoments();
        long[]? classes = problem.IsClassification ? new long[problem.Classes.Count] : null;
        var reader = new TargetReader(problem);
        int[] labels = [], buffer = [];
        float[] values = [];
        foreach (TableChunk chunk in table.Pass())
        {
            ReadOnlySpan<int> rows = split.RowsIn(chunk, Part.Train, ref buffer);
            if (rows.Length == 0)
                continue;
            for (int i = 0; i < learners.Length; i++)
                learners[i]?.Add(chunk.Columns[indices[i]], rows);
            text?.Add([.. texts.Select(i => chunk.Columns[indices[i]])], rows);
            if (classes is not null)
            {
                if (labels.Length < rows.Length)
                    labels = new int[rows.Length];
                reader.Labels(chunk, rows, labels);
                for (int i = 0; i < rows.Length; i++)
                    classes[labels[i]]++;
            }
            else
            {
                if (values.Length < rows.Length)
                    values = new float[rows.Length];
                reader.Values(chunk, rows, values);
                for (int i = 0; i < rows.Length; i++)
                    target.Add(values[i]);
            }
        }

        ColumnSchema? targetColumn = table.Schema.Columns.FirstOrDefault(c => c.Name == problem.Target);
        long count = split.Count(Part.Train);
        if (count == 0)
            throw new DataException("There are no training rows to fit the encoder on.");
        return new PreprocessingState
        {
            FormatVersion = PreprocessingState.CurrentFormat,
            Request = request,
            Problem = problem,
            Reading = table.Schema.Reading,
            TargetKind = targetColumn?.Kind,
            TargetDate = targetColumn?.Date,
            TrainingRows = count,
            Target = classes is null ? new TargetState(target.Mean, target.Deviation) : null,
            ClassCounts = classes,
            Columns = [.. columns.Select((column, i) => learners[i]?.State() ?? new ColumnState { Name = column.Name, Kind = column.Kind })],
            Ngrams = text?.Ngrams(),
            Tokens = text?.Tokens(),
        };
    }

    private static ColumnSchema[] Select(TableSchema schema, Problem problem, IReadOnlyList<string> inputs, out int[] indices)
    {
        List<int> chosen = [];
        foreach (string name in inputs)
        {
            int index = schema.IndexOf(name);
            if (index < 0)
                throw new DataException($"There is no column '{name}' to learn from.{NearestName.Hint(name, schema.Columns.Select(c => c.Name))}");
            if (name == problem.Target)
                throw new DataException($"Column '{name}' is the target: it cannot be an input too.");
            if (schema.Columns[index].Kind is not (ColumnKind.Constant or ColumnKind.Identifier) && !chosen.Contains(index))
                chosen.Add(index);
        }

        indices = [.. chosen];
        ColumnSchema[] columns = [.. chosen.Select(i => schema.Columns[i])];
        if (columns.Length == 0)
            throw new DataException($"No input column is left to learn '{problem.Target}' from: the others are constant, identifiers or excluded. Say what a column is with --type NAME=KIND.");
        if (columns.Length > 1 && Array.Find(columns, c => c.Kind == ColumnKind.Image) is { } image)
            throw new DataException($"Column '{image.Name}' holds images; an image must be the only input. Exclude the others: {string.Join(", ", columns.Where(c => c != image).Take(10).Select(c => c.Name))}.");
        return columns;
    }
}
