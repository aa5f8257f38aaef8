namespace Candela.Models;

/// <summary>Watches <see cref="FitOptions.MaxTime"/> and <see cref="FitOptions.MaxJoules"/> over one fit. Made where the fit begins and asked after every round or iteration;
/// reads the meter at most ten times a second.</summary>
public sealed class FitLimits
{
    private readonly FitContext _context;
    private readonly double _maxSeconds, _maxJoules, _joulesAtStart;
    private readonly long _began;
    private double _joules, _nextReading;

    /// <summary>Starts counting.</summary>
    /// <exception cref="UsageException">An energy limit without a meter, or a limit that is not above 0.</exception>
    public FitLimits(FitContext context)
    {
        FitOptions options = context.Options;
        if (options.MaxTime <= TimeSpan.Zero || options.MaxJoules <= 0)
            throw new UsageException($"Time and energy limits must be above 0; received {options.MaxTime} and {options.MaxJoules} J.");
        if (options.MaxJoules is not null && context.Meter is null)
            throw new UsageException("An energy limit needs an energy meter; none was given.");
        (_context, _began) = (context, context.Clock.GetTimestamp());
        (_maxSeconds, _maxJoules) = (options.MaxTime?.TotalSeconds ?? double.PositiveInfinity, options.MaxJoules ?? double.PositiveInfinity);
        _joulesAtStart = options.MaxJoules is null ? 0 : context.Meter!.Read().Joules;
    }

    /// <summary>Seconds since the fit began.</summary>
    public double Seconds => _context.Clock.GetElapsedTime(_began).TotalSeconds;

    /// <summary>The limit that was last found reached; null while none was. What ended a fit.</summary>
    public StopReason? Stopped { get; private set; }

    /// <summary>Whether so large a share of a limit is used; <see cref="Stopped"/> then says which.</summary>
    /// <param name="share">Above 0, at most 1 (default). Less than 1 for work that must leave something for what comes after it, such as choosing a setting.</param>
    public bool Reached(double share = 1)
    {
        if (double.IsInfinity(_maxSeconds) && double.IsInfinity(_maxJoules))
            return false;
        double seconds = Seconds;
        if (!double.IsInfinity(_maxJoules) && seconds >= _nextReading)
            (_joules, _nextReading) = (_context.Meter!.Read().Joules - _joulesAtStart, seconds + 0.1);
        StopReason? reached = seconds >= share * _maxSeconds ? StopReason.Time : _joules >= share * _maxJoules ? StopReason.Energy : null;
        Stopped = reached ?? Stopped;
        return reached is not null;
    }
}
