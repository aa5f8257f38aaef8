using System.Text.Json.Serialization;
using Candela.Data;

namespace Candela.Models;

/// <summary>Something that happened while training. Written to events.jsonl (its kind as <c>type</c>) and shown as progress.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(StageStarted), "stage")]
[JsonDerivedType(typeof(TableRead), "table")]
[JsonDerivedType(typeof(FamilyStarted), "family")]
[JsonDerivedType(typeof(StepEnded), "step")]
[JsonDerivedType(typeof(EpochEnded), "epoch")]
[JsonDerivedType(typeof(Sampled), "sample")]
[JsonDerivedType(typeof(Warned), "warning")]
public abstract record TrainEvent;

/// <summary>A phase of the run begins: reading, profiling, splitting, fitting a family, evaluating, ...</summary>
/// <param name="Stage">A short phrase for people.</param>
public sealed record StageStarted(string Stage) : TrainEvent;

/// <summary>The data has been read: its rows, and what each column was taken for.</summary>
/// <param name="Rows">Rows of the table.</param>
/// <param name="Target">The target column's name.</param>
/// <param name="Schema">Every column with its kind and why.</param>
public sealed record TableRead(long Rows, string Target, TableSchema Schema) : TrainEvent;

/// <summary>A model is about to be fitted; the steps and epochs that follow are its own.</summary>
/// <param name="Family">The family's id.</param>
/// <param name="Purpose">candidate; or <c>inner fold 2 of 5</c> (to choose a family), <c>fold 2 of 5</c> (cross-validation).</param>
/// <param name="Index">Number of this fit in the run, from 0.</param>
/// <param name="Fits">Fits the run will make in all.</param>
public sealed record FamilyStarted(string Family, string Purpose, int Index, int Fits) : TrainEvent;

/// <summary>One optimiser step, logged at intervals.</summary>
/// <param name="Step">Steps so far, from 1.</param>
/// <param name="Epoch">Epoch, from 0.</param>
/// <param name="Fraction">Share of all planned steps that is done, 0..1.</param>
/// <param name="Loss">Mean training loss since the last such event.</param>
/// <param name="GradientNorm">L2 norm of all gradients before clipping; NaN when not computed.</param>
/// <param name="LearningRate">The rate used.</param>
/// <param name="RowsPerSecond">Rows (of a language model tokens) a second since the last such event.</param>
public sealed record StepEnded(long Step, int Epoch, double Fraction, double Loss, double GradientNorm, double LearningRate, double RowsPerSecond) : TrainEvent;

/// <summary>One epoch, or one logged round of boosting, or the steps of a language model between two evaluations.</summary>
/// <param name="Epoch">From 0.</param>
/// <param name="Steps">Steps so far.</param>
/// <param name="TrainLoss">Mean training loss of the epoch.</param>
/// <param name="ValidLoss">Loss on the validation rows, or null.</param>
/// <param name="ValidScore">The selection score on the validation rows (accuracy, or R2), or null.</param>
/// <param name="LearningRate">The rate at the end.</param>
/// <param name="Seconds">Wall time since training began.</param>
public sealed record EpochEnded(int Epoch, long Steps, double TrainLoss, double? ValidLoss, double? ValidScore, double LearningRate, double Seconds) : TrainEvent;

/// <summary>What the model writes at this point of training.</summary>
/// <param name="Step">Steps so far.</param>
/// <param name="Text">Its text, of a fixed seed.</param>
public sealed record Sampled(long Step, string Text) : TrainEvent;

/// <summary>Something the user should know: an excluded column, a suspicious curve.</summary>
/// <param name="Code">A stable id such as <c>leak-copy-of-target</c>, documented in docs/errors.md.</param>
/// <param name="Message">One or two lines.</param>
public sealed record Warned(string Code, string Message) : TrainEvent;
