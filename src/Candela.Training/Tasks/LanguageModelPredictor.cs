using Candela.Data;
using Candela.Evaluation;
using Candela.Experiments;
using Candela.Language;
using Candela.Models;
using Candela.Tokenization;
using Candela.Training.Language;

namespace Candela.Training.Tasks;

/// <summary>A language model over the text of a file: it scores one, and has nothing to predict from it.</summary>
internal sealed class LanguageModelPredictor(string folder, long seed = 0) : ISequencePredictor
{
    public string Name => "language model";

    public string Unit => "tokens";

    public IReadOnlyList<string> Fields => [];

    public SplitEvaluation Evaluate(string data, IProgress<TrainEvent> events, CancellationToken cancellation)
    {
        TextCorpus corpus = TextCorpus.Open(data, cancellation);
        using CausalLm model = CausalLm.Load(folder);
        Tokenizer tokenizer = model.Tokenizer ?? throw new FileFormatException(folder, Fault.Missing, "there is no tokenizer beside the model, so it cannot read a text.");
        string tokens = Path.Combine(Path.GetTempPath(), $"candela-{Guid.NewGuid():n}.tokens");
        try
        {
            CorpusTokens counted = CorpusTokens.Write(tokens, corpus.Read(Part.Train, 0, 0, 0), tokenizer, cancellation);
            using TokenStore store = TokenStore.Open(tokens);
            using var network = new CausalTrainable(model.Network, LanguageModelPlan.EvaluationBatch, seed);
            return TextLoss.Of(network, new TokenBlocks(store, Math.Min(model.ContextLength, LanguageModelPlan.LongestBlock)), counted, seed).Evaluation;
        }
        finally
        {
            File.Delete(tokens);
        }
    }

    public IEnumerable<SequencePrediction> Predict(string data, IProgress<TrainEvent> events, CancellationToken cancellation) =>
        throw new UsageException($"predict got '{folder}', which holds a language model: it continues a text and has no rows to score. Let it write with: candela generate {folder} --prompt TEXT. Score a text with: candela evaluate {folder} TEXTFILE.");

    public void Dispose()
    {
    }
}
