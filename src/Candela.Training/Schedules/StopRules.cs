using Candela.Energy;
using Candela.Models;

namespace Candela.Training;

/// <summary>When training ends: the first rule that holds. Null (the default of each) means no such rule.</summary>
public sealed record StopRules
{
    /// <summary>Passes over the training rows.</summary>
    public int? Epochs { get; init; }

    /// <summary>Optimiser steps.</summary>
    public long? Steps { get; init; }

    /// <summary>Epochs in a row without a better score.</summary>
    public int? Patience { get; init; }

    /// <summary>Ends when an epoch's mean training loss is at most this.</summary>
    public double? Loss { get; init; }

    /// <summary>Ends when a step's gradient norm (before clipping) is at most this.</summary>
    public double? GradientNorm { get; init; }

    /// <summary>Wall time, over all sessions of a resumed run; checked after every step.</summary>
    public TimeSpan? MaxTime { get; init; }

    /// <summary>Joules, over all sessions of a resumed run; checked after every step, at most ten times a second. Needs a meter.</summary>
    public double? MaxJoules { get; init; }
}

/// <summary>The numbers a <see cref="StopJudge"/> goes on from.</summary>
/// <param name="BestScore">Best score so far; minus infinity when there was none.</param>
/// <param name="BestTie">Its tie-breaker.</param>
/// <param name="BestEpoch">Its epoch, or -1.</param>
/// <param name="EpochsWithoutBetter">Epochs since then.</param>
/// <param name="Seconds">Training time so far.</param>
/// <param name="Joules">Energy so far.</param>
public sealed record StopState(double BestScore, double BestTie, int BestEpoch, int EpochsWithoutBetter, double Seconds, double Joules);

/// <summary>Applies <see cref="StopRules"/> and keeps the best score. Used by every training loop of the library; libtorch-free.</summary>
public sealed class StopJudge
{
    private readonly StopRules _rules;
    private readonly TimeProvider _clock;
    private readonly IEnergyMeter? _meter;
    private readonly double _joulesAtStart;
    private readonly long _started;
    private double _secondsBefore, _joulesBefore, _nextReading, _bestTie = double.NegativeInfinity;

    /// <summary>Starts the clock.</summary>
    /// <param name="rules">When to end.</param>
    /// <param name="clock">Default the system's.</param>
    /// <param name="meter">Needed by <see cref="StopRules.MaxJoules"/>.</param>
    /// <exception cref="UsageException">An energy rule without a meter, or a limit that is not positive.</exception>
    public StopJudge(StopRules rules, TimeProvider? clock = null, IEnergyMeter? meter = null)
    {
        if (rules.MaxJoules is not null && meter is null)
            throw new UsageException("An energy limit needs an energy meter; none was given.");
        if (rules.Epochs < 1 || rules.Steps < 1 || rules.Patience < 1)
            throw new UsageException($"Epochs, steps and patience must be at least 1; received epochs {rules.Epochs}, steps {rules.Steps}, patience {rules.Patience}.");
        if (rules.MaxTime <= TimeSpan.Zero || rules.MaxJoules <= 0)
            throw new UsageException($"Time and energy limits must be above 0; received {rules.MaxTime} and {rules.MaxJoules} J.");
        (_rules, _clock, _meter) = (rules, clock ?? TimeProvider.System, meter);
        _started = _clock.GetTimestamp();
        _joulesAtStart = meter?.Read().Joules ?? 0;
    }

    /// <summary>Best score so far; minus infinity before the first.</summary>
    public double BestScore { get; private set; } = double.NegativeInfinity;

    /// <summary>The epoch of the best score, or -1.</summary>
    public int BestEpoch { get; private set; } = -1;

    /// <summary>Epochs since the best score.</summary>
    public int EpochsWithoutBetter { get; private set; }

    /// <summary>True when the last epoch gave the best score so far.</summary>
    public bool Improved { get; private set; }

    /// <summary>Training time over all sessions.</summary>
    public double Seconds => _secondsBefore + _clock.GetElapsedTime(_started).TotalSeconds;

    /// <summary>Energy over all sessions; 0 without a meter.</summary>
    public double Joules => _joulesBefore + (_meter?.Read().Joules ?? 0) - _joulesAtStart;

    /// <summary>To be asked after every step.</summary>
    /// <param name="steps">Steps taken in all, from 1.</param>
    /// <param name="gradientNorm">Before clipping; NaN when not computed.</param>
    public StopReason? AfterStep(long steps, double gradientNorm = double.NaN)
    {
        if (gradientNorm <= _rules.GradientNorm)
            return StopReason.GradientNorm;
        if (steps >= _rules.Steps)
            return StopReason.Steps;
        if (_rules.MaxTime is null && _rules.MaxJoules is null)
            return null;
        double seconds = Seconds;
        if (seconds >= _rules.MaxTime?.TotalSeconds)
            return StopReason.Time;
        if (_rules.MaxJoules is null || seconds < _nextReading)
            return null;
        _nextReading = seconds + 0.1;
        return Joules >= _rules.MaxJoules ? StopReason.Energy : null;
    }

    /// <summary>To be asked after every epoch.</summary>
    /// <param name="epoch">The epoch that ended, from 0.</param>
    /// <param name="trainLoss">Its mean training loss.</param>
    /// <param name="score">Higher is better (accuracy, R2, or minus the validation loss); null when nothing was validated. A NaN is never better.</param>
    /// <param name="tie">Decides between equal scores, higher is better; for example minus the validation loss where the score is an accuracy. Default 0.</param>
    public StopReason? AfterEpoch(int epoch, double trainLoss, double? score, double tie = 0)
    {
        Improved = score > BestScore || (score == BestScore && tie > _bestTie);
        if (Improved)
            (BestScore, _bestTie, BestEpoch, EpochsWithoutBetter) = (score!.Value, tie, epoch, 0);
        else if (score is not null)
            EpochsWithoutBetter++;
        if (trainLoss <= _rules.Loss)
            return StopReason.Loss;
        if (EpochsWithoutBetter >= _rules.Patience)
            return StopReason.Patience;
        return epoch + 1 >= _rules.Epochs ? StopReason.Epochs : null;
    }

    /// <summary>What a checkpoint keeps.</summary>
    public StopState Save() => new(BestScore, _bestTie, BestEpoch, EpochsWithoutBetter, Seconds, Joules);

    /// <summary>Goes on from a checkpoint; the clock counts on from its time.</summary>
    public void Load(StopState state) => (BestScore, _bestTie, BestEpoch, EpochsWithoutBetter, _secondsBefore, _joulesBefore) =
        (state.BestScore, state.BestTie, state.BestEpoch, state.EpochsWithoutBetter, state.Seconds, state.Joules);
}
