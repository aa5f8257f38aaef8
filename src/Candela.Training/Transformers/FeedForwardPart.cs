using Candela.Training.Transformers.Kernels;

namespace Candela.Training.Transformers;

/// <summary>The feed-forward half of a block. Kept for the way back is what the first matrices give; the activation is computed again there, together with its slope.</summary>
internal sealed unsafe class FeedForwardPart(FeedForwardParts parts) : IDisposable
{
    private const int Chunk = 32; // rows
    private readonly AffineOp? _gate = parts.Gate is null ? null : new AffineOp(parts.Gate);
    private readonly AffineOp _up = new(parts.Up), _down = new(parts.Down);

    public AffineOp Output => _down;

    public bool Trains => _up.Trains || _down.Trains || _gate is { Trains: true };

    public IEnumerable<LayerParameter> Parameters => [.. _gate?.Parameters ?? [], .. _up.Parameters, .. _down.Parameters];

    /// <summary>Where a pass keeps what the way back needs.</summary>
    public struct Kept
    {
        public Rows Gate, Up;
    }

    /// <summary>What a slab needs for a moment.</summary>
    public struct Scratch
    {
        public Rows Hidden, DHidden, DUp;
    }

    public Kept Keep(ref Carver memory, int rows) => new()
    {
        Gate = _gate is null ? default : Take(ref memory, rows),
        Up = Take(ref memory, rows),
    };

    public Scratch Lend(ref Carver memory, int rows, bool backwards) => new()
    {
        Hidden = Take(ref memory, rows),
        DHidden = backwards ? Take(ref memory, rows) : default,
        DUp = backwards && _gate is not null ? Take(ref memory, rows) : default,
    };

    public void Bind(bool training)
    {
        _gate?.Bind(training);
        _up.Bind(training);
        _down.Bind(training);
    }

    /// <summary>From the slab's normal rows to the hidden ones, in scratch.</summary>
    public void Forward(TransformerPass pass, Rows normal, Kept kept, Scratch scratch, int first, int rows)
    {
        Rows up = kept.Up.Skip(first);
        _up.Forward(pass.Pool, normal, up, rows, add: false, first);
        if (_gate is null)
        {
            RowChunks.Each(pass.Pool, rows, Chunk, (from, count, _) => RowKernels.Activate(parts.Activation, up[from], _up.Bias, scratch.Hidden[from], count, _up.Outputs));
            return;
        }

        Rows gate = kept.Gate.Skip(first);
        _gate.Forward(pass.Pool, normal, gate, rows, add: false, first);
        RowChunks.Each(pass.Pool, rows, Chunk, (from, count, _) =>
        {
            if (_up.Bias != null)
                RowKernels.AddRow(up.Skip(from), _up.Bias, up.Skip(from), count, _up.Outputs);
            if (_gate.Bias != null)
                RowKernels.AddRow(gate.Skip(from), _gate.Bias, gate.Skip(from), count, _up.Outputs);
            RowKernels.Gate(parts.Activation, gate[from], up[from], scratch.Hidden[from], (nint)count * _up.Outputs);
        });
    }

    /// <summary>From the gradient of the half's output to dNormal, that of the normal rows.</summary>
    /// <param name="pass">The pass.</param>
    /// <param name="dOutput">Of the slab.</param>
    /// <param name="normal">Makes the slab's normal rows anew.</param>
    /// <param name="dNormal">Written.</param>
    /// <param name="kept">Of the pass.</param>
    /// <param name="scratch">Of the slab.</param>
    /// <param name="first">Row.</param>
    /// <param name="rows">Of the slab.</param>
    public void Backward(TransformerPass pass, Rows dOutput, Rows normal, Rows dNormal, Kept kept, Scratch scratch, int first, int rows)
    {
        Rows up = kept.Up.Skip(first), gate = _gate is null ? default : kept.Gate.Skip(first), hidden = scratch.Hidden, d = scratch.DHidden, dUp = scratch.DUp;
        _down.InputGradient(pass.Pool, dOutput, rows, d, add: false, first);
        int width = _up.Outputs;
        RowChunks.Each(pass.Pool, rows, Chunk, (from, count, _) =>
        {
            if (_gate is null)
                RowKernels.ActivateBack(parts.Activation, up[from], hidden[from], d[from], (nint)count * width);
            else
                RowKernels.GateBack(parts.Activation, gate[from], up[from], hidden[from], dUp[from], d[from], (nint)count * width);
        });
        _down.WeightGradient(pass.Pool, hidden, dOutput, rows, first);
        Rows last = d;
        if (_gate is not null)
        {
            _gate.WeightGradient(pass.Pool, normal, d, rows, first);
            _gate.InputGradient(pass.Pool, d, rows, dNormal, add: false, first);
            last = dUp;
        }

        _up.WeightGradient(pass.Pool, normal, last, rows, first);
        _up.InputGradient(pass.Pool, last, rows, dNormal, add: _gate is not null, first);
    }

    public void Dispose()
    {
        _gate?.Dispose();
        _up.Dispose();
        _down.Dispose();
    }

    private Rows Take(ref Carver memory, int rows) => new(memory.Take((long)rows * _up.Outputs), _up.Outputs);
}
