using Candela.Data;

namespace Candela.Experiments;

/// <summary>The training, validation and test rows of one fit: parts of one table, or files of their own.</summary>
internal sealed class DataParts
{
    private readonly Dictionary<Part, (Table Table, TableSplit Split)> _parts = [];
    private readonly Dictionary<FeatureRequest, FeatureEncoder> _encoders = [];

    /// <summary>All parts from one table, except those that are whole tables.</summary>
    public DataParts(Table table, TableSplit split, Problem problem, IReadOnlyList<string> inputs, Table? valid = null, Table? test = null)
    {
        (Table, Split, Problem, Inputs) = (table, split, problem, inputs);
        _parts[Part.Train] = (table, split);
        _parts[Part.Valid] = valid is null ? (table, split) : (valid, TableSplit.Whole(valid, Part.Valid));
        _parts[Part.Test] = test is null ? (table, split) : (test, TableSplit.Whole(test, Part.Test));
    }

    /// <summary>The table of the training rows.</summary>
    public Table Table { get; }

    /// <summary>Its split.</summary>
    public TableSplit Split { get; }

    /// <summary>What is predicted.</summary>
    public Problem Problem { get; }

    /// <summary>Names of the input columns.</summary>
    public IReadOnlyList<string> Inputs { get; }

    /// <summary>SHA-256 of each file by what it gives: data, valid, test.</summary>
    public IReadOnlyDictionary<string, string> FileHashes
    {
        get
        {
            var hashes = new Dictionary<string, string> { ["data"] = Table.DataHash };
            foreach (var (part, name) in new[] { (Part.Valid, "valid"), (Part.Test, "test") })
                if (!ReferenceEquals(_parts[part].Table, Table))
                    hashes[name] = _parts[part].Table.DataHash;
            return hashes;
        }
    }

    /// <summary>Schema of the input columns.</summary>
    public TableSchema InputSchema => new([.. Inputs.Select(name => Table.Schema.Columns[Table.Schema.IndexOf(name)])]);

    /// <summary>Rows of a part.</summary>
    public long Count(Part part) => _parts[part].Split.Count(part);

    /// <summary>The encoder fitted on the training rows for a request; fitted once.</summary>
    public FeatureEncoder Encoder(FeatureRequest request)
    {
        if (!_encoders.TryGetValue(request, out var encoder))
            _encoders[request] = encoder = FeatureEncoder.Fit(Table, Split, Problem, Inputs, request);
        return encoder;
    }

    /// <summary>A part's encoded rows, or null when it has none.</summary>
    public IExampleSource? Examples(Part part, FeatureEncoder encoder) =>
        Count(part) == 0 ? null : new EncodedTable(_parts[part].Table, _parts[part].Split, part, encoder);

    /// <summary>A part's rows as a table in memory, at most <paramref name="maxRows"/> of them, and no more than <see cref="HeldRows.MaxRows"/>.</summary>
    public Table Sample(Part part, long seed, long maxRows = TableSample.DefaultRows) =>
        TableSample.Take(_parts[part].Table, _parts[part].Split, [part], seed, Math.Min(maxRows, HeldRows.MaxRows(Problem)));

    /// <summary>Test rows that equal a training row, when there are many; else null.</summary>
    public Finding? Leakage() => Count(Part.Test) == 0 ? null
        : Profiler.SplitLeakage(Table, Split, _parts[Part.Test].Table, _parts[Part.Test].Split, Inputs, Problem.Target);

    /// <summary>Rows to learn from (training and validation, the latter only when it is of the same table) as a table of their own.</summary>
    public Table LearningRows(long seed) => TableSample.Take(Table, Split, [Part.Train, Part.Valid], seed);
}
