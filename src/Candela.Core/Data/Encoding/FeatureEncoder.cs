namespace Candela.Data;

/// <summary>Turns table rows into numbers. Fitted on the training rows of a split and on nothing else, saved as <c>preprocessing.json</c>, and opened again with
/// bit-identical encodings. Constant and identifier columns among the inputs are left out. May be used from several threads at once.
/// <para><see cref="FeatureStyle.Scaled"/>: numbers are imputed by the median (with a <c>name=missing</c> indicator when training had missing cells) and standardised,
/// strongly skewed ones also or only as a logarithm (<see cref="SkewedNumbers"/>), with <see cref="FeatureRequest.QuantileBins"/> also as piecewise-linear codes;
/// dates become days, year, season, weekday and time of day; categories one 0/1 feature per name met in at least one of 200 training rows (10 rows suffice), at most 64,
/// and <c>name=(other)</c> and <c>name=(missing)</c> where training had such. An image is the only input, its pixels standardised per channel.</para>
/// <para><see cref="FeatureStyle.Raw"/>: numbers as they are, NaN for missing; categories as codes by training frequency, NaN for missing or unseen; dates as days, month, weekday.</para>
/// <para>Text becomes hashed n-grams (words, word pairs and word beginnings and endings; characters, pairs and triples where the script has no spaces) in 2^18 buckets and, when asked for, token ids, or stays as it is.</para></summary>
public sealed class FeatureEncoder
{
    private readonly PreprocessingState _state;
    private readonly ColumnCode[] _codes;      // one per dense input column
    private readonly int[] _offsets;           // first dense feature of each
    private readonly string[] _texts;
    private readonly NgramCode? _ngrams;
    private readonly TokenCode? _tokens;
    private readonly int _width;
    private EncodeScratch? _spare;

    internal FeatureEncoder(PreprocessingState state)
    {
        _state = state;
        bool raw = state.Request.Style == FeatureStyle.Raw;
        List<ColumnCode> codes = [];
        List<string> texts = [], names = [];
        List<int> offsets = [], sources = [], cardinalities = [];
        IReadOnlyList<int>? image = null;
        var schema = new ColumnSchema[state.Columns.Length];
        for (int i = 0; i < schema.Length; i++)
        {
            ColumnState column = state.Columns[i];
            schema[i] = new ColumnSchema(column.Name, column.Kind) { Image = column.Pixels?.Shape, Date = column.Date?.Form };
            ColumnCode? code = column switch
            {
                { Number: { } number } => new NumberCode(column.Name, number, raw),
                { Category: { } category } => new CategoryCode(column.Name, category, raw, anyCase: column.Kind == ColumnKind.Boolean),
                { Date: { } date } => new DateCode(column.Name, date, raw),
                { Pixels: { } pixels } => new PixelCode(column.Name, pixels, raw),
                _ => null,
            };
            if (code is null)
            {
                texts.Add(column.Name);
                continue;
            }

            if (column.Pixels is { Shape: var shape })
                image = [shape.Channels, shape.Height, shape.Width];
            codes.Add(code);
            offsets.Add(names.Count);
            foreach (string name in code.Features)
            {
                names.Add(name);
                sources.Add(i);
                cardinalities.Add(code.Cardinality);
            }
        }

        (_codes, _offsets, _texts) = ([.. codes], [.. offsets], [.. texts]);
        if (state.Ngrams is { } ngrams)
            _ngrams = new NgramCode(ngrams.Buckets, ngrams.Documents, NgramCode.Unpack(ngrams.Frequencies, ngrams.Buckets));
        if (state.Tokens is { } tokens)
            _tokens = new TokenCode(tokens);
        Inputs = new TableSchema(schema) { Reading = state.Reading is { } reading ? reading with { Target = state.Problem.Target } : null };
        ColumnKind target = state.TargetKind ?? (state.Problem.IsClassification ? ColumnKind.Category : ColumnKind.Number);
        Labelled = Inputs with { Columns = [.. schema, new ColumnSchema(state.Problem.Target, target) { Date = state.TargetDate }] };
        Layout = new FeatureLayout
        {
            DenseShape = image ?? [names.Count],
            DenseNames = names,
            DenseSources = sources,
            Cardinalities = raw && image is null ? cardinalities : [],
            SparseWidth = _ngrams?.Width ?? 0,
            TokenLength = _tokens?.Length ?? 0,
            TokenVocabulary = _tokens?.Vocabulary ?? 0,
            TextColumns = state.Request.TextAsIs ? _texts.Length : 0,
        };
        _width = Layout.DenseWidth;
    }

