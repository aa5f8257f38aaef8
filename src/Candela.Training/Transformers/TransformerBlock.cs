using Candela.Training.Transformers.Kernels;

namespace Candela.Training.Transformers;

/// <summary>x + attention(norm(x)), then x + feed-forward(norm(x)), forwards and backwards over slabs of sequences. Source of what is kept and what is computed again: Chen et al. 2016, here for
/// what costs little: norms and activations.</summary>
internal sealed unsafe class TransformerBlock : IDisposable
{
    private const int Chunk = 64; // rows
    private readonly NormOp _before, _between;
    private readonly AttentionPart _attention;
    private readonly FeedForwardPart _feedForward;
    private readonly Dropout? _attentionDropout, _feedForwardDropout;
    private readonly Layer[] _norms;
    private readonly int _width;
    private ulong _attentionKey, _feedForwardKey;

    public TransformerBlock(BlockParts parts)
    {
        _norms = [parts.Before, parts.Between];
        (_before, _between) = (Norm(parts.Before), Norm(parts.Between));
        (_attention, _feedForward) = (new AttentionPart(parts.Attention), new FeedForwardPart(parts.FeedForward));
        (_attentionDropout, _feedForwardDropout, _width) = (parts.AttentionDropout, parts.FeedForwardDropout, _before.Width);
    }

    public bool Trains => _before.Trains || _between.Trains || _attention.Trains || _feedForward.Trains;

    public IEnumerable<LayerParameter> Parameters => [.. _attention.Parameters, .. _feedForward.Parameters, .. _norms.SelectMany(NormParameters)];

    /// <summary>The operation of a layer norm or RMS norm.</summary>
    public static NormOp Norm(Layer layer) => layer is LayerNorm norm ? new NormOp(norm.Weight, norm.Bias, norm.Epsilon) : new NormOp(((RmsNorm)layer).Weight, null, ((RmsNorm)layer).Epsilon);

    public static IEnumerable<LayerParameter> NormParameters(Layer layer) => layer is LayerNorm norm ? [norm.Weight, norm.Bias] : [((RmsNorm)layer).Weight];

    /// <summary>Where a pass keeps what the way back needs, its own input and output not among it.</summary>
    public struct Kept
    {
        public AttentionPart.Kept Attention;
        public FeedForwardPart.Kept FeedForward;
        public Rows Middle;
        public float* Before, Between; // statistics of the norms
    }

    /// <summary>What a slab needs for a moment.</summary>
    public struct Scratch
    {
        public AttentionPart.Scratch Attention;
        public FeedForwardPart.Scratch FeedForward;
        public Rows Normal, DNormal, Dropped;
    }

    public Kept Keep(ref Carver memory, int rows) => new()
    {
        Attention = _attention.Keep(ref memory, rows),
        FeedForward = _feedForward.Keep(ref memory, rows),
        Middle = new Rows(memory.Take((long)rows * _width), _width),
        Before = memory.Take(2L * rows),
        Between = memory.Take(2L * rows),
    };

    public Scratch Lend(ref Carver memory, int rows, bool backwards) => new()
    {
        Attention = _attention.Lend(ref memory, rows, backwards),
        FeedForward = _feedForward.Lend(ref memory, rows, backwards),
        Normal = new Rows(memory.Take((long)rows * _width), _width),
        DNormal = backwards ? new Rows(memory.Take((long)rows * _width), _width) : default,
        Dropped = _attentionDropout is { Probability: > 0 } || _feedForwardDropout is { Probability: > 0 } ? new Rows(memory.Take((long)rows * _width), _width) : default,
    };

    public void Bind(bool training)
    {
        _before.Bind();
        _attention.Bind(training);
        _attentionKey = training && _attentionDropout is not null ? _attentionDropout.NextKey() : 0;
        _between.Bind();
        _feedForward.Bind(training);
        _feedForwardKey = training && _feedForwardDropout is not null ? _feedForwardDropout.NextKey() : 0;
    }

