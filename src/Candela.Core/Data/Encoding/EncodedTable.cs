namespace Candela.Data;

/// <summary>The rows of one part of a split, encoded. When the whole table's encoding fits the memory budget, rows are encoded once, on first use, and kept;
/// shuffling is then a uniform permutation. Otherwise rows are encoded anew in every epoch: chunks come in random order in groups of <see cref="GroupChunks"/>, and the
/// rows of a group (about 262,000) are permuted together, so that memory does not grow with the table. Either order is a pure function of seed and epoch.
/// Borders of chunks and groups are not borders of batches: all batches but the last have the asked size.</summary>
public sealed class EncodedTable : IExampleSource
{
    /// <summary>Chunks whose rows are shuffled together when streaming.</summary>
    public const int GroupChunks = 4;

    /// <summary>Default of the memory budget: 256 MiB for the whole table's encoding, all its parts together.</summary>
    public const long DefaultMemoryBudget = 256L << 20;

    private const long PieceBytes = 32L << 20;
    private const int SparseGuess = 128;   // n-grams per row, before any row was seen
    private const int TextGuess = 256;     // bytes per text, likewise

    private readonly Table _table;
    private readonly TableSplit _split;
    private readonly Part _part;
    private readonly FeatureEncoder _encoder;
    private readonly long _budget, _rowBytes;
    private readonly bool _withTargets;
    private FeatureBatch? _all;
    private bool _stream;
    private Buffers? _spare;

    /// <summary>Sets up; nothing is read yet.</summary>
    /// <param name="table">The table; must outlive this object.</param>
    /// <param name="split">A split of it.</param>
    /// <param name="part">The part read.</param>
    /// <param name="encoder">A fitted encoder.</param>
    /// <param name="withTargets">Whether targets are read (default); without, the table need not have them.</param>
    /// <param name="memoryBudget">Bytes the encoding of the whole table may take to be kept; see <see cref="DefaultMemoryBudget"/>.</param>
    public EncodedTable(Table table, TableSplit split, Part part, FeatureEncoder encoder, bool withTargets = true, long memoryBudget = DefaultMemoryBudget)
    {
        if (split.Rows != table.Rows)
            throw new ShapeException($"The split is of {split.Rows} rows, the table has {table.Rows}.");
        (_table, _split, _part, _encoder, _withTargets) = (table, split, part, encoder, withTargets);
        Layout = encoder.Layout;
        _rowBytes = 4L * (Layout.DenseWidth + Layout.TokenLength + 2) + (Layout.SparseWidth > 0 ? 8L * SparseGuess : 0) + ((long)TextGuess * Layout.TextColumns);
        _stream = 4L * (Layout.DenseWidth + Layout.TokenLength + 2) * table.Rows > memoryBudget;
        _budget = (long)(memoryBudget * (Count / (double)Math.Max(1, table.Rows)));
    }

    /// <inheritdoc/>
    public long Count => _split.Count(_part);

    /// <inheritdoc/>
    public FeatureLayout Layout { get; }

    /// <summary>What encodes the rows. Its class counts and target moments are those of the training rows.</summary>
    public FeatureEncoder Encoder => _encoder;

    /// <summary>The part read.</summary>
    public Part Part => _part;

    /// <summary>True when rows are kept encoded; decided on first use for text, whose size is not known before.</summary>
    public bool InMemory => !_stream && EncodeAll() is not null;

    /// <inheritdoc/>
    public IEnumerable<FeatureBatch> Batches(BatchPlan plan)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(plan.BatchSize, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(plan.Skip);
        return !_stream && EncodeAll() is { } all ? Kept(all, plan) : plan is { TargetsOnly: true, ShuffleSeed: null, Skip: 0 } ? Targets(plan.BatchSize) : Streamed(plan);
    }

