using Candela.Models;

namespace Candela.Training;

/// <summary>The learning rate of each step. All but <see cref="PlateauSchedule"/> are pure functions of the step, so a resumed run needs no state of them.</summary>
public abstract class Schedule
{
    /// <summary>The known ids; <c>warmup+X</c> warms up and then follows X.</summary>
    public static IReadOnlyList<string> Ids => OptionNames.Schedules;

    /// <summary>The rate of step <paramref name="step"/>, counted from 0. Steps beyond the planned ones get the last planned rate.</summary>
    public abstract double RateAt(long step);

    /// <summary>Tells a schedule that reacts to training the validation (or, without one, training) loss of the epoch that ended. Others ignore it.</summary>
    public virtual void Observe(double loss) { }

    /// <summary>The state as numbers; empty for pure schedules.</summary>
    public virtual double[] Save() => [];

    /// <summary>Goes on from <see cref="Save"/>'s numbers.</summary>
    /// <exception cref="ShapeException">They are of another schedule.</exception>
    public virtual void Load(ReadOnlySpan<double> state)
    {
        if (state.Length != 0)
            throw new ShapeException($"{GetType().Name} keeps no state; it got {state.Length} numbers of another schedule.");
    }

    /// <summary>Makes the schedule called <paramref name="id"/> with its usual numbers.</summary>
    /// <param name="id">One of <see cref="Ids"/>. <c>step</c> divides by 10 after each third of the steps; <c>warmup</c> alone stays at the peak afterwards.</param>
    /// <param name="peak">The highest rate, above 0.</param>
    /// <param name="totalSteps">Planned steps, at least 1.</param>
    /// <param name="warmupSteps">Steps of the warm-up; null takes 5 % of all, at least 1.</param>
    /// <param name="end">Rate at the end of a cosine. Default 0.</param>
    /// <exception cref="UsageException">The id is unknown (the message names the nearest), or a number is out of range.</exception>
    public static Schedule Of(string id, double peak, long totalSteps, long? warmupSteps = null, double end = 0)
    {
        if (!(peak > 0) || !double.IsFinite(peak))
            throw new UsageException($"The learning rate is {peak}; it must be above 0.");
        if (totalSteps < 1)
            throw new UsageException($"A schedule was asked for {totalSteps} steps; it needs at least 1.");
        if (id == "warmup" || id.StartsWith("warmup+", StringComparison.Ordinal))
        {
            long warmup = Math.Min(warmupSteps ?? Math.Max(1, totalSteps / 20), totalSteps);
            string then = id == "warmup" ? "constant" : id["warmup+".Length..];
            if (!Ids.Contains(id))
                throw Unknown(id);
            return new WarmupSchedule(Of(then, peak, Math.Max(1, totalSteps - warmup), end: end), warmup);
        }

        return id switch
        {
            "constant" => new ConstantSchedule(peak),
            "step" => new StepSchedule(peak, Math.Max(1, (totalSteps + 2) / 3), 0.1),
            "cosine" => new CosineSchedule(peak, totalSteps, end),
            "one-cycle" => new OneCycleSchedule(peak, totalSteps),
            "plateau" => new PlateauSchedule(peak),
            _ => throw Unknown(id),
        };
    }

    private static UsageException Unknown(string id) =>
        new($"There is no schedule '{id}'.{NearestName.Hint(id, Ids)} Known: {string.Join(", ", Ids)}.");
}

/// <summary>Always the same rate.</summary>
/// <param name="rate">The rate.</param>
public sealed class ConstantSchedule(double rate) : Schedule
{
    /// <inheritdoc/>
    public override double RateAt(long step) => rate;
}

/// <summary>Multiplies the rate by a factor every so many steps: peak x factor^floor(step / every).</summary>
/// <param name="peak">The first rate.</param>
/// <param name="every">Steps between changes, at least 1.</param>
/// <param name="factor">For example 0.1.</param>
public sealed class StepSchedule(double peak, long every, double factor) : Schedule
{
    /// <inheritdoc/>
    public override double RateAt(long step) => peak * Math.Pow(factor, step / every);
}

