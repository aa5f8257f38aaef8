using static TorchSharp.torch;

namespace Candela.Training.Language;

/// <summary>The Transformer with encoder and decoder, norms before each part and after the last block, ReLU, one table of token vectors for both sides and the output. Positions are sinusoids added to the vectors, or trained.
/// Sources: Vaswani et al. 2017; Xiong et al. 2020 (norms before). Keys as Hugging Face's BART where it has the part: <c>encoder.layers.0.self_attn.q_proj.weight</c>.</summary>
public sealed class TransformerSeq2Seq : Seq2SeqNetwork
{
    private readonly TokenEmbedding? _sourcePositions, _targetPositions;
    private readonly BlockList<Seq2SeqBlock> _encoder, _decoder;
    private readonly LayerNorm _encoderNorm, _decoderNorm;
    private readonly Dropout _read, _written;
    private Tensor? _sinusoids;

    /// <summary>Creates it, unbuilt.</summary>
    public TransformerSeq2Seq(Seq2SeqConfig config) : base(config)
    {
        if (config.LearnedPositions > 0)
        {
            double deviation = 1 / Math.Sqrt(config.Width);
            _sourcePositions = Child("encoder.embed_positions", new TokenEmbedding(config.LearnedPositions, config.Width, deviation));
            _targetPositions = Child("decoder.embed_positions", new TokenEmbedding(config.LearnedPositions, config.Width, deviation));
        }

        _encoder = Child("encoder.layers", new BlockList<Seq2SeqBlock>(Enumerable.Range(0, config.Layers).Select(_ => new Seq2SeqBlock(config, writes: false))));
        _encoderNorm = Child("encoder.layer_norm", new LayerNorm());
        _decoder = Child("decoder.layers", new BlockList<Seq2SeqBlock>(Enumerable.Range(0, config.Layers).Select(_ => new Seq2SeqBlock(config, writes: true))));
        _decoderNorm = Child("decoder.layer_norm", new LayerNorm());
        _read = Child("dropout_read", new Dropout(config.Dropout));
        _written = Child("dropout_written", new Dropout(config.Dropout));
    }

    /// <inheritdoc/>
    public override string TypeId => "transformer-seq2seq";

    /// <inheritdoc/>
    public override Seq2SeqState Begin(Tensor source, ReadOnlySpan<int> lengths) => new State(this, source, lengths);

    /// <inheritdoc/>
    protected override void OnBuild(Shape input)
    {
        base.OnBuild(input);
        Shape inner = [input[1], Config.Width];
        foreach (Layer child in new Layer?[] { _sourcePositions, _targetPositions }.OfType<Layer>())
            BuildChild(child, [input[1]]);
        foreach (Layer child in new Layer[] { _encoder, _encoderNorm, _decoder, _decoderNorm })
            BuildChild(child, inner);
    }

    internal override Tensor Hidden(Tensor source, ReadOnlySpan<int> lengths, Tensor target)
    {
        Require(source, lengths, target);
        using Tensor memory = Encode(source, lengths, out Tensor? mask);
        Tensor x;
        using (Tensor vectors = Placed(target, _targetPositions, 0))
            x = _written.call(vectors);
        foreach (Seq2SeqBlock block in _decoder.Blocks)
        {
            using Tensor before = x;
            Tensor[] seen = block.CrossKeys(memory);
            x = block.Write(before, seen, mask, null);
            Free(seen);
        }

        mask?.Dispose();
        using Tensor last = x;
        return _decoderNorm.call(last);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _sinusoids?.Dispose();
        base.Dispose(disposing);
    }

    // [N, S] -> [N, S, width], with the mask [N, 1, 1, S] of padding, if there is some
    private Tensor Encode(Tensor source, ReadOnlySpan<int> lengths, out Tensor? mask)
    {
        Tensor x;
        using (Tensor vectors = Placed(source, _sourcePositions, 0))
            x = _read.call(vectors);
        using Tensor? flat = PaddingMask(lengths, source.size(1), x);
        mask = flat?.view(flat.size(0), 1, 1, flat.size(1));
        foreach (Seq2SeqBlock block in _encoder.Blocks)
        {
            using Tensor before = x;
            x = block.Read(before, mask);
        }

        using Tensor last = x;
        return _encoderNorm.call(last);
    }