    /// <summary>y = block(x); y may not be x, and is none where only what is kept is wanted.</summary>
    public void Forward(TransformerPass pass, Rows x, Rows y, Kept kept, Scratch scratch)
    {
        for (int sequence = 0; sequence < pass.Sequences; sequence += pass.SlabSequences)
        {
            int sequences = Math.Min(pass.SlabSequences, pass.Sequences - sequence), first = sequence * pass.Tokens, rows = sequences * pass.Tokens;
            Rows from = x.Skip(first), middle = kept.Middle.Skip(first);
            _before.Forward(pass.Pool, from, scratch.Normal, kept.Before + (2 * first), rows);
            _attention.Forward(pass, scratch.Normal, kept.Attention, scratch.Attention, sequence, sequences);
            Join(pass, from, _attention.Output, kept.Attention.Heads.Skip(first), middle, _attentionDropout, _attentionKey, scratch, first, rows);
            _between.Forward(pass.Pool, middle, scratch.Normal, kept.Between + (2 * first), rows);
            _feedForward.Forward(pass, scratch.Normal, kept.FeedForward, scratch.FeedForward, first, rows);
            if (!y.IsNone)
                Join(pass, middle, _feedForward.Output, scratch.FeedForward.Hidden, y.Skip(first), _feedForwardDropout, _feedForwardKey, scratch, first, rows);
        }
    }

    /// <summary>g, the gradient of y, becomes that of x; gradients of the parameters are added.</summary>
    public void Backward(TransformerPass pass, Rows x, Rows g, Kept kept, Scratch scratch)
    {
        for (int sequence = 0; sequence < pass.Sequences; sequence += pass.SlabSequences)
        {
            int sequences = Math.Min(pass.SlabSequences, pass.Sequences - sequence), first = sequence * pass.Tokens, rows = sequences * pass.Tokens;
            Rows from = x.Skip(first), middle = kept.Middle.Skip(first), slab = g.Skip(first);
            Rows d = Dropped(pass, slab, _feedForwardDropout, _feedForwardKey, scratch, first, rows);
            _between.Again(pass.Pool, middle, scratch.Normal, kept.Between + (2 * first), rows);
            _feedForward.Backward(pass, d, scratch.Normal, scratch.DNormal, kept.FeedForward, scratch.FeedForward, first, rows);
            _between.Backward(pass.Pool, middle, scratch.DNormal, slab, kept.Between + (2 * first), rows, add: true);

            d = Dropped(pass, slab, _attentionDropout, _attentionKey, scratch, first, rows);
            _attention.Output.InputGradient(pass.Pool, d, rows, new Rows(scratch.Attention.DHeads, _attention.Output.Inputs), add: false, first);
            _attention.Output.WeightGradient(pass.Pool, kept.Attention.Heads.Skip(first), d, rows, first);
            _before.Again(pass.Pool, from, scratch.Normal, kept.Before + (2 * first), rows);
            _attention.Backward(pass, scratch.Normal, scratch.DNormal, kept.Attention, scratch.Attention, sequence, sequences);
            _before.Backward(pass.Pool, from, scratch.DNormal, slab, kept.Before + (2 * first), rows, add: true);
        }
    }

    public void Dispose()
    {
        _before.Dispose();
        _between.Dispose();
        _attention.Dispose();
        _feedForward.Dispose();
    }

    // to = x + dropout(op(inner))
    private void Join(TransformerPass pass, Rows x, AffineOp op, Rows inner, Rows to, Dropout? dropout, ulong key, Scratch scratch, int first, int rows)
    {
        bool drops = key != 0;
        RowChunks.Each(pass.Pool, rows, Chunk, (from, count, _) => RowKernels.AddRow(x.Skip(from), drops ? null : op.Bias, to.Skip(from), count, _width));
        if (!drops)
        {
            op.Forward(pass.Pool, inner, to, rows, add: true, first);
            return;
        }

        op.Forward(pass.Pool, inner, scratch.Dropped, rows, add: false, first);
        pass.Drop(scratch.Dropped, to, rows, _width, dropout!, key, first, add: true, op.Bias);
    }

    private Rows Dropped(TransformerPass pass, Rows g, Dropout? dropout, ulong key, Scratch scratch, int first, int rows)
    {
        if (key == 0)
            return g;
        pass.Drop(g, scratch.Dropped, rows, _width, dropout!, key, first, add: false, null);
        return scratch.Dropped;
    }
}
