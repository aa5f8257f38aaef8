using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>One step of a GRU or LSTM: [F] -> [units]. Keys as torch.nn.GRUCell: <c>weight_ih</c>, <c>weight_hh</c>, <c>bias_ih</c>, <c>bias_hh</c>. As a layer it steps from a zero state.</summary>
internal sealed class RecurrentCell : Layer
{
    private readonly string _function;
    private readonly int _units;
    private LayerParameter[] _weights = [];

    /// <param name="function"><c>gru</c> or <c>lstm</c>.</param>
    /// <param name="units">Numbers of the state.</param>
    public RecurrentCell(string function, int units) => (_function, _units) = (function, units);

    public override string TypeId => $"{_function}-cell";

    public override Shape OutputShape(Shape input) => input.WithLast(_units);

    /// <summary>Tensors of the state: hidden, and for an LSTM the cell.</summary>
    public int StateTensors => _function == "lstm" ? 2 : 1;

    protected override void OnBuild(Shape input)
    {
        double bound = 1 / Math.Sqrt(_units);
        Initializer uniform = Initializers.Uniform(-bound, bound);
        int gates = (_function == "lstm" ? 4 : 3) * _units;
        _weights =
        [
            Parameter("weight_ih", [gates, input.Last], uniform, decays: true),
            Parameter("weight_hh", [gates, _units], uniform, decays: true),
            Parameter("bias_ih", [gates], uniform, decays: false),
            Parameter("bias_hh", [gates], uniform, decays: false),
        ];
    }

    protected override Tensor Compute(Tensor input)
    {
        using Tensor zero = zeros([input.size(0), _units], input.dtype, input.device);
        Tensor[] state = Step(input, StateTensors == 2 ? [zero, zero] : [zero]);
        for (int i = 1; i < state.Length; i++)
            state[i].Dispose();
        return state[0];
    }

    /// <summary>The state after an input [N, F]: the output first. The caller disposes both states.</summary>
    public Tensor[] Step(Tensor input, Tensor[] state) => RecurrentOp.Step(_function, input, state, Array.ConvertAll(_weights, w => (Tensor)w.Value));
}