    /// <summary>What each encoded row holds.</summary>
    public FeatureLayout Layout { get; }

    /// <summary>Task, target and classes.</summary>
    public Problem Problem => _state.Problem;

    /// <summary>The columns read, by name and kind; the target is not among them.</summary>
    public TableSchema Inputs { get; }

    /// <summary>The inputs, then the target.</summary>
    internal TableSchema Labelled { get; }

    /// <summary>What was asked for.</summary>
    public FeatureRequest Request => _state.Request;

    /// <summary>Rows the encoder was fitted on.</summary>
    public long TrainingRows => _state.TrainingRows;

    /// <summary>Mean of the training targets; NaN for classification.</summary>
    public double TargetMean => _state.Target?.Mean ?? double.NaN;

    /// <summary>Population standard deviation of the training targets; NaN for classification.</summary>
    public double TargetDeviation => _state.Target?.Deviation ?? double.NaN;

    /// <summary>Training rows of each class; empty for regression.</summary>
    public IReadOnlyList<long> ClassCounts => _state.ClassCounts ?? [];

    /// <summary>Fits in one pass over the table. Medians and quantiles are exact up to 100,000 training rows (fewer on tables of more than 160 columns), else those of a seeded uniform sample.</summary>
    /// <exception cref="DataException">An unknown input, an image beside other inputs, no usable input, or no training row.</exception>
    public static FeatureEncoder Fit(Table table, TableSplit split, Problem problem, IReadOnlyList<string> inputs, FeatureRequest request) =>
        new(EncoderFit.Run(table, split, problem, inputs, request));

    /// <summary>Encodes every row of a chunk into <paramref name="into"/>, whose arrays grow when needed and are otherwise reused. Columns are found by name.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="into">Receives them.</param>
    /// <param name="withTargets">Whether labels or targets are read too; without, they are left empty.</param>
    /// <exception cref="DataException">A column is missing or holds cells of another kind; or a target is empty or of an unknown class.</exception>
    public void Encode(TableChunk rows, FeatureBatch into, bool withTargets) => Encode(rows, RowNumbers.UpTo(rows.Rows), into, 0, withTargets);

    /// <summary>Writes preprocessing.json into an existing folder.</summary>
    public void Save(string folder) => PreprocessingFile.Write(Path.Combine(folder, PreprocessingFile.Name), _state);

    /// <summary>Opens the preprocessing.json of a folder.</summary>
    /// <exception cref="FileFormatException">It is missing, damaged, changed by hand, or of a newer version.</exception>
    public static FeatureEncoder Open(string folder) => new(PreprocessingFile.Read(Path.Combine(folder, PreprocessingFile.Name)));

    /// <summary>Encodes chosen rows of a chunk as rows <paramref name="at"/>, at + 1, ... of <paramref name="into"/>, keeping what is before.</summary>
    internal void Encode(TableChunk chunk, ReadOnlySpan<int> rows, FeatureBatch into, int at, bool withTargets)
    {
        int end = at + rows.Length;
        into.Count = end;
        if (_width > 0)
        {
            into.Dense = Grown(into.Dense, (long)at * _width, (long)end * _width);
            for (int i = 0; i < _codes.Length && rows.Length > 0; i++)
                _codes[i].Encode(Find(chunk, _codes[i].Column), rows, into.Dense.AsSpan((at * _width) + _offsets[i]), _width);
        }

        if (_ngrams is not null || _tokens is not null || Layout.TextColumns > 0)
            EncodeText(chunk, rows, into, at);
        if (!withTargets)
        {
            (into.Labels, into.Targets) = ([], []);
            return;
        }

        ReadTargets(chunk, rows, into, at);
    }

    /// <summary>Reads only the labels or targets of chosen rows of a chunk, as rows 0, 1, ... of <paramref name="into"/>.</summary>
    internal void EncodeTargets(TableChunk chunk, ReadOnlySpan<int> rows, FeatureBatch into)
    {
        into.Count = rows.Length;
        ReadTargets(chunk, rows, into, 0);
    }

