using Candela.Training.DenseNets;
using Candela.Training.Language;
using Candela.Training.Tasks;
using Candela.Training.Transformers.Kernels;
using static TorchSharp.torch;

namespace Candela.Training.Transformers;

/// <summary>Runs a causal network on the CPU without libtorch's autograd: its own products and kernels, memory that is used again every step, norms and activations computed a second time instead
/// of kept, and the loss over a piece of the logits at a time, so that [tokens, vocabulary] never exists as a whole. Twin: the same network's layers on libtorch.</summary>
/// <remarks>Float32, exact up to the order of sums; results do not depend on the number of threads. Weights are read where the layers have them; gradients are added where <c>grad</c> points.</remarks>
internal sealed unsafe class TransformerEngine : IDisposable
{
    private const int LogitFloats = 4 << 20; // of a piece of the logits: 16 MiB
    private readonly CausalNetwork _network;
    private readonly CausalBody _body;
    private readonly TransformerBlock[] _blocks;
    private readonly NormOp _norm;
    private readonly AffineOp _head;
    private readonly LayerParameter _table;
    private readonly LayerParameter? _positions;
    private readonly bool _recompute;
    private readonly int _width;
    private readonly AlignedFloats?[] _kept;
    private AlignedFloats? _states, _scratch;
    private WorkPool? _pool;
    private TransformerBlock.Kept[] _keptAt = [];
    private ulong _embeddingKey;

    private TransformerEngine(CausalNetwork network, bool recompute)
    {
        (_network, _body, _recompute) = (network, network.Body, recompute);
        _blocks = [.. _body.Blocks.Select(b => new TransformerBlock(b.Parts))];
        _norm = TransformerBlock.Norm(_body.Norm);
        _table = _body.Embedding.Table;
        _positions = _body.Positions?.Table;
        _head = new AffineOp(network.Head ?? (ILowRankHost)new TiedHead(_table));
        _width = _norm.Width;
        _kept = new AlignedFloats?[_blocks.Length];
    }

    /// <summary>The engine of a network, or null where it can not run it: weights that are not float32 on the CPU.</summary>
    /// <param name="network">Built; it stays the caller's.</param>
    /// <param name="recompute">Keep nothing of a block but its input and run it again on the way back: less memory for about a third more time.</param>
    public static TransformerEngine? Create(CausalNetwork network, bool recompute = false)
    {
        var engine = new TransformerEngine(network, recompute);
        bool fits = engine._blocks.SelectMany(b => b.Parameters).Concat(TransformerBlock.NormParameters(engine._body.Norm)).Concat(engine._head.Parameters).Append(engine._table)
            .Concat(engine._positions is null ? [] : [engine._positions]).All(ParameterMemory.Fits);
        if (fits)
            return engine;
        engine.Dispose();
        return null;
    }

    /// <summary>Mean loss of the learned tokens, whose gradient times <paramref name="scale"/> is added to the parameters' gradients.</summary>
    public BatchLoss Differentiate(TokenBatch batch, double scale)
    {
        TransformerPass pass = Begin(batch, training: true, out Tensor[] tables);
        // The lowest part that is trained: -1 the embeddings, then the blocks, then norm and head. Below it nothing is kept and no gradient goes.
        bool embeds = _table.Value.requires_grad || _positions is { Value.requires_grad: true };
        int lowest = embeds ? -1 : Array.FindIndex(_blocks, b => b.Trains);
        if (lowest < 0 && !embeds)
            lowest = _blocks.Length;
        Rows[] states = Memory(pass, lowest, backwards: true, out TransformerBlock.Scratch scratch, out Rows normal, out Rows gradient, out float* statistics);
        Forward(pass, batch, states, scratch);
        Rows last = states[^1];
        _norm.Forward(pass.Pool, last, normal, statistics, pass.Rows);
        double[] losses = new double[pass.Sequences];
        Loss(pass, batch, normal, lowest < _blocks.Length || _norm.Trains ? gradient : default, (float)(scale / batch.Learned), losses);
        if (lowest < _blocks.Length || _norm.Trains)
            _norm.Backward(pass.Pool, last, gradient, gradient, statistics, pass.Rows, add: false);
        for (int i = _blocks.Length - 1; i >= Math.Max(0, lowest); i--)
        {
            if (_recompute)
                _blocks[i].Forward(pass, states[i], default, _keptAt[i], scratch);
            _blocks[i].Backward(pass, states[i], gradient, _keptAt[i], scratch);
        }

        if (lowest < 0)
            EmbedBackward(pass, batch, gradient);
        foreach (Tensor table in tables)
            table.Dispose();
        return new BatchLoss(losses.Sum(), batch.Learned);
    }

