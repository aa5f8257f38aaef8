using Candela.Models;

namespace Candela.Training;

/// <summary>Finds weight tensors that get no gradient any more although the loss is not small: the units behind them have died (ReLU) or saturated. The norm of all gradients does
/// not show it, since the last bias goes on getting some.</summary>
/// <remarks>A tensor is looked at until one number of its gradient in the epoch is not 0, which is the first one of the first step in a healthy net: it costs nothing.</remarks>
internal sealed class DeadWeights(IReadOnlyList<ParameterSegment> segments)
{
    // Fewer steps without gradient prove nothing.
    private const int LeastSteps = 16;

    private const double SmallLoss = 0.01;

    private readonly ParameterSegment[] _weights = [.. segments.Where(s => s.Decays)];
    private readonly List<int> _quiet = [];
    private readonly long[] _alive = new long[segments.Count(s => s.Decays)];
    private bool _told;

    /// <summary>Begins an epoch after so many steps.</summary>
    public void BeginEpoch(long steps, bool resumed)
    {
        if (resumed)
            Array.Fill(_alive, steps);
        _quiet.Clear();
        _quiet.AddRange(Enumerable.Range(0, _weights.Length));
    }

    /// <summary>Looks at the gradients of a step.</summary>
    public void Look(long step, ReadOnlySpan<float> gradients)
    {
        for (int i = _quiet.Count - 1; i >= 0; i--)
        {
            ParameterSegment weights = _weights[_quiet[i]];
            if (!gradients.Slice(weights.Offset, weights.Length).ContainsAnyExcept(0f))
                continue;
            _alive[_quiet[i]] = step;
            _quiet.RemoveAt(i);
        }
    }

    /// <summary>A warning when an epoch ends with dead weights; given once.</summary>
    public Warned? EndEpoch(long steps, double loss)
    {
        int dead = _quiet.Count(i => steps - _alive[i] >= LeastSteps);
        if (_told || dead == 0 || !(loss > SmallLoss))
            return null;
        _told = true;
        return new Warned("dead-gradients", $"The gradients of {dead} of {_weights.Length} weight tensors have been exactly 0 for {steps - _quiet.Max(i => _alive[i])} steps or more while the training loss stays at {loss:G4}: the units behind them have died or saturated. Lower the learning rate, scale the inputs, or use another activation or initialisation.");
    }
}
