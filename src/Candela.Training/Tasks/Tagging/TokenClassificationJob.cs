using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Candela.Data;
using Candela.Evaluation;
using Candela.Experiments;
using Candela.Language;
using Candela.Metrics;
using Candela.Models;
using Candela.Runs;
using TorchSharp;

namespace Candela.Training.Tasks;

/// <summary>One training of a tagger: vocabularies, net, evaluation beside a tagger without a net and the most frequent tags.</summary>
internal sealed class TokenClassificationJob : ISequenceJob
{
    /// <summary>The net's id.</summary>
    public const string Model = "lstm";

    private const int DefaultLayers = 1, DefaultWidth = 128, DefaultBatch = 16, FewestEpochs = 12, MostEpochs = 60, UsualSteps = 2000, Samples = 5, SampleTokens = 30;
    private const double DefaultDropout = 0.5;
    private readonly TrainRequest _request;
    private readonly Func<IReferenceTagger>? _reference;
    private readonly Dictionary<string, IReadOnlyList<TaggedSentence>> _parts = [];
    private readonly bool _spans;

    public TokenClassificationJob(TrainRequest request, TaggedCorpus corpus, TaggedCorpus? valid, TaggedCorpus? test, Func<IReferenceTagger>? reference)
    {
        (_request, _reference) = (request, reference);
        NeedTwo(corpus);
        double validShare = valid is null ? request.ValidFraction!.Value : 0, testShare = test is null ? request.TestFraction!.Value : 0;
        TaggedCorpus rest = corpus;
        if (testShare > 0)
        {
            TaggedSplit split = rest.Split(testShare, request.Fit.Seed);
            (rest, test) = (new TaggedCorpus(corpus.Source, split.Train), new TaggedCorpus(corpus.Source, split.Held));
        }

        if (validShare > 0)
        {
            TaggedSplit split = rest.Split(validShare / (1 - testShare), request.Fit.Seed);
            (rest, valid) = (new TaggedCorpus(corpus.Source, split.Train), new TaggedCorpus(corpus.Source, split.Held));
        }

        _parts["train"] = rest.Sentences;
        if (valid is not null)
            _parts["valid"] = valid.Sentences;
        if (test is not null)
            _parts["test"] = test.Sentences;
        NeedTwo(rest);
        _spans = SpanF1.AreSpanTags(rest.Tags);
        Problem = new Problem(TaskKind.TokenClassification, request.Target ?? TokenClassificationTask.DefaultTarget, rest.Tags);
        Profile = new DataProfile(corpus.Sentences.Count, 0, [], []);
        DataHash = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(string.Join('\n', new[] { request.Data, request.ValidFile, request.TestFile }.Select(HashOf)))));
    }

    public string DataHash { get; }

    public Problem Problem { get; }

    public IReadOnlyDictionary<string, long> Rows => _parts.ToDictionary(p => p.Key, p => (long)p.Value.Count);

    public DataProfile Profile { get; }

    public SequenceOutcome Run(SequenceContext context)
    {
        IReadOnlyList<TaggedSentence> training = _parts["train"];
        foreach ((string part, IReadOnlyList<TaggedSentence> sentences) in _parts.Where(p => p.Key != "train"))
            TagScores.WarnOfUnseen($"The {part} part", sentences, Problem.Classes, context.Events);
        context.Events.Report(new StageStarted("training"));
        long started = context.Clock.GetTimestamp();
        double joules = context.Meter.Read().Joules;
        TrainedTagger trained = _request.Sequence.Base is null ? TrainNet(context)
            : EncoderTagger.Train(_request, context, Problem.Classes, training, _parts.GetValueOrDefault("valid", []), tags => TagScores.Score(ValidTags(), tags, _spans));
        using ITagger tagger = trained.Tagger;
        TrainingOutcome outcome = trained.Outcome;
        double seconds = context.Clock.GetElapsedTime(started).TotalSeconds;
        joules = context.Meter.Read().Joules - joules;
        context.Events.Report(new StageStarted("evaluating"));
        tagger.Save(context.ModelFolder);
        string judged = _parts.ContainsKey("test") ? "test" : "valid";
        var predicted = _parts.Where(p => p.Key != "train").ToDictionary(p => p.Key, p => tagger.Tag([.. p.Value.Select(s => s.Tokens)]));
        var metrics = predicted.ToDictionary(p => p.Key, p => TagScores.Of(_parts[p.Key], p.Value, _spans, _request.Fit.Seed));
        List<CandidateRecord> candidates = [new(trained.Model, tagger.ParameterCount, ValidScore(metrics), metrics[judged].Metrics, seconds, joules, "chosen")];
        if (_reference is not null)
            candidates.Add(Reference(_reference(), judged, predicted[judged], context));
        return new SequenceOutcome
        {
            Model = trained.Model,
            ModelReason = string.Create(CultureInfo.InvariantCulture, $"Trained from {trained.From} on {training.Count:N0} sentences over {outcome.History.Count} epochs{(outcome.BestEpoch >= 0 ? $"; the weights are those of epoch {outcome.BestEpoch + 1}, the best on the validation sentences" : "")}."),
            Parameters = tagger.ParameterCount,
            Summary = tagger.ToString()!,
            Chosen = trained.Chosen,
            StopReason = outcome.StopReason,
            History = outcome.History,
            Metrics = metrics,
            Baseline = new BaselineRecord("most frequent tag", "each word's most frequent tag in training; for other words the most frequent of all", TagScores.Of(_parts[judged], MostFrequent(judged), _spans, _request.Fit.Seed).Metrics),
            Candidates = candidates,
            Samples = [.. _parts[judged].Zip(predicted[judged]).Where(p => p.First.Tokens.Count <= SampleTokens).Take(Samples).Select(p => new SampleRecord(string.Join(' ', p.First.Tokens), Marked(p.First.Tokens, p.Second), Marked(p.First.Tokens, p.First.Tags)))],
            Versions = new Dictionary<string, string> { ["libtorch"] = torch.__version__ },
        };
    }

    private IReadOnlyList<IReadOnlyList<string>> ValidTags() => [.. _parts.GetValueOrDefault("valid", []).Select(s => s.Tags).Where(t => t.Count > 0)];

    private TrainedTagger TrainNet(SequenceContext context)
    {
        IReadOnlyList<TaggedSentence> training = _parts["train"];
        var size = new SentenceNetworkSize(_request.Sequence.Layers ?? DefaultLayers, _request.Sequence.Width ?? DefaultWidth, _request.Fit.Dropout ?? DefaultDropout);
        int epochs = Math.Clamp(UsualSteps * DefaultBatch / training.Count, FewestEpochs, MostEpochs);
        TrainingPlan plan = TrainingPlan.From(context.Request.Fit, new TrainingDefaults
        {
            Epochs = epochs,
            BatchSize = DefaultBatch,
            LearningRate = 5e-3,
            L2 = 0.01,
            ClipNorm = 1,
            Patience = Math.Max(FewestEpochs, epochs / 2),
        }, validated: _parts.ContainsKey("valid"));
        LibTorch.SetThreads(plan.Threads);
        var tagger = new SentenceTagger(SentenceFeatures.Of(training), size, _request.Fit.Seed);
        try
        {
            if (Devices.Resolve(_request.Fit.Device) is { type: not TorchSharp.DeviceType.CPU } device)
                _ = tagger.Network.to(device);
            TrainingOutcome outcome;
            using (var trainable = new SentenceTrainable(tagger.Network, plan.Seed, paths =>
                TagScores.Score(ValidTags(), [.. paths.Select(p => (IReadOnlyList<string>)[.. p.Select(t => tagger.Tags[t])])], _spans)))
            {
                outcome = TrainingLoop.Run(trainable, new SentenceSource(training, tagger.Features, featureDropout: size.Dropout), _parts.TryGetValue("valid", out IReadOnlyList<TaggedSentence>? valid) ? new SentenceSource(valid, tagger.Features) : null, plan, new TrainingSession
                {
                    Events = context.Events,
                    CheckpointFolder = context.CheckpointFolder,
                    CheckpointEvery = context.CheckpointEvery,
                    Meter = context.Meter,
                    Clock = context.Clock,
                    Cancellation = context.Cancellation,
                    Context = string.Create(CultureInfo.InvariantCulture, $"token-classification {size}, threads {plan.Threads}"),
                });
            }

            return new TrainedTagger(tagger, outcome, Model, "random weights", Chosen(plan, size));
        }
        catch
        {
            tagger.Dispose();
            throw;
        }
    }

    // Each token with its tag; outside of spans the token alone.
    private string Marked(IReadOnlyList<string> tokens, IReadOnlyList<string> tags) => string.Join(' ', tokens.Zip(tags, (token, tag) => _spans && tag == "O" ? token : $"{token}/{tag}"));

    public void Dispose()
    {
    }

    private static void NeedTwo(TaggedCorpus corpus)
    {
        if (corpus.Tags.Count < 2)
            throw new DataException($"{corpus.Source}: the training sentences have the one tag '{corpus.Tags[0]}'; two or more were needed. Another column is chosen by --target.");
    }

    private CandidateRecord Reference(IReferenceTagger tagger, string judged, IReadOnlyList<IReadOnlyList<string>> net, SequenceContext context)
    {
        context.Events.Report(new StageStarted(tagger.Name));
        long started = context.Clock.GetTimestamp();
        double joules = context.Meter.Read().Joules;
        long parameters = tagger.Train(_parts["train"], context.Cancellation);
        double seconds = context.Clock.GetElapsedTime(started).TotalSeconds;
        joules = context.Meter.Read().Joules - joules;
        var tagged = _parts.Where(p => p.Key != "train").ToDictionary(p => p.Key, p => (IReadOnlyList<IReadOnlyList<string>>)[.. p.Value.Select(s => tagger.Tag(s.Tokens))]);
        var metrics = tagged.ToDictionary(p => p.Key, p => TagScores.Of(_parts[p.Key], p.Value, _spans, _request.Fit.Seed));
        var own = new Dictionary<string, MetricValue>(metrics[judged].Metrics)
        {
            [TaskTerms.OverNet(TaskTerms.MainMetric(Problem))] = TagScores.OverNet(_parts[judged], tagged[judged], net, _spans, _request.Fit.Seed),
        };
        return new CandidateRecord(tagger.Name, parameters, ValidScore(metrics), own, seconds, joules, "baseline without a net, on the same training sentences");
    }

    private double? ValidScore(Dictionary<string, SplitEvaluation> metrics) => metrics.TryGetValue("valid", out SplitEvaluation? valid) ? valid.Metrics[_spans ? "f1Micro" : "accuracy"].Value : null;

    private IReadOnlyList<IReadOnlyList<string>> MostFrequent(string judged)
    {
        var counts = new Dictionary<string, Dictionary<string, int>>(StringComparer.Ordinal);
        var all = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (TaggedSentence sentence in _parts["train"])
        {
            for (int i = 0; i < sentence.Tokens.Count; i++)
            {
                if (!counts.TryGetValue(sentence.Tokens[i], out Dictionary<string, int>? own))
                    counts[sentence.Tokens[i]] = own = new Dictionary<string, int>(StringComparer.Ordinal);
                own[sentence.Tags[i]] = own.GetValueOrDefault(sentence.Tags[i]) + 1;
                all[sentence.Tags[i]] = all.GetValueOrDefault(sentence.Tags[i]) + 1;
            }
        }

        string usual = Best(all);
        Dictionary<string, string> best = counts.ToDictionary(c => c.Key, c => Best(c.Value), StringComparer.Ordinal);
        return [.. _parts[judged].Select(s => (IReadOnlyList<string>)[.. s.Tokens.Select(t => best.GetValueOrDefault(t, usual))])];
    }

    private static string Best(Dictionary<string, int> counts) => counts.OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).First().Key;

    private static Dictionary<string, string> Chosen(TrainingPlan plan, SentenceNetworkSize size)
    {
        Dictionary<string, string> chosen = plan.Chosen();
        chosen["layers"] = size.Layers.ToString(CultureInfo.InvariantCulture);
        chosen["width"] = size.Width.ToString(CultureInfo.InvariantCulture);
        chosen["dropout"] = size.Dropout.ToString(CultureInfo.InvariantCulture);
        return chosen;
    }

    private static string HashOf(string? path)
    {
        if (path is null)
            return "";
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