    /// <summary>The summed loss of each sequence, in evaluation mode.</summary>
    public float[] Losses(TokenBatch batch)
    {
        TransformerPass pass = Begin(batch, training: false, out Tensor[] tables);
        Rows[] states = Memory(pass, _blocks.Length, backwards: false, out TransformerBlock.Scratch scratch, out Rows normal, out _, out float* statistics);
        Forward(pass, batch, states, scratch);
        _norm.Forward(pass.Pool, states[^1], normal, statistics, pass.Rows);
        double[] losses = new double[pass.Sequences];
        Loss(pass, batch, normal, default, 0, losses);
        foreach (Tensor table in tables)
            table.Dispose();
        return [.. losses.Select(l => (float)l)];
    }

    public void Dispose()
    {
        foreach (TransformerBlock block in _blocks)
            block.Dispose();
        _norm.Dispose();
        _head.Dispose();
        foreach (AlignedFloats? memory in _kept)
            memory?.Dispose();
        _states?.Dispose();
        _scratch?.Dispose();
        _pool?.Dispose();
    }

    private TransformerPass Begin(TokenBatch batch, bool training, out Tensor[] tables)
    {
        Check(batch);
        int threads = get_num_threads();
        if (_pool?.Threads != threads)
        {
            _pool?.Dispose();
            _pool = new WorkPool(threads);
        }

        _embeddingKey = training && _body.EmbeddingDropout is { } dropout ? dropout.NextKey() : 0;
        foreach (TransformerBlock block in _blocks)
            block.Bind(training);
        _norm.Bind();
        _head.Bind(training);
        tables = _body.Rotary?.Tables(0, batch.Length, ScalarType.Float32, CPU) ?? [];
        return new TransformerPass(_pool, batch.Count, batch.Length)
        {
            Cosines = tables.Length == 0 ? null : (float*)TensorAddress.Of(tables[0]),
            Sines = tables.Length == 0 ? null : (float*)TensorAddress.Of(tables[1]),
            Turning = _body.Rotary?.Dimensions ?? 0,
        };
    }

    // Rows of tables are read and written by these numbers without another look.
    private void Check(TokenBatch batch)
    {
        int tokens = batch.Count * batch.Length, vocabulary = _network.VocabularySize;
        if (_positions is not null && batch.Length > _positions.Value.size(0))
            throw new ShapeException($"Sequences of {batch.Length} tokens were given; the model has {_positions.Value.size(0)} positions. Give a --block of no more.");
        for (int i = 0; i < tokens; i++)
        {
            long id = batch.Inputs[i], target = batch.Targets[i];
            if ((ulong)id >= (ulong)vocabulary || (target != TokenBatch.Ignored && (ulong)target >= (ulong)vocabulary))
                throw new ShapeException($"Token {((ulong)id >= (ulong)vocabulary ? id : target)} is outside the model's vocabulary of {vocabulary}: its tokenizer has tokens that the model has no row for. Give the tokenizer that belongs to the model.");
        }
    }

    // Inputs of all blocks and the last one's output; two take turns where nothing of them is needed again.
    private Rows[] Memory(TransformerPass pass, int lowest, bool backwards, out TransformerBlock.Scratch scratch, out Rows normal, out Rows gradient, out float* statistics)
    {
        int rows = pass.Rows, slab = pass.SlabSequences * pass.Tokens, kept = Math.Max(0, lowest);
        var states = new Rows[_blocks.Length + 1];
        var counted = new Carver(null);
        for (int i = 0; i < _blocks.Length - kept + 1 + Math.Min(kept, 2) + (backwards ? 2 : 1); i++)
            counted.Take((long)rows * _width);
        counted.Take(2L * rows);
        var memory = new Carver(Reserve(ref _states, counted.Length));
        float*[] turns = new float*[2];
        for (int i = 0; i < Math.Min(kept, 2); i++)
            turns[i] = memory.Take((long)rows * _width);
        for (int i = 0; i < states.Length; i++)
            states[i] = new Rows(i < kept ? turns[i % 2] : memory.Take((long)rows * _width), _width);
        normal = new Rows(memory.Take((long)rows * _width), _width);
        gradient = backwards ? new Rows(memory.Take((long)rows * _width), _width) : default;
        statistics = memory.Take(2L * rows);

        _keptAt = new TransformerBlock.Kept[_blocks.Length];
        long[] lengths = new long[_blocks.Length];
        for (int i = 0; i < _blocks.Length; i++)
        {
            counted = new Carver(null);
            _blocks[i].Keep(ref counted, rows);
            lengths[Place(i)] = Math.Max(lengths[Place(i)], counted.Length);
        }

        for (int i = 0; i < _blocks.Length; i++)
        {
            var home = new Carver(Reserve(ref _kept[Place(i)], lengths[Place(i)]));
            _keptAt[i] = _blocks[i].Keep(ref home, rows);
        }

        int Place(int block) => block < kept || _recompute ? 0 : block; // block 0's memory serves all that is not kept

        counted = new Carver(null);
        _blocks[0].Lend(ref counted, slab, backwards);
        long logits = (long)Piece(rows) * _network.VocabularySize;
        var lent = new Carver(Reserve(ref _scratch, Math.Max(counted.Length, logits + 16)));
        scratch = _blocks[0].Lend(ref lent, slab, backwards);
        return states;
    }