    private void ReadTargets(TableChunk chunk, ReadOnlySpan<int> rows, FeatureBatch into, int at)
    {
        int end = at + rows.Length;
        EncodeScratch scratch = Interlocked.Exchange(ref _spare, null) ?? new EncodeScratch(_ngrams, Problem);
        if (Problem.IsClassification)
        {
            into.Labels = Grown(into.Labels, at, end);
            scratch.Targets.Labels(chunk, rows, into.Labels.AsSpan(at));
        }
        else
        {
            into.Targets = Grown(into.Targets, at, end);
            scratch.Targets.Values(chunk, rows, into.Targets.AsSpan(at));
        }

        _spare = scratch;
    }

    private void EncodeText(TableChunk chunk, ReadOnlySpan<int> rows, FeatureBatch into, int at)
    {
        EncodeScratch scratch = Interlocked.Exchange(ref _spare, null) ?? new EncodeScratch(_ngrams, Problem);
        var texts = new string?[_texts.Length][];
        for (int column = 0; column < texts.Length; column++)
            texts[column] = Texts(Find(chunk, _texts[column]), _texts[column]);
        int length = _tokens?.Length ?? 0;
        if (_ngrams is not null)
            into.SparseStarts = Grown(into.SparseStarts, at + 1, at + rows.Length + 1);
        if (_tokens is not null)
        {
            into.Tokens = Grown(into.Tokens, (long)at * length, (long)(at + rows.Length) * length);
            into.Tokens.AsSpan(at * length, rows.Length * length).Clear();
        }

        if (Layout.TextColumns > 0)
        {
            into.Texts = Grown(into.Texts, (long)at * texts.Length, (long)(at + rows.Length) * texts.Length);
            for (int i = 0; i < rows.Length; i++)
                for (int column = 0; column < texts.Length; column++)
                    into.Texts[((at + i) * texts.Length) + column] = texts[column][rows[i]] ?? "";
        }

        for (int i = 0; i < rows.Length && (_ngrams is not null || _tokens is not null); i++)
        {
            int filled = 0;
            for (int column = 0; column < texts.Length; column++)
            {
                scratch.Units.Read(texts[column][rows[i]]);
                if (_ngrams is not null)
                    NgramCode.Count(scratch.Units, column, scratch.Ngrams!);
                if (_tokens is not null)
                    filled = _tokens.Append(scratch.Units, into.Tokens.AsSpan((at + i) * length, length), filled);
            }

            _ngrams?.Append(scratch.Ngrams!, into, at + i);
        }

        _spare = scratch;
    }

    private static string?[] Texts(TableColumn cells, string name) => cells switch
    {
        TextColumn texts => texts.Values,
        CategoryColumn category => Array.ConvertAll(category.Codes, code => code < 0 ? null : category.Names[code]),
        NumberColumn numbers => Array.ConvertAll(numbers.Values, value => float.IsNaN(value) ? null : CellText.Of(value)),
        _ => throw new DataException($"Column '{name}' holds images where the model was trained on text."),
    };

    private TableColumn Find(TableChunk chunk, string name)
    {
        int index = chunk.Schema.IndexOf(name);
        if (index >= 0)
            return chunk.Columns[index];
        var names = chunk.Schema.Columns.Select(c => c.Name);
        throw new DataException($"The data has no column '{name}', which the model was trained on.{NearestName.Hint(name, names)} Needed: {Some(Inputs.Columns.Select(c => c.Name))}. Found: {Some(names)}.");
    }

    private static string Some(IEnumerable<string> names) => string.Join(", ", names.Take(30)) + (names.Skip(30).Any() ? ", ..." : "");

    private static T[] Grown<T>(T[] array, long kept, long needed)
    {
        if (array.Length >= needed)
            return array;
        if (needed > Array.MaxLength)
            throw new DataException($"{needed} encoded numbers do not fit one batch; encode fewer rows at a time.");
        var grown = new T[kept == 0 ? needed : Math.Min(Array.MaxLength, Math.Max(needed, kept + (kept / 2)))];
        Array.Copy(array, grown, Math.Min(kept, array.Length));
        return grown;
    }

    /// <summary>Buffers of one call, lent from call to call.</summary>
    private sealed class EncodeScratch(NgramCode? ngrams, Problem problem)
    {
        public TextUnits Units { get; } = new();

        public NgramScratch? Ngrams { get; } = ngrams is null ? null : new NgramScratch(ngrams.Width);

        public TargetReader Targets { get; } = new(problem);
    }
}