    // Vectors of ids with those of their positions, the first of which is given.
    private Tensor Placed(Tensor ids, TokenEmbedding? positions, int first)
    {
        int count = (int)ids.size(1), width = Config.Width;
        if (positions is not null && first + count > Config.LearnedPositions)
            throw new ShapeException($"The net has {Config.LearnedPositions} trained positions; a sequence of {first + count} tokens does not fit. Give shorter texts, or train with more.");
        using Tensor vectors = Embed(ids), places = positions is not null ? positions.Rows(first, count) : Sinusoids(first + count, vectors).narrow(0, first, count);
        return vectors.add(places);
    }

    // sin(p / 10000^(2i/width)) in the first half of the numbers, cos in the second (Vaswani et al. 2017, section 3.5, which alternates them; the order is of no consequence).
    private Tensor Sinusoids(int count, Tensor like)
    {
        if (_sinusoids is not null && _sinusoids.size(0) >= count && _sinusoids.device_type == like.device_type)
            return _sinusoids;
        int rows = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(64, count)), width = Config.Width, half = width / 2;
        var values = new float[rows * width];
        for (int p = 0; p < rows; p++)
        {
            for (int i = 0; i < half; i++)
            {
                double angle = p / Math.Pow(10000, 2.0 * i / width);
                (values[(p * width) + i], values[(p * width) + half + i]) = ((float)Math.Sin(angle), (float)Math.Cos(angle));
            }
        }

        _sinusoids?.Dispose();
        using Tensor made = TensorMemory.FromSingles(values, rows, width);
        return _sinusoids = made.to(like.device).DetachFromDisposeScope();
    }

    private static void Free(Tensor[] tensors)
    {
        foreach (Tensor tensor in tensors)
            tensor.Dispose();
    }

    private sealed class State : Seq2SeqState
    {
        private readonly TransformerSeq2Seq _net;
        private readonly Tensor[][] _seen; // per block: keys and values of the source, [N, H, S, D]
        private readonly Tensor?[][] _own; // and of the tokens so far
        private Tensor? _mask;
        private int _length;
        private long _rows;

        public State(TransformerSeq2Seq net, Tensor source, ReadOnlySpan<int> lengths)
        {
            net.Require(source, lengths);
            (_net, _rows) = (net, source.size(0));
            using TensorScope scope = TensorScope.Begin();
            Tensor memory = net.Encode(source, lengths, out _mask);
            if (_mask is not null)
                scope.Release(_mask);
            _seen = [.. net._decoder.Blocks.Select(block => block.CrossKeys(memory))];
            foreach (Tensor kept in _seen.SelectMany(s => s))
                scope.Release(kept);
            _own = [.. _seen.Select(_ => new Tensor?[2])];
        }

        public override long Rows => _rows;

        public override Tensor Step(ReadOnlySpan<long> tokens)
        {
            using TensorScope scope = TensorScope.Begin();
            Tensor x = _net.Placed(Index(tokens, _seen[0][0]).unsqueeze(1), _net._targetPositions, _length);
            for (int i = 0; i < _own.Length; i++)
                x = _net._decoder.Blocks[i].Write(x, _seen[i], _mask, _own[i]);
            _length++;
            return scope.Keep(_net.Project(_net._decoderNorm.call(x).squeeze(1)));
        }

        public override void Select(ReadOnlySpan<long> rows, bool sameSources = false)
        {
            using TensorScope scope = TensorScope.Begin();
            Tensor index = Index(rows, _seen[0][0]);
            _rows = rows.Length;
            foreach (Tensor?[] layer in _own)
                for (int i = 0; i < layer.Length && layer[i] is not null; i++)
                    Pick(ref layer[i]!, index);
            if (sameSources)
                return;
            foreach (Tensor[] layer in _seen)
                for (int i = 0; i < layer.Length; i++)
                    Pick(ref layer[i], index);
            if (_mask is { } mask)
            {
                Pick(ref mask, index);
                _mask = mask;
            }
        }

        public override void Dispose()
        {
            Free([.. _seen.SelectMany(s => s), .. _own.SelectMany(s => s).OfType<Tensor>()]);
            _mask?.Dispose();
        }
    }
}
