using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>libtorch's fused recurrent functions. TorchSharp has them only inside its own modules, which keep their weights to themselves; TorchScript reaches them with any tensors.</summary>
internal static class RecurrentOp
{
    // One layer, one direction, batch first.
    private static readonly Lazy<jit.CompilationUnit> Unit = new(() => jit.compile(string.Join('\n',
    [
        "def rnn(x, h, w: List[Tensor]):",
        "    return torch.rnn_tanh(x, h, w, len(w) == 4, 1, 0.0, False, False, True)",
        "def lstm(x, h, w: List[Tensor]):",
        "    return torch.lstm(x, [h, h], w, len(w) == 4, 1, 0.0, False, False, True)",
        "def gru(x, h, w: List[Tensor]):",
        "    return torch.gru(x, h, w, len(w) == 4, 1, 0.0, False, False, True)",
        "def gru_step(x, s: List[Tensor], w: List[Tensor]):",
        "    return torch.gru_cell(x, s[0], w[0], w[1], w[2], w[3])",
        "def lstm_step(x, s: List[Tensor], w: List[Tensor]):",
        "    return torch.lstm_cell(x, s, w[0], w[1], w[2], w[3])",
        "",
    ])));

    /// <summary>[N, T, F] -> [N, T, H], from a zero state.</summary>
    /// <param name="function"><c>rnn</c>, <c>lstm</c> or <c>gru</c>.</param>
    /// <param name="input">Batch first.</param>
    /// <param name="units">H.</param>
    /// <param name="weights">weight_ih, weight_hh, and if there are biases bias_ih and bias_hh.</param>
    public static Tensor Run(string function, Tensor input, int units, Tensor[] weights)
    {
        using Tensor zero = zeros([1, input.size(0), units], input.dtype, input.device);
        object outputs = Unit.Value.invoke(function, input, zero, weights);
        switch (outputs)
        {
            case (Tensor all, Tensor last):
                last.Dispose();
                return all;
            case (Tensor all, Tensor last, Tensor cell):
                last.Dispose();
                cell.Dispose();
                return all;
            default:
                throw new EngineException($"libtorch's {function} gave {outputs.GetType().Name}; two or three tensors were needed.");
        }
    }

    /// <summary>One step, [N, F] -> the state after it: [N, H] hidden, and for an LSTM the cell [N, H].</summary>
    /// <param name="function"><c>gru</c> or <c>lstm</c>.</param>
    /// <param name="input">[N, F].</param>
    /// <param name="state">As the step before gave it.</param>
    /// <param name="weights">weight_ih, weight_hh, bias_ih, bias_hh.</param>
    public static Tensor[] Step(string function, Tensor input, Tensor[] state, Tensor[] weights) => Unit.Value.invoke($"{function}_step", input, state, weights) switch
    {
        Tensor hidden => [hidden],
        (Tensor hidden, Tensor cell) => [hidden, cell],
        object other => throw new EngineException($"libtorch's {function} gave {other.GetType().Name}; one or two tensors were needed."),
        null => throw new EngineException($"libtorch's {function} gave nothing."),
    };
}