    private IEnumerable<FeatureBatch> Targets(int size)
    {
        var batch = new FeatureBatch();
        int[] rows = [];
        foreach (TableChunk chunk in _table.Pass())
        {
            int count = _split.RowsIn(chunk, _part, ref rows).Length;
            for (int start = 0; start < count; start += size)
            {
                _encoder.EncodeTargets(chunk, rows.AsSpan(start, Math.Min(size, count - start)), batch);
                yield return batch;
            }
        }
    }

    private IEnumerable<FeatureBatch> Kept(FeatureBatch all, BatchPlan plan)
    {
        GarbageBound.Hold();
        var order = new int[all.Count];
        for (int i = 0; i < order.Length; i++)
            order[i] = i;
        if (plan.ShuffleSeed is { } seed)
            new Rng(seed, plan.Epoch).Shuffle(order.AsSpan());
        var gather = new RowGather(Layout, plan.BatchSize);
        for (long start = plan.Skip * plan.BatchSize; start < order.Length; start += plan.BatchSize)
        {
            gather.Clear();
            gather.Append(all, order.AsSpan((int)start, (int)Math.Min(plan.BatchSize, order.Length - start)));
            yield return gather.Batch;
        }
    }

    private IEnumerable<FeatureBatch> Streamed(BatchPlan plan)
    {
        var chunks = new int[_table.ChunkCount];
        for (int i = 0; i < chunks.Length; i++)
            chunks[i] = i;
        if (plan.ShuffleSeed is { } seed)
            new Rng(seed, plan.Epoch).Shuffle(chunks.AsSpan());
        int groupChunks = plan.ShuffleSeed is null ? 1 : GroupChunks, pieceRows = (int)Math.Clamp(PieceBytes / _rowBytes, 1, 1 << 20);
        long skip = plan.Skip * plan.BatchSize;
        var gather = new RowGather(Layout, plan.BatchSize);
        Buffers buffers = Interlocked.Exchange(ref _spare, null) ?? new Buffers();
        for (int first = 0; first < chunks.Length; first += groupChunks)
        {
            ArraySegment<int> group = new(chunks, first, Math.Min(groupChunks, chunks.Length - first));
            if (skip > 0)
            {
                long inGroup = group.Sum(c => (long)_split.CountIn(_table.FirstRow(c), _table.RowsIn(c), _part));
                if (skip >= inGroup)
                {
                    skip -= inGroup;
                    continue;
                }
            }

            GarbageBound.Hold();
            var read = new TableChunk[group.Count];
            for (int i = 0; i < read.Length; i++)
                read[i] = _table.ReadChunk(group[i], buffers.Chunks[i]);
            int rows = Order(read, buffers);
            if (plan.ShuffleSeed is { } groupSeed)
                new Rng((long)Rng.Mix((ulong)groupSeed ^ Rng.Mix((ulong)first + 1)), plan.Epoch).Shuffle(buffers.Order.AsSpan(0, rows));
            buffers.Reserve(Math.Min(pieceRows, read.Sum(chunk => chunk.Rows)), Layout);
            int done = (int)skip;
            skip = 0;
            while (done < rows)
            {
                int length = Math.Min(pieceRows, rows - done);
                Encode(read, buffers.Order.AsSpan(done, length), buffers);
                done += length;
                for (int used = 0; used < length;)
                {
                    int taken = Math.Min(length - used, plan.BatchSize - gather.Batch.Count);
                    gather.Append(buffers.Piece, buffers.Places.AsSpan(used, taken));
                    used += taken;
                    if (gather.Batch.Count < plan.BatchSize)
                        continue;
                    yield return gather.Batch;
                    gather.Clear();
                }
            }
        }

        _spare = buffers;
        if (gather.Batch.Count > 0)
            yield return gather.Batch;
    }

