namespace Candela.Training;

/// <summary>Gated recurrent units; gates in the order reset, update, new, the reset gate on the product U h as in PyTorch. See <see cref="Recurrent"/> for shapes and keys.
/// Source: Cho et al. 2014.</summary>
public sealed class Gru : Recurrent
{
    /// <summary>Creates it; the input's width is found out when it is built.</summary>
    /// <param name="units">Numbers of the state, per direction.</param>
    /// <param name="layers">Layers on top of each other. Default 1.</param>
    /// <param name="bidirectional">Whether each layer also reads from the end, which doubles the outputs. Default false.</param>
    /// <param name="dropout">Share of the numbers between two layers set to 0 in training, 0 up to but not 1. Default 0.</param>
    /// <param name="bias">Whether offsets are trained. Default true.</param>
    /// <param name="sequence">True (default) gives the outputs at every step, false the last state only.</param>
    /// <param name="memory">See <see cref="Recurrent.Memory"/>: about the longest span to be bridged, 3 or more. Default 0, PyTorch's first weights.</param>
    public Gru(int units, int layers = 1, bool bidirectional = false, double dropout = 0, bool bias = true, bool sequence = true, int memory = 0)
        : base("gru", 3, units, layers, bidirectional, dropout, bias, sequence, memory)
    {
    }
}
