using static TorchSharp.torch;

namespace Candela.Training.Language;

/// <summary>A bidirectional GRU or LSTM that reads, and one that writes, looking back at all it read by additive attention at every step. The first cell reads the last token beside what the attention sees; the token's logits
/// come from tanh of a linear layer over state, attention and last token, by the table of token vectors. Source: Bahdanau et al. 2015.</summary>
public sealed class AttentionSeq2Seq : Seq2SeqNetwork
{
    private readonly Recurrent _encoder;
    private readonly Dense _start, _readout;
    private readonly AdditiveAttention _attention;
    private readonly RecurrentCell[] _cells;
    private readonly Dropout _read, _written, _between, _out;

    /// <summary>Creates it, unbuilt; <see cref="Seq2SeqConfig.Architecture"/> names the cell.</summary>
    public AttentionSeq2Seq(Seq2SeqConfig config) : base(config)
    {
        string cell = config.Architecture;
        _encoder = Child("encoder", cell == "lstm" ? (Recurrent)new Lstm(config.Width, config.Layers, bidirectional: true, dropout: config.Dropout) : new Gru(config.Width, config.Layers, bidirectional: true, dropout: config.Dropout));
        _start = Child("start", new Dense(config.Layers * config.Width, ActivationKind.Tanh));
        _attention = Child("attention", new AdditiveAttention(config.Width, config.Width));
        BlockList<RecurrentCell> cells = Child("decoder", new BlockList<RecurrentCell>(Enumerable.Range(0, config.Layers).Select(_ => new RecurrentCell(cell, config.Width))));
        _cells = [.. cells.Blocks];
        _readout = Child("readout", new Dense(config.Width, ActivationKind.Tanh));
        _read = Child("dropout_read", new Dropout(config.Dropout));
        _written = Child("dropout_written", new Dropout(config.Dropout));
        _between = Child("dropout_between", new Dropout(config.Dropout));
        _out = Child("dropout_out", new Dropout(config.Dropout));
    }

    /// <inheritdoc/>
    public override string TypeId => "attention-seq2seq";

    private int Memory => 2 * Config.Width;

    /// <inheritdoc/>
    public override Seq2SeqState Begin(Tensor source, ReadOnlySpan<int> lengths) => new State(this, source, lengths);

    /// <inheritdoc/>
    protected override void OnBuild(Shape input)
    {
        base.OnBuild(input);
        int steps = input[1], width = Config.Width;
        BuildChild(_encoder, [steps, width]);
        BuildChild(_start, [width]);
        BuildChild(_attention, [steps, Memory]);
        for (int i = 0; i < _cells.Length; i++)
            BuildChild(_cells[i], [i == 0 ? width + Memory : width]);
        BuildChild(_readout, [steps, width + Memory + width]);
    }

    internal override Tensor Hidden(Tensor source, ReadOnlySpan<int> lengths, Tensor target)
    {
        Require(source, lengths, target);
        using TensorScope scope = TensorScope.Begin();
        Tensor memory = Encode(source, lengths), keys = _attention.call(memory);
        Tensor? mask = PaddingMask(lengths, source.size(1), memory);
        Tensor[][] states = Start(memory);
        Tensor inputs = _written.call(Embed(target));
        var outputs = new List<Tensor>();
        var contexts = new List<Tensor>();
        foreach (Tensor input in inputs.unbind(1))
        {
            contexts.Add(Step(input, states, keys, memory, mask));
            outputs.Add(states[^1][0]);
        }

        return scope.Keep(Readout(stack(outputs, 1), stack(contexts, 1), inputs));
    }

    // [N, S] -> [N, S, 2 x width], 0 at padding
    private Tensor Encode(Tensor source, ReadOnlySpan<int> lengths) => _encoder.Run(_read.call(Embed(source)), lengths);

    // The state that the backward direction has after reading all, bent once for each layer; an LSTM's cells begin at 0.
    private Tensor[][] Start(Tensor memory)
    {
        Tensor[] hidden = _start.call(memory.select(1, 0).narrow(1, Config.Width, Config.Width)).chunk(_cells.Length, 1);
        return [.. hidden.Select((h, i) => _cells[i].StateTensors == 2 ? (Tensor[])[h, zeros_like(h)] : [h])];
    }

    // Moves all layers on by one token; gives what the attention saw.
    private Tensor Step(Tensor input, Tensor[][] states, Tensor keys, Tensor memory, Tensor? mask)
    {
        Tensor context = _attention.Attend(states[^1][0], keys, memory, mask);
        Tensor at = cat([input, context], 1);
        for (int i = 0; i < _cells.Length; i++)
        {
            states[i] = _cells[i].Step(i == 0 ? at : _between.call(at), states[i]);
            at = states[i][0];
        }

        return context;
    }

    private Tensor Readout(Tensor outputs, Tensor contexts, Tensor inputs) => _out.call(_readout.call(cat([outputs, contexts, inputs], -1)));

    private sealed class State : Seq2SeqState
    {
        private readonly AttentionSeq2Seq _net;
        private readonly Tensor[][] _states;
        private Tensor _memory, _keys;
        private Tensor? _mask;

        public State(AttentionSeq2Seq net, Tensor source, ReadOnlySpan<int> lengths)
        {
            net.Require(source, lengths);
            _net = net;
            using TensorScope scope = TensorScope.Begin();
            _memory = scope.Release(net.Encode(source, lengths));
            _keys = scope.Release(net._attention.call(_memory));
            _mask = PaddingMask(lengths, source.size(1), _memory);
            if (_mask is not null)
                scope.Release(_mask);
            _states = net.Start(_memory);
            foreach (Tensor[] layer in _states)
                foreach (Tensor part in layer)
                    scope.Release(part);
        }

        public override long Rows => _states[0][0].size(0);

        public override Tensor Step(ReadOnlySpan<long> tokens)
        {
            using TensorScope scope = TensorScope.Begin();
            Tensor input = _net.Embed(Index(tokens, _memory).unsqueeze(1)).squeeze(1);
            Tensor[][] old = [.. _states];
            Tensor context = _net.Step(input, _states, _keys, _memory, _mask);
            foreach (Tensor part in old.SelectMany(s => s))
                part.Dispose();
            foreach (Tensor part in _states.SelectMany(s => s))
                scope.Release(part);
            return scope.Keep(_net.Project(_net.Readout(_states[^1][0], context, input)));
        }

        public override void Select(ReadOnlySpan<long> rows, bool sameSources = false)
        {
            using TensorScope scope = TensorScope.Begin();
            Tensor index = Index(rows, _memory);
            foreach (Tensor[] layer in _states)
                for (int i = 0; i < layer.Length; i++)
                    Pick(ref layer[i], index);
            if (sameSources)
                return;
            Pick(ref _memory, index);
            Pick(ref _keys, index);
            if (_mask is { } mask)
            {
                Pick(ref mask, index);
                _mask = mask;
            }
        }

        public override void Dispose()
        {
            foreach (Tensor part in _states.SelectMany(s => s))
                part.Dispose();
            _memory.Dispose();
            _keys.Dispose();
            _mask?.Dispose();
        }
    }
}