    private static float* Reserve(ref AlignedFloats? memory, long length)
    {
        if (memory is null || memory.Length < length)
        {
            memory?.Dispose();
            memory = null;
            memory = length <= int.MaxValue ? new AlignedFloats((int)length)
                : throw new UsageException($"A batch of this size needs {length:N0} numbers in one piece for a block of the net; 2,147,483,647 are the most. Give a smaller --batch-size (with --accumulate, the step stays as large) or --block.");
        }

        return memory.Pointer;
    }

    private int Piece(int rows) => (int)Math.Clamp(LogitFloats / _network.VocabularySize, 1, rows);

    private void Forward(TransformerPass pass, TokenBatch batch, Rows[] states, TransformerBlock.Scratch scratch)
    {
        float* table = ParameterMemory.Values(_table), positions = _positions is null ? null : ParameterMemory.Values(_positions);
        Rows x = states[0];
        long[] ids = batch.Inputs;
        RowChunks.Each(pass.Pool, pass.Rows, 64, (from, count, _) =>
        {
            for (int r = from; r < from + count; r++)
                RowKernels.AddRow(new Rows(table + ((nint)ids[r] * _width), 0), positions == null ? null : positions + (r % pass.Tokens * _width), x.Skip(r), 1, _width);
        });
        if (_embeddingKey != 0)
            pass.Drop(x, x, pass.Rows, _width, _body.EmbeddingDropout!, _embeddingKey, 0, add: false, null);
        for (int i = 0; i < _blocks.Length; i++)
            _blocks[i].Forward(pass, states[i], states[i + 1], _keptAt[i], scratch);
    }

    private void EmbedBackward(TransformerPass pass, TokenBatch batch, Rows gradient)
    {
        if (_embeddingKey != 0)
            pass.Drop(gradient, gradient, pass.Rows, _width, _body.EmbeddingDropout!, _embeddingKey, 0, add: false, null);
        float* table = ParameterMemory.Gradients(_table), positions = _positions is null ? null : ParameterMemory.Gradients(_positions);
        long[] ids = batch.Inputs;
        // Rows of one id may stand anywhere, so threads share columns, not rows.
        pass.Pool.Run((_width + 63) / 64, (chunk, _) =>
        {
            int from = chunk * 64, count = Math.Min(64, _width - from);
            for (int r = 0; r < pass.Rows; r++)
            {
                if (table != null)
                    RowKernels.Add(gradient[r] + from, table + ((nint)ids[r] * _width) + from, count);
                if (positions != null)
                    RowKernels.Add(gradient[r] + from, positions + (r % pass.Tokens * _width) + from, count);
            }
        });
    }

    // Losses are added per sequence; with a scale the head's gradients are added and d normal, unless it is none, is written.
    private void Loss(TransformerPass pass, TokenBatch batch, Rows normal, Rows dNormal, float scale, double[] losses)
    {
        int vocabulary = _network.VocabularySize, piece = Piece(pass.Rows);
        var logits = new Rows(_scratch!.Pointer, vocabulary);
        float[] rowLosses = new float[piece];
        long[] targets = batch.Targets;
        for (int first = 0; first < pass.Rows; first += piece)
        {
            int rows = Math.Min(piece, pass.Rows - first), start = first;
            Rows part = normal.Skip(first);
            _head.Forward(pass.Pool, part, logits, rows, add: false, first);
            RowChunks.Each(pass.Pool, rows, 16, (from, count, _) =>
            {
                for (int r = from; r < from + count; r++)
                {
                    float* row = logits[r];
                    if (_head.Bias != null)
                        RowKernels.Add(_head.Bias, row, vocabulary);
                    if (targets[start + r] == TokenBatch.Ignored)
                    {
                        rowLosses[r] = 0;
                        new Span<float>(row, vocabulary).Clear();
                    }
                    else
                    {
                        rowLosses[r] = RowKernels.CrossEntropy(row, vocabulary, (int)targets[start + r], scale);
                    }
                }
            });
            for (int r = 0; r < rows; r++)
                losses[(start + r) / pass.Tokens] += rowLosses[r];
            if (scale == 0)
                continue;
            _head.WeightGradient(pass.Pool, part, logits, rows, first);
            if (!dNormal.IsNone)
                _head.InputGradient(pass.Pool, logits, rows, dNormal.Skip(first), add: false, first);
        }
    }

    /// <summary>The token table as output matrix.</summary>
    private sealed class TiedHead(LayerParameter table) : ILowRankHost
    {
        public LayerParameter Weight => table;

        public LayerParameter? Bias => null;

        public bool IsTransposed => false;

        public LowRankUpdate? Update { get; set; }
    }
}
