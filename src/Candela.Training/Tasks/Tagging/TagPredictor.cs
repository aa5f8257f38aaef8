using System.Text.Json.Nodes;
using Candela.Evaluation;
using Candela.Experiments;
using Candela.Language;
using Candela.Metrics;
using Candela.Models;

namespace Candela.Training.Tasks;

/// <summary>A tagger over the sentences of a file: CoNLL-U, CoNLL columns (tags in them are not looked at), or one token per line with an empty line behind each sentence.</summary>
internal sealed class TagPredictor(ITagger tagger, string? tagColumn, long seed = 0) : ISequencePredictor
{
    public string Name => "tagger";

    public string Unit => "tokens";

    public IReadOnlyList<string> Fields { get; } = ["tokens", "tags"];

    public SplitEvaluation Evaluate(string data, IProgress<TrainEvent> events, CancellationToken cancellation)
    {
        TaggedCorpus corpus = TaggedCorpus.Read(data, new TaggedCorpusOptions { TagColumn = tagColumn });
        TagScores.WarnOfUnseen(data, corpus.Sentences, tagger.Tags, events);
        return TagScores.Of(corpus.Sentences, tagger.Tag([.. corpus.Sentences.Select(s => s.Tokens)]), SpanF1.AreSpanTags(tagger.Tags) && SpanF1.AreSpanTags(corpus.Tags), seed);
    }

    /// <summary>As files of tagged sentences are: a token and its tag per line, an empty line behind each sentence.</summary>
    public IEnumerable<SequencePrediction> Predict(string data, IProgress<TrainEvent> events, CancellationToken cancellation)
    {
        IReadOnlyList<string>[] sentences = [.. TaggedCorpus.Read(data, new TaggedCorpusOptions { TokensOnly = true }).Sentences.Select(s => s.Tokens)];
        foreach (IReadOnlyList<string>[] some in sentences.Chunk(SentenceTagger.EvaluationBatch))
        {
            cancellation.ThrowIfCancellationRequested();
            foreach ((IReadOnlyList<string> tokens, IReadOnlyList<string> tags) in some.Zip(tagger.Tag(some)))
                yield return new SequencePrediction(string.Concat(tokens.Zip(tags, (token, tag) => $"{token}\t{tag}\n")), [Array(tokens), Array(tags)]);
        }
    }

    public void Dispose() => tagger.Dispose();

    private static JsonArray Array(IReadOnlyList<string> texts) => [.. texts.Select(t => (JsonNode)t)];
}
