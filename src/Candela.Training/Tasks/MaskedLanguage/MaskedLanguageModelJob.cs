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

/// <summary>One pre-training of an encoder: vocabulary, tokens, net, evaluation beside unigrams.</summary>
internal sealed class MaskedLanguageModelJob(TrainRequest request, TextCorpus corpus, TextCorpus? validCorpus, TextCorpus? testCorpus) : ISequenceJob
{
    /// <summary>Sequences of an evaluation batch.</summary>
    internal const int EvaluationBatch = 16;

    private const int Samples = 3, SampleTokens = 48;
    private static readonly IReadOnlyDictionary<Part, string> Names = new Dictionary<Part, string> { [Part.Train] = "train", [Part.Valid] = "valid", [Part.Test] = "test" };
    private readonly Dictionary<string, long> _rows = [];

    public string DataHash => validCorpus is null && testCorpus is null ? corpus.Hash
        : Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes($"{corpus.Hash}\n{validCorpus?.Hash}\n{testCorpus?.Hash}")));

    public Problem Problem { get; } = new(TaskKind.MaskedLanguageModel, "hidden tokens", []);

    public IReadOnlyDictionary<string, long> Rows => _rows;

    public DataProfile Profile => new(corpus.Length, 0, [], []);

    public SequenceOutcome Run(SequenceContext context)
    {
        context.Events.Report(new StageStarted("tokenizing"));
        using Bert bert = Model();
        BertConfig config = bert.Config;
        Tokenizer tokenizer = bert.Tokenizer!;
        bool pairs = config.Head == BertHead.PreTraining;
        int block = request.Sequence.Block ?? Math.Min(config.ContextLength, MaskedLanguageModelTask.DefaultBlock);
        var frames = new MaskedFrames(tokenizer, config);
        using var parts = new Parts();
        foreach (Part part in Names.Keys)
        {
            MaskedCorpus read = MaskedCorpus.Write(Pieces(part), tokenizer, frames, pairs, block, request.Fit.Seed, Path.Combine(context.ScratchFolder, Names[part] + ".tokens"), context.Cancellation);
            if (read.Tokens >= 2 || part == Part.Train)
                parts.All[part] = read;
            else
                read.Dispose();
        }

        foreach ((Part part, MaskedCorpus tokens) in parts.All)
            _rows[Names[part]] = tokens.Tokens;
        Part judged = parts.All.ContainsKey(Part.Test) ? Part.Test : parts.All.ContainsKey(Part.Valid) ? Part.Valid
            : throw new DataException($"The text of {corpus.Length:N0} {(corpus.IsOneText ? "characters" : "documents")} leaves nothing for the validation part at a share of {request.ValidFraction}. Give more text, or a larger share by --valid.");
        long perPass = parts.All[Part.Train].PerPass;
        TrainingPlan plan = LanguageModelPlan.Training(context.Request with { Fit = context.BeginTraining() }, perPass);
        IBatchSource<MaskedBatch> train = parts.All[Part.Train].Sequences(LanguageModelPlan.EvaluateEvery(request, plan) * plan.BatchSize * plan.Accumulate);

        context.Events.Report(new StageStarted("training"));
        LibTorch.SetThreads(plan.Threads);
        if (Devices.Resolve(request.Fit.Device) is { type: not DeviceType.CPU } device)
            bert.Network.to(device);
        long started = context.Clock.GetTimestamp();
        double joules = context.Meter.Read().Joules;
        var metrics = new Dictionary<string, SplitEvaluation>();
        IReadOnlyList<SampleRecord> samples;
        TrainingOutcome outcome;
        using (var trainable = new MaskedTrainable(bert.Network, EvaluationBatch, plan.Seed))
        {
            outcome = TrainingLoop.Run(trainable, train, parts.All.GetValueOrDefault(Part.Valid)?.Sequences(), plan, new TrainingSession
            {
                Events = context.Events,
                CheckpointFolder = context.CheckpointFolder,
                CheckpointEvery = context.CheckpointEvery,
                Meter = context.Meter,
                Clock = context.Clock,
                Cancellation = context.Cancellation,
                Context = string.Create(CultureInfo.InvariantCulture, $"{SequenceTasks.MaskedLanguageModel} {config.ModelType} {config.VocabularySize} block {block} pairs {pairs} base {request.Sequence.Base} dropout {config.Dropout}, threads {plan.Threads}"),
            });
            context.Events.Report(new StageStarted("evaluating"));
            foreach ((Part part, MaskedCorpus tokens) in parts.All.Where(p => p.Key != Part.Train))
                metrics[Names[part]] = MaskedScores.Of([.. trainable.Rows(tokens.Sequences())], request.Fit.Seed);
            samples = SamplesOf(trainable, parts.All[judged], tokenizer);
        }

        double seconds = context.Clock.GetElapsedTime(started).TotalSeconds;
        joules = context.Meter.Read().Joules - joules;
        bert.SaveTo(context.ModelFolder);
        SplitEvaluation unigrams = MaskedScores.Of(MaskedScores.Unigram(parts.All[judged].Sequences(), parts.All[Part.Train].Counts(config.VocabularySize), EvaluationBatch), request.Fit.Seed);
        return new SequenceOutcome
        {
            Model = config.ModelType,
            ModelReason = request.Sequence.Base is { } from ? $"Trained on from {from}."
                : string.Create(CultureInfo.InvariantCulture, $"Trained from random weights over {outcome.Steps:N0} steps of {plan.BatchSize * plan.Accumulate} {(pairs ? "pairs of texts" : "sequences")} of up to {block} tokens, {outcome.Steps * (double)(plan.BatchSize * plan.Accumulate) / perPass:0.##} passes over the text."),
            Parameters = config.ParameterCount,
            Summary = $"{(pairs ? "hidden tokens and next sentences" : "hidden tokens")}, tokenizer of {tokenizer.VocabularySize.ToString("N0", CultureInfo.InvariantCulture)} tokens{Environment.NewLine}{TransformerSummary.Of(config)}",
            Chosen = Chosen(plan, config, block, pairs, perPass),
            StopReason = outcome.StopReason,
            History = outcome.History,
            Metrics = metrics,
            Baseline = new BaselineRecord("unigram", "each token as often as in the training text", unigrams.Metrics),
            Candidates = [new CandidateRecord(config.ModelType, config.ParameterCount, metrics.TryGetValue("valid", out SplitEvaluation? valid) ? -valid.Metrics["loss"].Value : null, metrics[Names[judged]].Metrics, seconds, joules, "chosen")],
            Samples = samples,
            Versions = new Dictionary<string, string> { ["libtorch"] = torch.__version__ },
        };
    }

    public void Dispose()
    {
    }

    private Bert Model()
    {
        bool Pairs(string type) => type == "bert" && (request.Sequence.NextSentence ?? TextDocuments.Have(Pieces(Part.Train)));
        if (request.Sequence.Base is { } folder)
        {
            var found = (BertConfig)TransformerConfig.Load(folder);
            Bert loaded = Bert.Load(folder, Dropped(found) with { Head = Pairs(found.ModelType) ? BertHead.PreTraining : BertHead.MaskedLanguage }, request.Fit.Seed);
            if (loaded.Tokenizer is not null)
                return loaded;
            loaded.Dispose();
            throw new FileFormatException(folder, Fault.Missing, "there is no tokenizer beside the model, so no text can be trained on. Put its tokenizer.json there.");
        }

        SequenceOptions net = request.Sequence;
        Tokenizer tokenizer = Tokenizer();
        string type = request.Model == "auto" ? MaskedLanguageModelTask.Architectures[0] : request.Model;
        int width = net.Width ?? MaskedLanguageModelTask.DefaultWidth;
        return Bert.Create(Dropped(new BertConfig
        {
            ModelType = type,
            VocabularySize = tokenizer.VocabularySize,
            ContextLength = net.Block ?? MaskedLanguageModelTask.DefaultBlock,
            Width = width,
            HiddenWidth = 4 * width,
            Layers = net.Layers ?? MaskedLanguageModelTask.DefaultLayers,
            Heads = net.Heads ?? MaskedLanguageModelTask.DefaultHeads,
            TokenTypes = type switch { "bert" => 2, "roberta" => 1, _ => 0 },
            NormEpsilon = type == "roberta" ? 1e-5 : 1e-12,
            PadId = tokenizer.PadId ?? tokenizer.IdOf("[PAD]") ?? tokenizer.IdOf("<pad>") ?? 0,
            Head = Pairs(type) ? BertHead.PreTraining : BertHead.MaskedLanguage,
        }), request.Fit.Seed, tokenizer);
    }

    private BertConfig Dropped(BertConfig config) => request.Fit.Dropout is { } dropout ? config with { Dropout = dropout, AttentionDropout = dropout } : config;

    private Tokenizer Tokenizer() => request.Sequence.Tokenizer switch
    {
        null or "wordpiece" => TokenizerTrainer.WordPiece(Pieces(Part.Train).SelectMany(TextDocuments.Texts), Options(request.Sequence.Vocabulary ?? MaskedLanguageModelTask.DefaultVocabulary)),
        { } path when File.Exists(path) || Directory.Exists(path) => Candela.Tokenization.Tokenizer.Load(path),
        { } other => throw new UsageException($"--tokenizer {other} is not wordpiece, and there is no such file. Leave it out, or give a tokenizer.json with [CLS], [SEP] and [MASK]."),
    };

    // Up to half of the vocabulary are characters: Chinese needs thousands.
    private static WordPieceTrainingOptions Options(int vocabulary) => new() { VocabularySize = vocabulary, MaxAlphabet = Math.Max(1000, vocabulary / 2) };

    private IEnumerable<CorpusPiece> Pieces(Part part) => part switch
    {
        Part.Valid when validCorpus is not null => validCorpus.Read(Part.Train, 0, 0, 0),
        Part.Test when testCorpus is not null => testCorpus.Read(Part.Train, 0, 0, 0),
        _ => corpus.Read(part, validCorpus is null ? request.ValidFraction!.Value : 0, testCorpus is null ? request.TestFraction!.Value : 0, request.Fit.Seed),
    };

    private static IReadOnlyList<SampleRecord> SamplesOf(MaskedTrainable net, MaskedCorpus text, Tokenizer tokenizer)
    {
        MaskedBatch batch = text.Sequences().Batches(new BatchPlan(Samples)).First();
        long[] found = net.Found(batch).Ids;
        long[] filled = [.. batch.Ids], original = [.. batch.Ids];
        for (int i = 0; i < found.Length; i++)
            (filled[batch.Places[i]], original[batch.Places[i]]) = (found[i], batch.Hidden[i]);
        return [.. Enumerable.Range(0, batch.Count).Select(row => new SampleRecord(Text(batch.Ids, row), Text(filled, row), Text(original, row)))];

        string Text(long[] ids, int row)
        {
            int length = Math.Min(SampleTokens, Enumerable.Range(0, batch.Steps).Count(i => batch.Seen[(row * batch.Steps) + i] == 1) - 1);
            int[] shown = [.. ids.Skip((row * batch.Steps) + 1).Take(length).Select(id => (int)id)];
            return tokenizer.Decode(shown, skipSpecialTokens: false);
        }
    }

    private static Dictionary<string, string> Chosen(TrainingPlan plan, BertConfig config, int block, bool pairs, long perPass)
    {
        Dictionary<string, string> chosen = plan.Chosen();
        chosen.Remove("epochs");
        foreach ((string key, double value) in new[] { ("layers", config.Layers), ("heads", config.Heads), ("width", config.Width), ("block", block), ("vocabulary", config.VocabularySize), ("dropout", config.Dropout) })
            chosen[key] = value.ToString(CultureInfo.InvariantCulture);
        chosen["nsp"] = pairs ? "yes" : "no";
        chosen["passes"] = (plan.MaxSteps!.Value * (double)plan.BatchSize * plan.Accumulate / perPass).ToString("0.###", CultureInfo.InvariantCulture);
        return chosen;
    }

    private sealed class Parts : IDisposable
    {
        public Dictionary<Part, MaskedCorpus> All { get; } = [];

        public void Dispose()
        {
            foreach (MaskedCorpus part in All.Values)
                part.Dispose();
        }
    }
}
