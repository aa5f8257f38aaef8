using System.Text.Json.Nodes;
using Candela.Evaluation;
using Candela.Models;

namespace Candela.Experiments;

/// <summary>A trained model of an <see cref="ISequenceTask"/>, opened from its run folder. Not for use from several threads at once.</summary>
public interface ISequencePredictor : IDisposable
{
    /// <summary>What it is called in a sentence, without an article: language model, tagger, translator.</summary>
    string Name { get; }

    /// <summary>What an evaluation counts, in the plural: tokens, texts.</summary>
    string Unit { get; }

    /// <summary>Names of the values of each <see cref="SequencePrediction"/>, in order.</summary>
    IReadOnlyList<string> Fields { get; }

    /// <summary>Scores the model on other data of the kind it was trained on, with intervals.</summary>
    /// <param name="data">A file as the task reads it.</param>
    /// <param name="events">Told of warnings.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="DataException">The data cannot be used.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    SplitEvaluation Evaluate(string data, IProgress<TrainEvent> events, CancellationToken cancellation);

    /// <summary>What the model makes of each example of a file, as a stream.</summary>
    /// <param name="data">A file as the task reads it; what is to be predicted need not be in it.</param>
    /// <param name="events">Told of warnings.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="DataException">The data cannot be used.</exception>
    /// <exception cref="UsageException">The task has nothing to predict from a file.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    IEnumerable<SequencePrediction> Predict(string data, IProgress<TrainEvent> events, CancellationToken cancellation);
}

/// <summary>What a model makes of one example.</summary>
/// <param name="Text">The prediction in the task's own plain format, without the last line break.</param>
/// <param name="Values">By <see cref="ISequencePredictor.Fields"/>: a text, a number or an array of these; null where there is none.</param>
public sealed record SequencePrediction(string Text, IReadOnlyList<JsonNode?> Values);