    /// <summary>Writes the part's rows of a group into <see cref="Buffers.Order"/>, each as chunk of the group x stride + row of the chunk; returns how many there are.</summary>
    private int Order(TableChunk[] group, Buffers buffers)
    {
        int total = 0, at = 0, stride = Stride(group);
        foreach (TableChunk chunk in group)
        {
            // A table made from chunks may have larger ones; the packing below needs room for the row.
            if (chunk.Rows > int.MaxValue / GroupChunks)
                throw new ShapeException($"A chunk of {chunk.Rows} rows is too large; make chunks of at most {Table.ChunkRows} rows.");
            total += chunk.Rows;
        }

        if (buffers.Order.Length < total)
            buffers.Order = new int[total];
        for (int i = 0; i < group.Length; i++)
            foreach (int row in _split.RowsIn(group[i], _part, ref buffers.Rows))
                buffers.Order[at++] = (i * stride) + row;
        return at;
    }

    private static int Stride(TableChunk[] group) => Math.Max(1, group.Max(chunk => chunk.Rows));

    /// <summary>Encodes the ordered rows chunk by chunk into <see cref="Buffers.Piece"/>; <see cref="Buffers.Places"/> tells where in it each went.</summary>
    private void Encode(TableChunk[] group, ReadOnlySpan<int> order, Buffers buffers)
    {
        int at = 0, stride = Stride(group);
        for (int chunk = 0; chunk < group.Length; chunk++)
        {
            int count = 0;
            for (int i = 0; i < order.Length; i++)
            {
                if (order[i] / stride != chunk)
                    continue;
                buffers.Places[i] = at + count;
                buffers.Rows[count++] = order[i] % stride;
            }

            _encoder.Encode(group[chunk], buffers.Rows.AsSpan(0, count), buffers.Piece, at, _withTargets);
            at += count;
        }
    }

    private FeatureBatch? EncodeAll()
    {
        if (_all is not null || _stream)
            return _all;
        var all = new FeatureBatch { Dense = new float[Count * Layout.DenseWidth], Tokens = new int[Count * Layout.TokenLength], SparseStarts = new int[Layout.SparseWidth > 0 ? Count + 1 : 1] };
        int[] buffer = [];
        long textBytes = 0;
        foreach (TableChunk chunk in _table.Pass())
        {
            ReadOnlySpan<int> rows = _split.RowsIn(chunk, _part, ref buffer);
            if (rows.Length == 0)
                continue;
            int before = all.Count;
            _encoder.Encode(chunk, rows, all, before, _withTargets);
            for (int i = before * Layout.TextColumns; i < all.Count * Layout.TextColumns; i++)
                textBytes += 2L * all.Texts[i].Length;
            if ((Layout.SparseWidth == 0 && Layout.TextColumns == 0) || textBytes + (Layout.SparseWidth == 0 ? 0 : 8L * all.SparseStarts[all.Count]) + (all.Count * 4L * (Layout.DenseWidth + Layout.TokenLength)) <= _budget)
                continue;
            _stream = true;
            return null;
        }

        return _all = all;
    }

    /// <summary>What a streaming pass needs, lent from pass to pass: new ones in every epoch would be a hundred megabytes of garbage.</summary>
    private sealed class Buffers
    {
        /// <summary>Rows of a chunk.</summary>
        public int[] Rows = [];

        /// <summary>What the chunks of a group are read into.</summary>
        public ChunkBuffers[] Chunks { get; } = [.. Enumerable.Range(0, GroupChunks).Select(_ => new ChunkBuffers())];

        public int[] Order { get; set; } = [];

        public int[] Places { get; private set; } = [];

        public FeatureBatch Piece { get; } = new();

        /// <summary>Makes room for the rows of a piece at once, where growing chunk by chunk would take twice the memory.</summary>
        public void Reserve(int rows, FeatureLayout layout)
        {
            if (Places.Length < rows)
                Places = new int[rows];
            if (Piece.Dense.Length < (long)rows * layout.DenseWidth)
                Piece.Dense = GC.AllocateUninitializedArray<float>(rows * layout.DenseWidth);
        }
    }
}
