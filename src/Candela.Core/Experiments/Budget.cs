using Candela.Models;

namespace Candela.Experiments;

/// <summary>What may be used in all, on the run's own counters of time and energy (earlier sessions of a resumed run are counted in), and what is left of it.
/// Null limits bound nothing.</summary>
internal sealed class Budget(Func<double> seconds, Func<double> joules, double? maxSeconds, double? maxJoules)
{
    // What a fit is given when nothing is left: every family takes its least step with it and ends.
    private const double LeastSeconds = 1e-3, LeastJoules = 1e-3;

    /// <summary>Whether there is any limit.</summary>
    public bool IsSet => maxSeconds is not null || maxJoules is not null;

    /// <summary>What was used up, or null when something is left of both.</summary>
    public StopReason? Spent => seconds() >= maxSeconds ? StopReason.Time : maxJoules is not null && joules() >= maxJoules ? StopReason.Energy : null;

    /// <summary>A budget of half of this one, from the run's beginning.</summary>
    public Budget Half() => new(seconds, joules, maxSeconds / 2, maxJoules / 2);

    /// <summary>A budget of half of what is left of this one.</summary>
    public Budget HalfOfRest() => new(seconds, joules, maxSeconds is null ? null : (Math.Min(seconds(), maxSeconds.Value) + maxSeconds) / 2, maxJoules is null ? null : (Math.Min(joules(), maxJoules.Value) + maxJoules) / 2);

    /// <summary>Options with what is left as their limits.</summary>
    /// <param name="options">Options of the fit.</param>
    /// <param name="since">The counters when the fit began, where an earlier session began it and its saved state counts on from there; else null.</param>
    public FitOptions Limit(FitOptions options, FitStart? since) => options with
    {
        MaxTime = maxSeconds is { } time ? TimeSpan.FromSeconds(Math.Max(LeastSeconds, time - (since?.Seconds ?? seconds()))) : null,
        MaxJoules = maxJoules is { } energy ? Math.Max(LeastJoules, energy - (since?.Joules ?? joules())) : null,
    };

    /// <summary>The limits for people.</summary>
    public override string ToString() => string.Join(" and ", new[]
    {
        maxSeconds is { } s ? FormattableString.Invariant($"{s:0.###} s") : null,
        maxJoules is { } j ? FormattableString.Invariant($"{j:0.###} J") : null,
    }.Where(t => t is not null));
}

/// <summary>A fit under way: its checkpoint key and what the run had used when it began.</summary>
internal sealed record FitStart(string Key, double Seconds, double Joules);
