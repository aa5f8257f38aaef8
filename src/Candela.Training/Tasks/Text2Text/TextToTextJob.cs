using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Candela.Data;
using Candela.Evaluation;
using Candela.Experiments;
using Candela.Language;
using Candela.Models;
using Candela.Runs;
using Candela.Tokenization;
using Candela.Training.Language;
using TorchSharp;

namespace Candela.Training.Tasks;

/// <summary>One training of a net that reads a text and writes another: tokenizer, net, evaluation beside the baselines, samples.</summary>
internal sealed class TextToTextJob : ISequenceJob
{
    private const int Samples = 5, SampleCharacters = 400;
    private const long SplitStream = 0x3b7;
    private readonly TaskKind _kind;
    private readonly TrainRequest _request;
    private readonly PairFiles _files;
    private readonly IReadOnlyList<ITextBaseline> _baselines;
    private readonly Dictionary<string, IReadOnlyList<TextPair>> _parts = [];

    public TextToTextJob(TaskKind kind, TrainRequest request, PairFiles files, TextPairs pairs, TextPairs? valid, TextPairs? test, IReadOnlyList<ITextBaseline> baselines)
    {
        (_kind, _request, _files, _baselines) = (kind, request, files, baselines);
        Split(pairs.Pairs, valid, test);
        if (_parts["train"].Count == 0)
            throw new DataException($"{pairs.Source}: {pairs.Pairs.Count:N0} pairs leave none to train on. Give more pairs, or smaller shares by --valid and --test.");
        if (_parts.Count == 1)
            throw new DataException($"{pairs.Source}: {pairs.Pairs.Count:N0} pairs leave none to judge the net by. Give more pairs, or larger shares by --valid and --test.");
        Problem = new Problem(kind, Path.GetFileName(pairs.TargetColumn), []);
        Profile = new DataProfile(pairs.Pairs.Count, pairs.Pairs.Count - pairs.Pairs.Distinct().Count(), [], []);
        DataHash = valid is null && test is null ? pairs.DataHash : Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes($"{pairs.DataHash}\n{valid?.DataHash}\n{test?.DataHash}")));
    }

    public string DataHash { get; }

    public Problem Problem { get; }

    public IReadOnlyDictionary<string, long> Rows => _parts.ToDictionary(p => p.Key, p => (long)p.Value.Count);

    public DataProfile Profile { get; }

    private string Judged => _parts.ContainsKey("test") ? "test" : "valid";

    public SequenceOutcome Run(SequenceContext context)
    {
        IReadOnlyList<TextPair> training = _parts["train"];
        context.Events.Report(new StageStarted("tokenizing"));
        int block = TextToTextPlan.Block(_request, _kind);
        Tokenizer tokenizer = TextToTextPlan.Tokenizer(_request, training);
        int longest = training.Max(p => Math.Min(block, tokenizer.Encode(p.Target, addSpecialTokens: false).Length + 1));
        Seq2SeqConfig config = TextToTextPlan.Config(_request, tokenizer, training.Count, longest, block);
        using var model = Seq2SeqModel.Create(config, tokenizer, _request.Fit.Seed);
        int tokens = TextToTextPlan.BatchTokens(_request, training.Count);
        WarnOfLongTexts(model, block, context.Events);
        PairSource train = Source(model, "train", tokens)!;
        PairSource? valid = Source(model, "valid", tokens);
        TrainingPlan plan = TextToTextPlan.Training(context.BeginTraining(), config, training.Count, valid is not null);

        context.Events.Report(new StageStarted("training"));
        LibTorch.SetThreads(plan.Threads);
        if (Devices.Resolve(_request.Fit.Device) is { type: not TorchSharp.DeviceType.CPU } device)
            _ = model.Network.to(device);
        long started = context.Clock.GetTimestamp();
        double joules = context.Meter.Read().Joules;
        double smoothing = _request.Fit.LabelSmoothing ?? TextToTextPlan.LabelSmoothing;
        TrainingOutcome outcome;
        using (var trainable = new PairTrainable(model.Network, smoothing, plan.Seed, valid is null ? null : Score(model)))
        {
            outcome = TrainingLoop.Run(trainable, train, valid, plan, new TrainingSession
            {
                Events = new PairRates(context.Events, training.Count / (double)train.Count),
                CheckpointFolder = context.CheckpointFolder,
                CheckpointEvery = context.CheckpointEvery,
                Meter = context.Meter,
                Clock = context.Clock,
                Cancellation = context.Cancellation,
                Context = string.Create(CultureInfo.InvariantCulture, $"{_kind} {config}, batch {tokens} tokens, block {block}, smoothing {smoothing}, threads {plan.Threads}"),
            });
        }

        double seconds = context.Clock.GetElapsedTime(started).TotalSeconds;
        joules = context.Meter.Read().Joules - joules;
        context.Events.Report(new StageStarted("evaluating"));
        model.Save(context.ModelFolder);
        _files.Save(context.ModelFolder);
        var written = _parts.Where(p => p.Key != "train").ToDictionary(p => p.Key, p => model.Write([.. p.Value.Select(x => x.Source)], TextPredictor.Decoding(_files), context.Cancellation));
        var metrics = written.ToDictionary(p => p.Key, p => Scores(p.Key, p.Value));
        var candidates = new List<CandidateRecord> { new(config.Architecture, model.ParameterCount, ValidScore(metrics), metrics[Judged].Metrics, seconds, joules, "chosen") };
        IReadOnlyList<CandidateRecord> baselines = [.. _baselines.Select(b => Baseline(b, context))];
        candidates.AddRange(baselines.Skip(1));
        return new SequenceOutcome
        {
            Model = config.Architecture,
            ModelReason = string.Create(CultureInfo.InvariantCulture, $"{TextToTextPlan.Reason(_request, config, training.Count)} Trained from random weights on {training.Count:N0} pairs over {outcome.History.Count} epochs{(outcome.BestEpoch >= 0 ? $"; the weights are those of epoch {outcome.BestEpoch + 1}, the best on validation texts" : "")}."),
            Parameters = model.ParameterCount,
            Summary = model.ToString(),
            Chosen = Chosen(plan, config, tokens, block, smoothing),
            StopReason = outcome.StopReason,
            History = outcome.History,
            Metrics = metrics,
            Baseline = new BaselineRecord(_baselines[0].Name, _baselines[0].Describe, baselines[0].Test!),
            Candidates = candidates,
            Samples = SamplesOf(written[Judged]),
            Versions = new Dictionary<string, string> { ["libtorch"] = torch.__version__ },
        };
    }

    public void Dispose()
    {
    }

    // Pairs with the same source stay together, so that nothing that is judged by was trained on.
    private void Split(IReadOnlyList<TextPair> pairs, TextPairs? valid, TextPairs? test)
    {
        string[] sources = [.. pairs.Select(p => p.Source).Distinct(StringComparer.Ordinal)];
        new Rng(_request.Fit.Seed, SplitStream).Shuffle(sources.AsSpan());
        int tests = test is null ? Count(_request.TestFraction!.Value) : 0, valids = valid is null ? Count(_request.ValidFraction!.Value) : 0;
        var of = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i < sources.Length; i++)
            of[sources[i]] = i < tests ? "test" : i < tests + valids ? "valid" : "train";
        var parts = pairs.ToLookup(p => of[p.Source]);
        _parts["train"] = [.. parts["train"]];
        foreach ((string part, TextPairs? file) in new[] { ("valid", valid), ("test", test) })
        {
            IReadOnlyList<TextPair> own = file?.Pairs ?? [.. parts[part]];
            if (own.Count > 0)
                _parts[part] = own;
        }

        int Count(double share) => share == 0 ? 0 : Math.Max(1, (int)Math.Round(share * sources.Length));
    }

    private void WarnOfLongTexts(Seq2SeqModel model, int block, IProgress<TrainEvent> events)
    {
        IReadOnlyList<TextPair> pairs = _parts["train"];
        int longer = pairs.Count(p => IsLong(p.Source) || IsLong(p.Target));
        if (longer > 0)
            events.Report(new Warned("texts-cut", $"{longer:N0} of {pairs.Count:N0} training pairs have a side of more than {block} tokens, of which the first are used. Give a larger --block to use more."));

        bool IsLong(string text) => 4L * text.Length >= block && model.Encode(text).Length > block;
    }

    private PairSource? Source(Seq2SeqModel model, string part, int tokens) => !_parts.TryGetValue(part, out IReadOnlyList<TextPair>? pairs) ? null
        : new PairSource([.. pairs.Select(p => new TokenPair(model.Encode(p.Source, model.Config.MaxSourceTokens), model.Encode(p.Target, model.Config.MaxSourceTokens)))], model.Config, tokens);

    // The likeliest token every time is quick, and enough to compare epochs. It is not cancelled: the loop saves its state when it is, which it cannot in the middle of a validation.
    private Func<double> Score(Seq2SeqModel model)
    {
        TextPair[] some = [.. _parts["valid"]];
        new Rng(_request.Fit.Seed, SplitStream + 1).Shuffle(some.AsSpan());
        some = some[..Math.Min(some.Length, TextToTextPlan.ScoredTexts)];
        string[] sources = [.. some.Select(p => p.Source)], references = [.. some.Select(p => p.Target)];
        return () => TextScores.Main(_kind, model.Write(sources, new Seq2SeqDecoding { Beams = 1, BatchSize = 64 }), references);
    }

    private SampleRecord[] SamplesOf(IReadOnlyList<string> written)
    {
        int[] rows = [.. Enumerable.Range(0, written.Count)]; // drawn, since files are often sorted
        new Rng(_request.Fit.Seed, SplitStream + 2).Shuffle(rows.AsSpan());
        return [.. rows.Take(Samples).Select(i => new SampleRecord(Shortened(_parts[Judged][i].Source), Shortened(written[i]), Shortened(_parts[Judged][i].Target)))];
    }

    private SplitEvaluation Scores(string part, IReadOnlyList<string> written) => TextScores.Of(_kind, written, [.. _parts[part].Select(p => p.Target)], _request.Fit.Seed);

    private CandidateRecord Baseline(ITextBaseline baseline, SequenceContext context)
    {
        context.Events.Report(new StageStarted(baseline.Name));
        long started = context.Clock.GetTimestamp();
        double joules = context.Meter.Read().Joules;
        baseline.Train(_parts["train"], context.Cancellation);
        double seconds = context.Clock.GetElapsedTime(started).TotalSeconds;
        joules = context.Meter.Read().Joules - joules;
        var metrics = _parts.Where(p => p.Key != "train").ToDictionary(p => p.Key, p =>
        {
            context.Cancellation.ThrowIfCancellationRequested();
            return Scores(p.Key, [.. p.Value.Select(x => baseline.Apply(x.Source))]);
        });
        return new CandidateRecord(baseline.Name, 0, ValidScore(metrics), metrics[Judged].Metrics, seconds, joules, $"baseline without a net: {baseline.Describe}");
    }

    private double? ValidScore(Dictionary<string, SplitEvaluation> metrics) => metrics.TryGetValue("valid", out SplitEvaluation? found) ? found.Metrics[TaskTerms.MainMetric(Problem)].Value : null;

    private Dictionary<string, string> Chosen(TrainingPlan plan, Seq2SeqConfig config, int tokens, int block, double smoothing)
    {
        Dictionary<string, string> chosen = plan.Chosen();
        foreach ((string key, double value) in new[] { ("batch-size", tokens), ("block", block), ("layers", config.Layers), ("width", config.Width), ("vocabulary", config.VocabularySize), ("dropout", config.Dropout), ("label-smoothing", smoothing), ("beams", (double)_files.Beams) })
            chosen[key] = value.ToString(CultureInfo.InvariantCulture);
        if (config.Architecture == "transformer")
            chosen["heads"] = config.Heads.ToString(CultureInfo.InvariantCulture);
        return chosen;
    }

    private static string Shortened(string text) => text.Length <= SampleCharacters ? text : $"{text[..(SampleCharacters - 1)]}…";

    /// <summary>Passes events on, rates in pairs.</summary>
    private sealed class PairRates(IProgress<TrainEvent> events, double pairsPerBatch) : IProgress<TrainEvent>
    {
        public void Report(TrainEvent value) => events.Report(value is StepEnded step ? step with { RowsPerSecond = step.RowsPerSecond * pairsPerBatch } : value);
    }
}