/// <summary>Half a cosine from the peak to the end rate (Loshchilov and Hutter 2017, equation 5, one period).</summary>
/// <param name="peak">The first rate.</param>
/// <param name="totalSteps">Steps to the end rate.</param>
/// <param name="end">The rate at the end. Default 0.</param>
public sealed class CosineSchedule(double peak, long totalSteps, double end = 0) : Schedule
{
    /// <inheritdoc/>
    public override double RateAt(long step) => end + ((peak - end) * (1 + Math.Cos(Math.PI * Math.Min(step, totalSteps) / totalSteps)) / 2);
}

/// <summary>A straight line from near 0 to another schedule's first rate, then that schedule: step t of W has the share (t + 1) / W.</summary>
/// <param name="then">What follows; its step 0 is the first step after the warm-up.</param>
/// <param name="warmupSteps">W; 0 for none.</param>
public sealed class WarmupSchedule(Schedule then, long warmupSteps) : Schedule
{
    /// <inheritdoc/>
    public override double RateAt(long step) => step < warmupSteps ? then.RateAt(0) * (step + 1) / warmupSteps : then.RateAt(step - warmupSteps);

    /// <inheritdoc/>
    public override void Observe(double loss) => then.Observe(loss);

    /// <inheritdoc/>
    public override double[] Save() => then.Save();

    /// <inheritdoc/>
    public override void Load(ReadOnlySpan<double> state) => then.Load(state);
}

/// <summary>One cycle (Smith and Topin 2019) with cosine flanks, as PyTorch's OneCycleLR: from peak / 25 up to the peak over the first 30 % of the steps, then down to peak / 250,000.</summary>
/// <param name="peak">The highest rate.</param>
/// <param name="totalSteps">All steps.</param>
public sealed class OneCycleSchedule(double peak, long totalSteps) : Schedule
{
    private const double Rise = 0.3, Divide = 25, DivideAtEnd = 1e4;

    /// <inheritdoc/>
    public override double RateAt(long step)
    {
        double first = peak / Divide, last = first / DivideAtEnd, top = (Rise * totalSteps) - 1, end = totalSteps - 1, at = Math.Min(step, end);
        return at <= top ? Flank(first, peak, at / top) : Flank(peak, last, end > top ? (at - Math.Max(top, 0)) / (end - Math.Max(top, 0)) : 1);
    }

    private static double Flank(double from, double to, double share) => to + ((from - to) * (1 + Math.Cos(Math.PI * (double.IsFinite(share) ? share : 1))) / 2);
}

/// <summary>Cuts the rate when the loss has not improved for a while, as PyTorch's ReduceLROnPlateau with a relative threshold of 1e-4.</summary>
/// <param name="peak">The first rate.</param>
/// <param name="factor">Factor of each cut. Default 0.5.</param>
/// <param name="patience">Epochs without improvement that are tolerated; the next one cuts. Default 4.</param>
/// <param name="floor">The rate is never cut below this. Default 0.</param>
public sealed class PlateauSchedule(double peak, double factor = 0.5, int patience = 4, double floor = 0) : Schedule
{
    private double _rate = peak, _best = double.PositiveInfinity;
    private int _bad;

    /// <inheritdoc/>
    public override double RateAt(long step) => _rate;

    /// <inheritdoc/>
    public override void Observe(double loss)
    {
        bool better = double.IsPositiveInfinity(_best) ? double.IsFinite(loss) : loss < _best - (1e-4 * Math.Abs(_best));
        if (better)
        {
            (_best, _bad) = (loss, 0);
        }
        else if (++_bad > patience)
        {
            (_rate, _bad) = (Math.Max(_rate * factor, floor), 0);
        }
    }

    /// <inheritdoc/>
    public override double[] Save() => [_rate, _best, _bad];

    /// <inheritdoc/>
    public override void Load(ReadOnlySpan<double> state)
    {
        if (state.Length != 3)
            throw new ShapeException($"A plateau schedule keeps 3 numbers; it got {state.Length}.");
        (_rate, _best, _bad) = (state[0], state[1], (int)state[2]);
    }
}
