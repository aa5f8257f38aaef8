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

    private readonly Table _table;
    private readonly TableSplit _split;
    private readonly Part _part;
    private readonly FeatureEncoder _encoder;
    private readonly long _budget, _rowBytes;
    private readonly bool _withTargets;
    private FeatureBatch? _all;
    private bool _stream;

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
        _rowBytes = 4L * (Layout.DenseWidth + Layout.TokenLength + 2) + (Layout.SparseWidth > 0 ? 8L * SparseGuess : 0);
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
        foreach (TableChunk chunk in _table.Chunks())
        {
            int[] rows = _split.RowsIn(chunk, _part);
            for (int start = 0; start < rows.Length; start += size)
            {
                _encoder.EncodeTargets(chunk, rows.AsSpan(start, Math.Min(size, rows.Length - start)), batch);
                yield return batch;
            }
        }
    }

    private IEnumerable<FeatureBatch> Kept(FeatureBatch all, BatchPlan plan)
    {
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
        var piece = new FeatureBatch();
        int[] places = [], rows = [];
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

            TableChunk[] read = [.. group.Select(_table.ReadChunk)];
            int[] order = Order(read);
            if (plan.ShuffleSeed is { } groupSeed)
                new Rng((long)Rng.Mix((ulong)groupSeed ^ Rng.Mix((ulong)first + 1)), plan.Epoch).Shuffle(order.AsSpan());
            int done = (int)skip;
            skip = 0;
            while (done < order.Length)
            {
                int length = Math.Min(pieceRows, order.Length - done);
                if (places.Length < length)
                    (places, rows) = (new int[length], new int[length]);
                Encode(read, order.AsSpan(done, length), piece, places, rows);
                done += length;
                for (int used = 0; used < length;)
                {
                    int taken = Math.Min(length - used, plan.BatchSize - gather.Batch.Count);
                    gather.Append(piece, places.AsSpan(used, taken));
                    used += taken;
                    if (gather.Batch.Count < plan.BatchSize)
                        continue;
                    yield return gather.Batch;
                    gather.Clear();
                }
            }
        }

        if (gather.Batch.Count > 0)
            yield return gather.Batch;
    }

    /// <summary>The part's rows of a group, each as chunk of the group x ChunkRows + row of the chunk.</summary>
    private int[] Order(TableChunk[] group)
    {
        var rows = new int[group.Length][];
        for (int i = 0; i < group.Length; i++)
        {
            // A table made from chunks may have larger ones; the packing below needs room for the row.
            if (group[i].Rows > int.MaxValue / GroupChunks)
                throw new ShapeException($"A chunk of {group[i].Rows} rows is too large; make chunks of at most {Table.ChunkRows} rows.");
            rows[i] = _split.RowsIn(group[i], _part);
        }

        var order = new int[rows.Sum(r => r.Length)];
        int at = 0, stride = Stride(group);
        for (int i = 0; i < rows.Length; i++)
            foreach (int row in rows[i])
                order[at++] = (i * stride) + row;
        return order;
    }

    private static int Stride(TableChunk[] group) => Math.Max(1, group.Max(chunk => chunk.Rows));

    /// <summary>Encodes the ordered rows chunk by chunk; <paramref name="places"/> tells where in <paramref name="piece"/> each went.</summary>
    private void Encode(TableChunk[] group, ReadOnlySpan<int> order, FeatureBatch piece, int[] places, int[] rows)
    {
        int at = 0, stride = Stride(group);
        for (int chunk = 0; chunk < group.Length; chunk++)
        {
            int count = 0;
            for (int i = 0; i < order.Length; i++)
            {
                if (order[i] / stride != chunk)
                    continue;
                places[i] = at + count;
                rows[count++] = order[i] % stride;
            }

            _encoder.Encode(group[chunk], rows.AsSpan(0, count), piece, at, _withTargets);
            at += count;
        }
    }

    private FeatureBatch? EncodeAll()
    {
        if (_all is not null || _stream)
            return _all;
        var all = new FeatureBatch { Dense = new float[Count * Layout.DenseWidth], Tokens = new int[Count * Layout.TokenLength], SparseStarts = new int[Layout.SparseWidth > 0 ? Count + 1 : 1] };
        foreach (TableChunk chunk in _table.Chunks())
        {
            int[] rows = _split.RowsIn(chunk, _part);
            if (rows.Length == 0)
                continue;
            _encoder.Encode(chunk, rows, all, all.Count, _withTargets);
            if (Layout.SparseWidth == 0 || (8L * all.SparseStarts[all.Count]) + (all.Count * 4L * (Layout.DenseWidth + Layout.TokenLength)) <= _budget)
                continue;
            _stream = true;
            return null;
        }

        return _all = all;
    }
}
