using Candela.Evaluation;
using Candela.Experiments;
using Candela.Language;
using Candela.Models;
using Candela.Training.Language;

namespace Candela.Training.Tasks;

/// <summary>A model trained on preferences, judged by the implicit rewards <c>beta (log p - log r)</c> it gives to answers. They are measured against its base, which must still be where it was.</summary>
internal sealed class PreferencePredictor(string folder, string baseFolder, double beta, double smoothing, int block, long seed = 0) : ISequencePredictor
{
    private const int EvaluationBatch = 4;

    public string Name => "preference model";

    public string Unit => "pairs";

    public IReadOnlyList<string> Fields { get; } = ["preferred", "margin", "chosenReward", "rejectedReward"];

    public SplitEvaluation Evaluate(string data, IProgress<TrainEvent> events, CancellationToken cancellation)
    {
        Score(data, events, cancellation, out AnswerLikelihoods policy, out AnswerLikelihoods reference);
        return PreferenceScores.Of(policy, reference, beta, smoothing, seed);
    }

    /// <summary>Which of the two answers of each line the model prefers, and by how much.</summary>
    public IEnumerable<SequencePrediction> Predict(string data, IProgress<TrainEvent> events, CancellationToken cancellation)
    {
        Score(data, events, cancellation, out AnswerLikelihoods policy, out AnswerLikelihoods reference);
        for (int i = 0; i < policy.Chosen.Length; i++)
        {
            double chosen = beta * (policy.Chosen[i] - reference.Chosen[i]), rejected = beta * (policy.Rejected[i] - reference.Rejected[i]);
            string preferred = chosen > rejected ? "chosen" : chosen < rejected ? "rejected" : "neither";
            yield return new SequencePrediction(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{preferred}\t{chosen - rejected:G6}"), [preferred, chosen - rejected, chosen, rejected]);
        }
    }

    public void Dispose()
    {
    }

    // One model after the other, so that both are never held.
    private void Score(string data, IProgress<TrainEvent> events, CancellationToken cancellation, out AnswerLikelihoods policy, out AnswerLikelihoods reference)
    {
        if (!Directory.Exists(baseFolder))
            throw new FileFormatException(baseFolder, Fault.Missing, $"the base of {folder} is not there any more, and its rewards are measured against it. Put it back, or let the model write with `candela generate {folder}`.");
        PreferencePairs pairs = PreferencePairs.Read(data, cancellation);
        policy = Likelihoods(folder, pairs, cancellation, out int shortened);
        reference = Likelihoods(baseFolder, pairs, cancellation, out _);
        if (shortened > 0)
            events.Report(PreferenceJob.Shortened(shortened, pairs.Pairs.Count, block));
    }

    private AnswerLikelihoods Likelihoods(string from, PreferencePairs pairs, CancellationToken cancellation, out int shortened)
    {
        using CausalLm model = CausalLm.Load(from);
        var tokens = new PreferenceTokens(pairs.Pairs, model.Tokenizer ?? throw new FileFormatException(from, Fault.Missing, "there is no tokenizer beside the model, so it cannot read a text."), block);
        shortened = tokens.Shortened;
        return PreferenceTrainable.Likelihoods(model.Network, tokens, EvaluationBatch, TorchSharp.torch.CPU, cancellation);
    }
}
