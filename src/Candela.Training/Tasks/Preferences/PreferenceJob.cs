using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Candela.Data;
using Candela.Decoding;
using Candela.Evaluation;
using Candela.Experiments;
using Candela.Language;
using Candela.Metrics;
using Candela.Models;
using Candela.Runs;
using Candela.Training.Language;
using Candela.Training.Language.Adapters;
using TorchSharp;

namespace Candela.Training.Tasks;

/// <summary>One training by direct preference optimisation: pairs, reference log-probabilities, training, evaluation beside what the base prefers already.</summary>
internal sealed class PreferenceJob : ISequenceJob
{
    private const int DefaultBatch = 4, DefaultEpochs = 2, DefaultBlock = 512, Samples = 3, SampleTokens = 60;
    private static readonly string[] Parts = ["train", "valid", "test"];
    private readonly TrainRequest _request;
    private readonly Dictionary<string, IReadOnlyList<PreferencePair>> _parts = [];

    public PreferenceJob(TrainRequest request, PreferencePairs pairs, PreferencePairs? valid, PreferencePairs? test)
    {
        _request = request;
        IReadOnlyList<PreferencePair> rest = pairs.Pairs, held;
        double validShare = valid is null ? request.ValidFraction!.Value : 0, testShare = test is null ? request.TestFraction!.Value : 0;
        if (test is not null)
            _parts["test"] = test.Pairs;
        if (testShare > 0)
        {
            rest = PreferencePairs.Split(rest, testShare, request.Fit.Seed, out held);
            _parts["test"] = held;
        }

        if (valid is not null)
            _parts["valid"] = valid.Pairs;
        if (validShare > 0)
        {
            rest = PreferencePairs.Split(rest, validShare / (1 - testShare), request.Fit.Seed, out held);
            _parts["valid"] = held;
        }

        _parts["train"] = rest;
        Profile = new DataProfile(pairs.Pairs.Count, 0, [], []);
        DataHash = valid is null && test is null ? pairs.DataHash
            : Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes($"{pairs.DataHash}\n{valid?.DataHash}\n{test?.DataHash}")));
    }

    public string DataHash { get; }

    public Problem Problem { get; } = new(TaskKind.Preference, "preferred answer", []);

    public IReadOnlyDictionary<string, long> Rows => Parts.Where(_parts.ContainsKey).ToDictionary(name => name, name => (long)_parts[name].Count);

    public DataProfile Profile { get; }

    /// <summary>Warns of pairs that do not fit into a block.</summary>
    public static Warned Shortened(int count, int pairs, int block) => new("text-shortened",
        $"{count:N0} of {pairs:N0} pairs have more than {block} tokens and were shortened: their prompts begin later, and where that is not enough their answers end earlier. Give a larger --block if the model's context allows.");

    public SequenceOutcome Run(SequenceContext context)
    {
        double beta = _request.Sequence.Beta!.Value, smoothing = _request.Fit.LabelSmoothing ?? 0;
        string from = _request.Sequence.Base!;
        using CausalLm model = CausalLm.Load(from);
        if (model.Tokenizer is null)
            throw new FileFormatException(from, Fault.Missing, "there is no tokenizer beside the model, so no text can be trained on. Put its tokenizer.json there.");
        int block = Block(model.Config);
        TrainingPlan plan = Plan(_request.Fit);
        LibTorch.SetThreads(plan.Threads);
        if (Devices.Resolve(_request.Fit.Device) is { type: not TorchSharp.DeviceType.CPU } chosenDevice)
            model.Network.to(chosenDevice);
        context.Events.Report(new StageStarted("reference"));
        var tokens = new Dictionary<string, PreferenceTokens>();
        var references = new Dictionary<string, AnswerLikelihoods>();
        foreach ((string part, IReadOnlyList<PreferencePair> pairs) in _parts)
        {
            tokens[part] = new PreferenceTokens(pairs, model.Tokenizer, block);
            references[part] = Likelihoods(model, tokens[part], plan.BatchSize, context.Cancellation);
            tokens[part].References = references[part].Margins;
        }

        if (tokens.Values.Sum(t => t.Shortened) is > 0 and var shortened)
            context.Events.Report(Shortened(shortened, _parts.Values.Sum(p => p.Count), block));
        plan = Plan(context.BeginTraining()); // with what is left

        context.Events.Report(new StageStarted("training"));
        LoraAdapter? adapter = null;
        if (_request.Sequence.LoraRank is not null)
            adapter = LoraAdapter.Attach(model, LanguageModelPlan.Lora(_request.Sequence), _request.Fit.Seed);
        else if (_request.Sequence.HeadOnly == true)
            model.TrainHeadOnly();
        long trained = TrainableParameter.Of(model.Network).Sum(p => p.Value.numel()), started = context.Clock.GetTimestamp();
        double joules = context.Meter.Read().Joules;
        TrainingOutcome outcome;
        using (var trainable = new PreferenceTrainable(model.Network, beta, smoothing, plan.BatchSize))
        {
            outcome = TrainingLoop.Run(trainable, tokens["train"], tokens.GetValueOrDefault("valid"), plan, new TrainingSession
            {
                Events = context.Events,
                CheckpointFolder = context.CheckpointFolder,
                CheckpointEvery = context.CheckpointEvery,
                Meter = context.Meter,
                Clock = context.Clock,
                Cancellation = context.Cancellation,
                Context = string.Create(CultureInfo.InvariantCulture, $"preference beta {beta} smoothing {smoothing} block {block} base {from}{LanguageModelPlan.Part(_request.Sequence)}, threads {plan.Threads}"),
            });
        }

        double seconds = context.Clock.GetElapsedTime(started).TotalSeconds;
        joules = context.Meter.Read().Joules - joules;
        context.Events.Report(new StageStarted("evaluating"));
        Dictionary<string, SplitEvaluation> metrics = Parts.Skip(1).Where(_parts.ContainsKey).ToDictionary(part => part,
            part => PreferenceScores.Of(Likelihoods(model, tokens[part], plan.BatchSize, context.Cancellation), references[part], beta, smoothing, _request.Fit.Seed));
        string judged = metrics.ContainsKey("test") ? "test" : "valid";
        if (adapter is not null)
        {
            adapter.Save(Path.Combine(context.ModelFolder, "adapter"), Path.GetFullPath(from));
            adapter.Merge(); // the run folder itself is a whole model, which generates without its base
        }

        model.SaveTo(context.ModelFolder);
        PreferenceTask.Write(context.ModelFolder, from, beta, smoothing, block);
        return new SequenceOutcome
        {
            Model = model.Config.ModelType,
            ModelReason = string.Create(CultureInfo.InvariantCulture, $"Trained on from {from} by direct preference optimisation with beta {beta} on {_parts["train"].Count:N0} pairs{(adapter is not null ? $", through adapters of rank {adapter.Options.Rank} on {string.Join(", ", adapter.Options.TargetModules!)}, kept in adapter/ and merged into the weights here" : _request.Sequence.HeadOnly == true ? ", its head alone" : "")}{(trained < model.Config.ParameterCount ? $": {trained:N0} of {model.Config.ParameterCount:N0} parameters" : "")}{(outcome.BestEpoch >= 0 ? $"; the weights are those of epoch {outcome.BestEpoch + 1} of {outcome.History.Count}, the best on the validation pairs" : "")}."),
            Parameters = model.Config.ParameterCount,
            Summary = string.Create(CultureInfo.InvariantCulture, $"{model.Config.ModelType}: {model.Config.Layers} layers, {model.Config.Heads} heads, {model.Config.Width} numbers per token\n{model.Config.ParameterCount:N0} parameters, {trained:N0} of them trained\nreference: {from}"),
            Chosen = Chosen(plan, beta, smoothing, block),
            StopReason = outcome.StopReason,
            History = outcome.History,
            Metrics = metrics,
            Baseline = new BaselineRecord("base, per token", "the answer whose tokens the base model finds likelier on average", Only(PerToken(tokens[judged], references[judged]))),
            Candidates =
            [
                new CandidateRecord(model.Config.ModelType, trained, metrics.TryGetValue("valid", out SplitEvaluation? valid) ? -valid.Metrics["loss"].Value : null, metrics[judged].Metrics, seconds, joules, "chosen"),
                new CandidateRecord("base, whole answers", 0, null, Only(references[judged].Margins), 0, 0, "the answer the base model finds likelier as a whole, which favours short ones"),
                new CandidateRecord("longer answer", 0, null, Only([.. _parts[judged].Select(p => (double)p.Chosen.Length - p.Rejected.Length)]), 0, 0, "the answer with more characters"),
            ],
            Samples = [.. _parts[judged].DistinctBy(p => p.PromptText).Take(Samples).Select(p => new SampleRecord(p.PromptText, Answer(model, p, block, context.Cancellation), p.Chosen))],
            Versions = new Dictionary<string, string> { ["libtorch"] = torch.__version__ },
        };
    }

    public void Dispose()
    {
    }

    private static AnswerLikelihoods Likelihoods(CausalLm model, PreferenceTokens pairs, int batchSize, CancellationToken cancellation) =>
        PreferenceTrainable.Likelihoods(model.Network, pairs, batchSize, TrainableParameter.Of(model.Network)[0].Value.device, cancellation);

    private static double[] PerToken(PreferenceTokens pairs, AnswerLikelihoods reference) =>
        [.. reference.Chosen.Select((c, i) => (c / Math.Max(1, pairs.Chosen[i].Answer)) - (reference.Rejected[i] / Math.Max(1, pairs.Rejected[i].Answer)))];

    private static string Answer(CausalLm model, PreferencePair pair, int block, CancellationToken cancellation)
    {
        AnswerTokens tokens = new PreferenceTokens([pair], model.Tokenizer!, block).Chosen[0];
        int room = Math.Min(SampleTokens, model.ContextLength - tokens.AnswerStart);
        return room < 1 ? "" : new TextGenerator(model, model.Tokenizer).Generate(tokens.Ids[..tokens.AnswerStart], new GenerationOptions { MaxTokens = room, Temperature = 0, StopTokens = model.Config.EosIds }, null, cancellation).Text;
    }

    private Dictionary<string, MetricValue> Only(double[] margins) => new() { ["accuracy"] = PreferenceScores.Accuracy(margins, _request.Fit.Seed) };

    private int Block(CausalLmConfig config)
    {
        int block = _request.Sequence.Block ?? Math.Min(config.ContextLength, DefaultBlock);
        return block <= config.ContextLength ? block : throw new UsageException($"--block {block} is more than the context of {_request.Sequence.Base}, {config.ContextLength} tokens. Give at most that.");
    }

    private TrainingPlan Plan(FitOptions fit) => TrainingPlan.From(fit, new TrainingDefaults
    {
        Epochs = DefaultEpochs,
        BatchSize = DefaultBatch,
        LearningRate = _request.Sequence.LoraRank is null ? 1e-5 : 1e-4,
        L2 = 0,
        ClipNorm = 1,
        Patience = null,
    }, validated: _parts.ContainsKey("valid"));

    private static Dictionary<string, string> Chosen(TrainingPlan plan, double beta, double smoothing, int block)
    {
        Dictionary<string, string> chosen = plan.Chosen();
        if (plan.Epochs == int.MaxValue)
            chosen.Remove("epochs"); // steps were asked for
        foreach ((string key, double value) in new[] { ("beta", beta), ("label-smoothing", smoothing), ("block", block) })
            chosen[key] = value.ToString(CultureInfo.InvariantCulture);
        return chosen;
    }
}
