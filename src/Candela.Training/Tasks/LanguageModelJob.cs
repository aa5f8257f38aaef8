using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Candela.Data;
using Candela.Decoding;
using Candela.Evaluation;
using Candela.Experiments;
using Candela.Language;
using Candela.Models;
using Candela.Runs;
using Candela.Tokenization;
using Candela.Training.Language;
using Candela.Training.Language.Adapters;
using TorchSharp;

namespace Candela.Training.Tasks;

/// <summary>One training of a language model: tokenizer, tokens, net, evaluation beside n-grams, samples.</summary>
internal sealed class LanguageModelJob(TrainRequest request, TextCorpus corpus, TextCorpus? validCorpus, TextCorpus? testCorpus) : ISequenceJob
{
    private const int SampleTokens = 120, NGramLimit = 4_000_000, BlocksOfBaseline = 512;
    private static readonly IReadOnlyDictionary<Part, string> Names = new Dictionary<Part, string> { [Part.Train] = "train", [Part.Valid] = "valid", [Part.Test] = "test" };
    private readonly Dictionary<string, long> _rows = [];

    public string DataHash => validCorpus is null && testCorpus is null ? corpus.Hash
        : Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes($"{corpus.Hash}\n{validCorpus?.Hash}\n{testCorpus?.Hash}")));

    public Problem Problem { get; } = new(TaskKind.LanguageModel, "next token", []);

    public IReadOnlyDictionary<string, long> Rows => _rows;

    public DataProfile Profile => new(corpus.Length, 0, [], []);

    public SequenceOutcome Run(SequenceContext context)
    {
        context.Events.Report(new StageStarted("tokenizing"));
        using CausalLm model = Model(context.Events, out long characters);
        Tokenizer tokenizer = model.Tokenizer!;
        using var parts = new Parts();
        foreach (Part part in Names.Keys)
            parts.Add(part, Path.Combine(context.ScratchFolder, Names[part] + ".tokens"), Pieces(part), tokenizer, context.Cancellation);
        foreach ((Part part, TokenStore tokens) in parts.Stores)
            _rows[Names[part]] = tokens.Length;
        Part judged = parts.Stores.ContainsKey(Part.Test) ? Part.Test : parts.Stores.ContainsKey(Part.Valid) ? Part.Valid
            : throw new DataException($"The text of {(corpus.IsOneText ? $"{characters:N0} characters" : $"{characters:N0} documents")} leaves nothing for the validation part at a share of {request.ValidFraction}. Give more text, or a larger share by --valid.");
        int block = LanguageModelPlan.Block(request, model.Config);
        long blocksPerPass = new TokenBlocks(parts.Stores[Part.Train], block, perEpoch: 1).BlocksPerPass;
        TrainingPlan plan = LanguageModelPlan.Training(context.Request with { Fit = context.BeginTraining() }, blocksPerPass);
        if (request.Fit.EndLearningRate is not null && !plan.Schedule.EndsWith("cosine", StringComparison.Ordinal))
            context.Events.Report(new Warned("option-ignored", $"--end-learning-rate changes nothing: the schedule '{plan.Schedule}' does not end at a rate of its own. Choose cosine or warmup+cosine."));
        var train = new TokenBlocks(parts.Stores[Part.Train], block, LanguageModelPlan.EvaluateEvery(request, plan) * plan.BatchSize * plan.Accumulate);
        TokenBlocks? valid = parts.Stores.TryGetValue(Part.Valid, out TokenStore? held) ? new TokenBlocks(held, block) : null;

        context.Events.Report(new StageStarted("training"));
        LibTorch.SetThreads(plan.Threads);
        torch.Device? device = Devices.Resolve(request.Fit.Device) is { type: not TorchSharp.DeviceType.CPU } other ? other : null;
        if (device is not null)
            model.Network.to(device);
        bool bfloat16 = LanguageModelPlan.Bfloat16(request.Sequence, device, context.Events);
        LoraAdapter? adapter = null;
        if (request.Sequence.LoraRank is not null)
            adapter = LoraAdapter.Attach(model, LanguageModelPlan.Lora(request.Sequence), request.Fit.Seed);
        else if (request.Sequence.HeadOnly == true)
            model.TrainHeadOnly();
        long trained = TrainableParameter.Of(model.Network).Sum(p => p.Value.numel());
        long started = context.Clock.GetTimestamp();
        double joules = context.Meter.Read().Joules;
        var metrics = new Dictionary<string, SplitEvaluation>();
        TrainingOutcome outcome;
        using (var trainable = new CausalTrainable(model.Network, LanguageModelPlan.EvaluationBatch, plan.Seed, managed: true, request.Sequence.CheckpointActivations == true, bfloat16))
        {
            outcome = TrainingLoop.Run(trainable, train, valid, plan, new TrainingSession
            {
                Events = new Sampling(context.Events, model, block, request.Fit.Seed),
                CheckpointFolder = context.CheckpointFolder,
                CheckpointEvery = context.CheckpointEvery,
                Meter = context.Meter,
                Clock = context.Clock,
                Cancellation = context.Cancellation,
                Context = string.Create(CultureInfo.InvariantCulture, $"language-model {model.Config.ModelType} {model.Config.VocabularySize} block {block} base {request.Sequence.Base}{LanguageModelPlan.Part(request.Sequence)}{(bfloat16 ? ", bf16" : "")}, threads {plan.Threads}"),
            });
            context.Events.Report(new StageStarted("evaluating"));
            foreach ((Part part, TokenStore tokens) in parts.Stores.Where(p => p.Key != Part.Train))
                metrics[Names[part]] = TextLoss.Of(trainable, new TokenBlocks(tokens, block), parts.Texts[part], request.Fit.Seed).Evaluation;
        }

        double seconds = context.Clock.GetElapsedTime(started).TotalSeconds;
        joules = context.Meter.Read().Joules - joules;
        if (adapter is not null)
        {
            adapter.Save(Path.Combine(context.ModelFolder, "adapter"), Path.GetFullPath(request.Sequence.Base!));
            adapter.Merge(); // the run folder itself is a whole model, which generates without its base
        }

        model.SaveTo(context.ModelFolder);
        int order = tokenizer.VocabularySize < 1000 ? 6 : 3;
        (SplitEvaluation ngrams, long size) = NGrams(parts, judged, order, model.Config.VocabularySize);
        (SplitEvaluation unigrams, _) = NGrams(parts, judged, 1, model.Config.VocabularySize);
        IReadOnlyDictionary<string, string> chosen = Chosen(plan, model.Config, block, blocksPerPass);
        return new SequenceOutcome
        {
            Model = model.Config.ModelType,
            ModelReason = request.Sequence.Base is { } from ? string.Create(CultureInfo.InvariantCulture, $"Trained on from {from}{(adapter is not null ? $" through adapters of rank {adapter.Options.Rank} on {string.Join(", ", adapter.Options.TargetModules!)}, kept in adapter/ and merged into the weights here" : request.Sequence.HeadOnly == true ? ", its head alone" : "")}{(trained < model.Config.ParameterCount ? $": {trained:N0} of {model.Config.ParameterCount:N0} parameters" : "")}.")
                : string.Create(CultureInfo.InvariantCulture, $"Trained from random weights over {outcome.Steps:N0} steps of {plan.BatchSize * plan.Accumulate} x {block} tokens, {outcome.Steps * (double)(plan.BatchSize * plan.Accumulate) / blocksPerPass:0.##} passes over the text of {characters:N0} {(corpus.IsOneText ? "characters" : "documents")}."),
            Parameters = model.Config.ParameterCount,
            Summary = Summary(model.Config, tokenizer),
            Chosen = chosen,
            StopReason = outcome.StopReason,
            History = outcome.History,
            Metrics = metrics,
            Baseline = new BaselineRecord("unigram", "each token as often as in the training text", unigrams.Metrics),
            Candidates =
            [
                new CandidateRecord(model.Config.ModelType, model.Config.ParameterCount, Score(metrics, Part.Valid), Of(metrics, judged), seconds, joules, "chosen"),
                new CandidateRecord($"{order}-gram", size, null, ngrams.Metrics, 0, 0, $"lexical baseline: Witten-Bell n-grams of the first {Math.Min(NGramLimit, parts.Stores[Part.Train].Length):N0} training tokens"),
            ],
            Samples = [new SampleRecord("", Sampling.Text(model, request.Fit.Seed))],
            Versions = new Dictionary<string, string> { ["libtorch"] = TorchSharp.torch.__version__ },
        };
    }

    public void Dispose()
    {
    }

    private static double? Score(Dictionary<string, SplitEvaluation> metrics, Part part) => metrics.TryGetValue(Names[part], out SplitEvaluation? found) ? -found.Metrics["loss"].Value : null;

    private static IReadOnlyDictionary<string, Metrics.MetricValue>? Of(Dictionary<string, SplitEvaluation> metrics, Part part) => metrics.TryGetValue(Names[part], out SplitEvaluation? found) ? found.Metrics : null;

    private CausalLm Model(IProgress<TrainEvent> events, out long characters)
    {
        characters = corpus.Length;
        if (request.Sequence.Base is { } folder)
        {
            CausalLm loaded = CausalLm.Load(folder);
            if (loaded.Tokenizer is not null)
                return loaded;
            loaded.Dispose();
            throw new FileFormatException(folder, Fault.Missing, "there is no tokenizer beside the model, so no text can be trained on. Put its tokenizer.json there.");
        }

        Tokenizer tokenizer = LanguageModelPlan.Tokenizer(request, corpus.IsOneText, corpus.Length, events, () => Pieces(Part.Train).SelectMany(Texts));
        return CausalLm.Create(LanguageModelPlan.Config(request, tokenizer), request.Fit.Seed, tokenizer);
    }

    private static IEnumerable<string> Texts(CorpusPiece piece) => (piece.Messages ?? []).SelectMany(m => new[] { $"{m.Role}: ", $"{m.Content}\n" }).Append(piece.Prompt ?? "").Append(piece.Text).Where(t => t.Length > 0);

    private IEnumerable<CorpusPiece> Pieces(Part part) => part switch
    {
        Part.Valid when validCorpus is not null => validCorpus.Read(Part.Train, 0, 0, 0),
        Part.Test when testCorpus is not null => testCorpus.Read(Part.Train, 0, 0, 0),
        _ => corpus.Read(part, validCorpus is null ? request.ValidFraction!.Value : 0, testCorpus is null ? request.TestFraction!.Value : 0, request.Fit.Seed),
    };

    private (SplitEvaluation Evaluation, long Size) NGrams(Parts parts, Part judged, int order, int vocabulary)
    {
        var model = new NGramModel(order, vocabulary);
        foreach (int id in parts.Read(Part.Train, NGramLimit).Select(t => t.Id))
            model.Add(id);
        model.Restart();
        var losses = new List<double>();
        var tokens = new List<double>();
        long at = -1;
        foreach ((int id, bool learned) in parts.Read(judged, long.MaxValue))
        {
            double loss = -Math.Log(model.Next(id));
            if (at++ < 0)
                continue; // the first token is not predicted by the net either
            if ((at - 1) % BlocksOfBaseline == 0)
            {
                losses.Add(0);
                tokens.Add(0);
            }

            losses[^1] += learned ? loss : 0;
            tokens[^1] += learned ? 1 : 0;
        }

        return (TextLoss.Of([.. losses], [.. tokens], parts.Texts[judged], request.Fit.Seed), model.Size);
    }

    private static Dictionary<string, string> Chosen(TrainingPlan plan, CausalLmConfig config, int block, long blocksPerPass)
    {
        Dictionary<string, string> chosen = plan.Chosen();
        chosen.Remove("epochs");
        foreach ((string key, double value) in new[] { ("layers", config.Layers), ("heads", config.Heads), ("width", config.Width), ("block", block), ("vocabulary", (double)config.VocabularySize) })
            chosen[key] = value.ToString(CultureInfo.InvariantCulture);
        chosen["passes"] = (plan.MaxSteps!.Value * (double)plan.BatchSize * plan.Accumulate / blocksPerPass).ToString("0.###", CultureInfo.InvariantCulture);
        return chosen;
    }

    private static string Summary(CausalLmConfig config, Tokenizer tokenizer) => string.Create(CultureInfo.InvariantCulture,
        $"{config.ModelType}: {config.Layers} layers, {config.Heads} heads, {config.Width} numbers per token\ncontext {config.ContextLength:N0}, vocabulary {config.VocabularySize:N0}\n{config.ParameterCount:N0} parameters, {config.FlopsPerToken(config.ContextLength) / 1e6:N1} MFLOP per token\ntokenizer of {tokenizer.VocabularySize:N0} tokens");

    /// <summary>The parts of the corpus as tokens.</summary>
    private sealed class Parts : IDisposable
    {
        public Dictionary<Part, TokenStore> Stores { get; } = [];

        public Dictionary<Part, CorpusTokens> Texts { get; } = [];

        public void Add(Part part, string path, IEnumerable<CorpusPiece> pieces, Tokenizer tokenizer, CancellationToken cancellation)
        {
            CorpusTokens text = CorpusTokens.Write(path, pieces, tokenizer, cancellation);
            if (text.Tokens < 2 && part != Part.Train)
                return; // nothing to predict
            (Texts[part], Stores[part]) = (text, TokenStore.Open(path));
        }

        public IEnumerable<(int Id, bool Learned)> Read(Part part, long most)
        {
            var ids = new int[4096];
            var learned = new bool[4096];
            TokenStore store = Stores[part];
            for (long at = 0; at < Math.Min(most, store.Length);)
            {
                int count = (int)Math.Min(ids.Length, Math.Min(most, store.Length) - at);
                store.Read(at, ids.AsSpan(0, count), learned.AsSpan(0, count));
                for (int i = 0; i < count; i++)
                    yield return (ids[i], learned[i]);
                at += count;
            }
        }

        public void Dispose()
        {
            foreach (TokenStore store in Stores.Values)
                store.Dispose();
        }
    }

    /// <summary>Passes events on, rates in tokens, and after each evaluation lets the model write a little.</summary>
    private sealed class Sampling(IProgress<TrainEvent> events, CausalLm model, int block, long seed) : IProgress<TrainEvent>
    {
        public void Report(TrainEvent value)
        {
            events.Report(value is StepEnded step ? step with { RowsPerSecond = step.RowsPerSecond * block } : value);
            if (value is EpochEnded ended)
                events.Report(new Sampled(ended.Steps, Text(model, seed)));
        }

        public static string Text(CausalLm model, long seed)
        {
            Tokenizer tokenizer = model.Tokenizer!;
            int first = tokenizer.BosId ?? tokenizer.Encode("\n", addSpecialTokens: false) switch { [var only, ..] => only, _ => 0 };
            int most = Math.Min(SampleTokens, model.ContextLength - 1);
            return most < 1 ? "" : new TextGenerator(model, tokenizer).Generate([first], new GenerationOptions { MaxTokens = most, Temperature = 0.8, Seed = seed }).Text;
        }
    }
}
