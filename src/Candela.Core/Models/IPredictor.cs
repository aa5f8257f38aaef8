using Candela.Data;

namespace Candela.Models;

/// <summary>What a predictor takes and gives.</summary>
/// <param name="Inputs">The columns it reads, by name and kind (the target is not among them). Extra columns in the data are ignored.</param>
/// <param name="Problem">Task, target and classes.</param>
public sealed record PredictorSchema(TableSchema Inputs, Problem Problem);

/// <summary>Rows, images or texts in, scores out. Not for use from several threads at once: open one for each, or take turns. Implementations: a run folder, a plain function, and any engine that serves a model.</summary>
public interface IPredictor : IDisposable
{
    /// <summary>What it takes and gives.</summary>
    PredictorSchema Schema { get; }

    /// <summary>Scores each row: [rows, Schema.Problem.Outputs], row-major. Class probabilities sum to 1; a regression value is in the target's unit.
    /// Columns are found by name; a missing column is a <see cref="DataException"/>, an unseen category is treated as a rare one, or as missing where training had no rare ones.</summary>
    float[] Score(TableChunk rows);
}
