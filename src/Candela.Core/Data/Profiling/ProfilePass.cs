namespace Candela.Data;

/// <summary>The accumulators of one pass over a table.</summary>
internal sealed class ProfilePass
{
    private const int RegressionClasses = 256;
    private readonly Dictionary<string, TargetCopy> _copies = [];
    private readonly Dictionary<string, int> _correlated = [];
    private readonly TargetCorrelation[] _correlations;
    private readonly Dictionary<float, int> _targetValues = [];
    private readonly HashSet<ulong> _rows;
    private readonly RowHash _hash;
    private readonly TargetReader _reader;
    private int[] _labels = [];
    private float[] _targets = [];

    public ProfilePass(Table table, Problem problem, IReadOnlyList<string> inputs, long seed)
    {
        (Table, Problem, _reader) = (table, problem, new TargetReader(problem));
        IReadOnlyList<ColumnSchema> columns = table.Schema.Columns;
        Statistics = [.. columns.Select((c, i) => ColumnStatistics.For(c.Kind, columns.Count, seed + i))];
        Usable = [.. inputs.Where(name => Kind(name) is not (ColumnKind.Constant or ColumnKind.Identifier) && name != problem.Target)];
        foreach (string name in Usable)
        {
            if (Kind(name) is ColumnKind.Text or ColumnKind.Image)
                continue;
            _copies[name] = new TargetCopy(problem.IsClassification ? problem.Classes.Count : RegressionClasses);
            if (!problem.IsClassification && Kind(name) is ColumnKind.Number or ColumnKind.Integer or ColumnKind.Date)
                _correlated[name] = _correlated.Count;
        }

        _correlations = new TargetCorrelation[_correlated.Count];
        _rows = new HashSet<ulong>((int)Math.Min(table.Rows, Profiler.DuplicateRowsChecked));
        _hash = new RowHash([.. columns.Where(c => c.Kind != ColumnKind.Identifier).Select(c => c.Name)]);
        ClassCounts = new long[problem.Classes.Count];

        ColumnKind Kind(string name) => table.Schema.IndexOf(name) is >= 0 and var index ? columns[index].Kind
            : throw new DataException($"There is no column '{name}' to learn from.{NearestName.Hint(name, columns.Select(c => c.Name))}");
    }

    public Table Table { get; }

    public Problem Problem { get; }

    public ColumnStatistics[] Statistics { get; }

    public IReadOnlyList<string> Usable { get; }

    public long[] ClassCounts { get; }

    public long Rows { get; private set; }

    public long Hashed { get; private set; }

    public long Duplicates { get; private set; }

    /// <summary>Whether the column is the target under other names.</summary>
    public bool IsCopy(string name) => _copies.TryGetValue(name, out TargetCopy? copy) && copy.Holds(Problem.IsClassification ? Problem.Classes.Count : _targetValues.Count);

    public TargetCorrelation? CorrelationOf(string name) => _correlated.TryGetValue(name, out int index) ? _correlations[index] : null;

    public void Add(TableChunk chunk)
    {
        Rows += chunk.Rows;
        for (int i = 0; i < Statistics.Length; i++)
            Statistics[i].Add(chunk.Columns[i]);
        if (_labels.Length < chunk.Rows)
            (_labels, _targets) = (new int[chunk.Rows], new float[chunk.Rows]);
        Span<int> labels = _labels.AsSpan(0, chunk.Rows);
        if (Problem.IsClassification)
        {
            _reader.Labels(chunk, RowNumbers.UpTo(chunk.Rows), labels);
            foreach (int label in labels)
                ClassCounts[label]++;
        }
        else
        {
            _reader.Values(chunk, RowNumbers.UpTo(chunk.Rows), _targets);
            foreach (var (name, index) in _correlated)
                _correlations[index].Add(((NumberColumn)chunk.Column(name)).Values, _targets.AsSpan(0, chunk.Rows));
            if (!NumberTargets(labels))
                _copies.Clear();
        }

        foreach (var (name, copy) in _copies)
            if (copy.Possible)
                copy.Add(chunk.Column(name), labels);
        if (Hashed >= Profiler.DuplicateRowsChecked)
            return;
        ReadOnlySpan<ulong> hashes = _hash.Of(chunk);
        for (int i = 0; i < hashes.Length && Hashed < Profiler.DuplicateRowsChecked; i++, Hashed++)
            Duplicates += _rows.Add(hashes[i]) ? 0 : 1;
    }

    /// <summary>Numbers the values of a regression target that has few; false when there are too many.</summary>
    private bool NumberTargets(Span<int> labels)
    {
        if (_copies.Count == 0)
            return false;
        for (int i = 0; i < labels.Length; i++)
        {
            if (!_targetValues.TryGetValue(_targets[i], out labels[i]))
            {
                if (_targetValues.Count == RegressionClasses)
                    return false;
                _targetValues[_targets[i]] = labels[i] = _targetValues.Count;
            }
        }

        return true;
    }
}
