namespace Candela.Models;

/// <summary>Something that happened while training. Written to events.jsonl and shown as progress.</summary>
public abstract record TrainEvent;

/// <summary>A phase of the run begins: reading, profiling, splitting, fitting a family, evaluating, ...</summary>
/// <param name="Stage">A short phrase for people.</param>
public sealed record StageStarted(string Stage) : TrainEvent;

/// <summary>One optimiser step, logged at intervals.</summary>
/// <param name="Step">Steps so far, from 1.</param>
/// <param name="Epoch">Epoch, from 0.</param>
/// <param name="Fraction">Share of all planned steps that is done, 0..1.</param>
/// <param name="Loss">Mean training loss since the last such event.</param>
/// <param name="GradientNorm">L2 norm of all gradients before clipping; NaN when not computed.</param>
/// <param name="LearningRate">The rate used.</param>
/// <param name="RowsPerSecond">Since the last such event.</param>
public sealed record StepEnded(long Step, int Epoch, double Fraction, double Loss, double GradientNorm, double LearningRate, double RowsPerSecond) : TrainEvent;

/// <summary>One epoch (or one logged round of boosting).</summary>
/// <param name="Epoch">From 0.</param>
/// <param name="Steps">Steps so far.</param>
/// <param name="TrainLoss">Mean training loss of the epoch.</param>
/// <param name="ValidLoss">Loss on the validation rows, or null.</param>
/// <param name="ValidScore">The selection score on the validation rows (accuracy, or R2), or null.</param>
/// <param name="LearningRate">The rate at the end.</param>
/// <param name="Seconds">Wall time since training began.</param>
public sealed record EpochEnded(int Epoch, long Steps, double TrainLoss, double? ValidLoss, double? ValidScore, double LearningRate, double Seconds) : TrainEvent;

/// <summary>Something the user should know: an excluded column, a suspicious curve.</summary>
/// <param name="Code">A stable id such as <c>leak-copy-of-target</c>, documented in docs/errors.md.</param>
/// <param name="Message">One or two lines.</param>
public sealed record Warned(string Code, string Message) : TrainEvent;
