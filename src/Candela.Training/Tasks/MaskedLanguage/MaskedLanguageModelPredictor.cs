using System.Text.Json.Nodes;
using Candela.Data;
using Candela.Evaluation;
using Candela.Experiments;
using Candela.Language;
using Candela.Models;
using Candela.Tokenization;
using Candela.Training.Language;

namespace Candela.Training.Tasks;

/// <summary>An encoder over a text: it scores one by hiding tokens in it, and fills the masks of lines that have some.</summary>
internal sealed class MaskedLanguageModelPredictor : ISequencePredictor
{
    private readonly Bert _bert;
    private readonly Tokenizer _tokenizer;
    private readonly MaskedFrames _frames;

    public MaskedLanguageModelPredictor(string folder)
    {
        _bert = Bert.Load(folder);
        try
        {
            _tokenizer = EncoderFamily.TokenizerOf(_bert, folder);
            _frames = new MaskedFrames(_tokenizer, _bert.Config);
            if (_bert.Config.Head is not (BertHead.PreTraining or BertHead.MaskedLanguage))
                throw new FileFormatException(Path.Combine(folder, TransformerConfig.FileName), Fault.WrongFormat, $"the model has the head {_bert.Config.Head}; one for hidden tokens was needed.");
        }
        catch
        {
            _bert.Dispose();
            throw;
        }
    }

    public string Name => "masked language model";

    public string Unit => "tokens";

    public IReadOnlyList<string> Fields { get; } = ["filled", "tokens", "probabilities"];

    public SplitEvaluation Evaluate(string data, IProgress<TrainEvent> events, CancellationToken cancellation)
    {
        TextCorpus corpus = TextCorpus.Open(data, cancellation);
        IEnumerable<CorpusPiece> Pieces() => corpus.Read(Part.Train, 0, 0, 0);
        string scratch = Path.Combine(Path.GetTempPath(), $"candela-{Guid.NewGuid():n}.tokens");
        try
        {
            bool pairs = _bert.Config.Head == BertHead.PreTraining && TextDocuments.Have(Pieces());
            using MaskedCorpus text = MaskedCorpus.Write(Pieces(), _tokenizer, _frames, pairs, Math.Min(_bert.Config.ContextLength, LanguageModelPlan.LongestBlock), 0, scratch, cancellation);
            using var net = new MaskedTrainable(_bert.Network, MaskedLanguageModelJob.EvaluationBatch, 0);
            return MaskedScores.Of([.. net.Rows(text.Sequences())], 0);
        }
        finally
        {
            File.Delete(scratch);
        }
    }

    /// <summary>Every line that is not empty, its masks filled with the likeliest tokens.</summary>
    public IEnumerable<SequencePrediction> Predict(string data, IProgress<TrainEvent> events, CancellationToken cancellation)
    {
        TextCorpus corpus = TextCorpus.Open(data, cancellation);
        using var net = new MaskedTrainable(_bert.Network, 1, 0);
        foreach (string line in TextDocuments.Lines(corpus.Read(Part.Train, 0, 0, 0)))
        {
            cancellation.ThrowIfCancellationRequested();
            TokenEncoding read = _tokenizer.EncodeWithin(line, null, _bert.Config.ContextLength);
            int[] places = [.. Enumerable.Range(0, read.Count).Where(i => read.Ids[i] == _frames.Mask)];
            FoundTokens found = net.Found(new MaskedBatch
            {
                Count = 1,
                Steps = read.Count,
                Ids = Array.ConvertAll(read.Ids, id => (long)id),
                Types = new long[read.Count],
                Seen = [.. Enumerable.Repeat(1L, read.Count)],
                Places = Array.ConvertAll(places, p => (long)p),
                Hidden = new long[places.Length],
                HiddenOf = [places.Length],
                Unrelated = [],
            });
            int[] filled = [.. read.Ids];
            for (int i = 0; i < places.Length; i++)
                filled[places[i]] = (int)found.Ids[i];
            string text = _tokenizer.Decode(filled);
            yield return new SequencePrediction(text, [text, new JsonArray([.. found.Ids.Select(id => (JsonNode?)_tokenizer.TokenOf((int)id))]), new JsonArray([.. found.Probabilities.Select(p => (JsonNode?)p)])]);
        }
    }

    public void Dispose() => _bert.Dispose();
}
