using System.Text.Json.Nodes;
using Candela.Data;
using Candela.Experiments;
using Candela.Formats;
using Candela.Language;
using Candela.Models;
using Candela.Training.Language;

namespace Candela.Training.Tasks;

/// <summary>Training on from a language model by pairs of answers, of which one was preferred: direct preference optimisation (DPO; Rafailov et al. 2023). The base's own log-probabilities are computed once
/// before training, so that it is not held in memory beside the model.</summary>
public sealed class PreferenceTask : ISequenceTask
{
    /// <summary>The file of the run folder that says what the run's rewards are measured against.</summary>
    internal const string FileName = "preference.json";

    private const double Share = 0.1, DefaultBeta = 0.1;

    /// <inheritdoc/>
    public string Id => SequenceTasks.Preference;

    /// <inheritdoc/>
    public IReadOnlyCollection<string>? Heeds { get; } = ["base", "block", "lora-rank", "lora-alpha", "lora-targets", "head-only", "beta"];

    /// <inheritdoc/>
    public TrainRequest Complete(TrainRequest request)
    {
        if (request.Sequence.Base is not { } folder)
            throw new UsageException($"--task {Id} trains on from a language model. Give its folder as --base.");
        if (request.Model != "auto")
            throw new UsageException($"--model {request.Model} is not used by --task {Id}: the net is the one in --base. Leave it out.");
        _ = CausalLmConfig.Load(folder);
        SequenceOptions net = request.Sequence;
        FitOptions fit = request.Fit, none = new();
        string? unused = fit.Hidden is not null ? "hidden" : fit.Dropout is not null ? "dropout" : fit.ClassWeights != none.ClassWeights ? "class-weights" : request.Target is not null ? "target"
            : net.Tokenizer is not null ? "tokenizer" : net.Vocabulary is not null ? "vocabulary" : net.Layers is not null ? "layers" : net.Heads is not null ? "heads" : net.Width is not null ? "width" : net.EvaluateEvery is not null ? "evaluate-every" : net.LoraDropout is not null ? "lora-dropout" : null;
        if (unused is not null)
            throw new UsageException($"--{unused} is not used by --task {Id}. Leave it out.");
        if (net.Beta <= 0)
            throw new UsageException($"--beta {net.Beta} would leave nothing to learn; a number above 0 was needed, 0.1 for example.");
        if (fit.LabelSmoothing >= 0.5)
            throw new UsageException($"--label-smoothing {fit.LabelSmoothing} says that every other label is wrong; a share below 0.5 was needed.");
        if (net.Block < 2)
            throw new UsageException("--block 1 leaves no room for a prompt and an answer; 2 or more were needed.");
        if (fit.Optimizer is { } optimizer && OptimizerOptions.Of(optimizer).FullBatch)
            throw new UsageException($"--optimizer {optimizer} goes through all pairs for each step, which --task {Id} does not do. Choose adamw, or another that steps by batches.");
        LanguageModelTask.CheckParts(net);
        foreach ((string option, string? file) in new[] { ("valid", request.ValidFile), ("test", request.TestFile) })
            if (file is not null && !File.Exists(file))
                throw new UsageException($"--{option} {file}: the file does not exist. A file of pairs, or a share of them, was needed.");
        Devices.Check(fit.Device);
        request = request with { ValidFraction = request.ValidFraction ?? Share, TestFraction = request.TestFraction ?? Share, Sequence = net with { Beta = net.Beta ?? DefaultBeta } };
        if (request.ValidFraction + request.TestFraction >= 1)
            throw new UsageException($"--valid {request.ValidFraction} and --test {request.TestFraction} leave nothing to train on. Give smaller shares.");
        return request.ValidFile is not null || request.TestFile is not null || request.ValidFraction > 0 || request.TestFraction > 0 ? request
            : throw new UsageException("--valid 0 and --test 0 leave nothing to judge the model by. Give one of them a share or a file.");
    }

    /// <inheritdoc/>
    public ISequenceJob Prepare(TrainRequest request, IProgress<TrainEvent> events, CancellationToken cancellation) => new PreferenceJob(request, PreferencePairs.Read(request.Data, cancellation),
        request.ValidFile is null ? null : PreferencePairs.Read(request.ValidFile, cancellation), request.TestFile is null ? null : PreferencePairs.Read(request.TestFile, cancellation));

    /// <inheritdoc/>
    public ISequencePredictor Open(string folder, Problem problem)
    {
        string path = Path.Combine(folder, FileName);
        var json = new ConfigReader(path, JsonFile.ReadObject(path));
        return new PreferencePredictor(folder, json.String("base") ?? throw json.Bad("'base' is missing; the folder of the base model was needed."),
            json.Number("beta", double.Epsilon, double.MaxValue, DefaultBeta), json.Number("labelSmoothing", 0, 0.5, 0), json.Int("block", 2, int.MaxValue));
    }

    /// <summary>Writes what <see cref="Open"/> reads.</summary>
    internal static void Write(string folder, string baseFolder, double beta, double smoothing, int block) => JsonFile.WriteObject(Path.Combine(folder, FileName),
        new JsonObject { ["base"] = Path.GetFullPath(baseFolder), ["beta"] = beta, ["labelSmoothing"] = smoothing, ["block"] = block });
}
