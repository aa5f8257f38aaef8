using Candela.Data;
using Candela.Experiments;
using Candela.Language;
using Candela.Models;
using Candela.Training.Language;

namespace Candela.Training.Tasks;

/// <summary>Training of causal language models on text: from random weights, or from a model folder given as base.</summary>
public sealed class LanguageModelTask : ISequenceTask
{
    private const double ValidShare = 0.1;

    /// <summary>Architectures that can be trained from random weights.</summary>
    public static IReadOnlyList<string> Architectures { get; } = ["llama", "gpt2"];

    /// <inheritdoc/>
    public string Id => SequenceTasks.LanguageModel;

    /// <inheritdoc/>
    public IReadOnlyCollection<string>? Heeds { get; } = ["base", "tokenizer", "vocabulary", "layers", "heads", "width", "block", "evaluate-every", "lora-rank", "lora-alpha", "lora-dropout", "lora-targets", "head-only", "feed-forward", "checkpoint-activations", "precision"];

    /// <inheritdoc/>
    public TrainRequest Complete(TrainRequest request)
    {
        if (request.Model != "auto" && !Architectures.Contains(request.Model))
            throw new UsageException($"There is no language model '{request.Model}'.{NearestName.Hint(request.Model, Architectures)} Models: auto, {string.Join(", ", Architectures)}.");
        SequenceOptions net = request.Sequence;
        if (net.Base is { } folder)
        {
            string? given = request.Model != "auto" ? "model" : net.Layers is not null ? "layers" : net.Heads is not null ? "heads" : net.Width is not null ? "width" : net.Tokenizer is not null ? "tokenizer" : net.Vocabulary is not null ? "vocabulary" : net.FeedForward is not null ? "feed-forward" : null;
            if (given is not null)
                throw new UsageException($"--{given} is for a net from random weights; with --base it is as {folder} has it. Leave one of the two out.");
            _ = CausalLmConfig.Load(folder);
        }
        else if (net.LoraRank is not null || net.HeadOnly == true)
        {
            throw new UsageException($"--{(net.LoraRank is not null ? "lora-rank" : "head-only")} trains a part of a finished model. Give its folder as --base.");
        }
        else if (net.Width is { } width && width % (net.Heads ?? LanguageModelPlan.DefaultHeads) != 0)
        {
            throw new UsageException($"--width {width} cannot be divided among --heads {net.Heads ?? LanguageModelPlan.DefaultHeads}; a multiple was needed.");
        }

        CheckParts(net);
        FitOptions fit = request.Fit, none = new();
        string? unused = fit.Hidden is not null ? "hidden" : fit.Dropout is not null ? "dropout" : fit.LabelSmoothing is not null ? "label-smoothing" : fit.ClassWeights != none.ClassWeights ? "class-weights" : request.Target is not null ? "target" : net.Beta is not null ? "beta" : null;
        if (unused is not null)
            throw new UsageException($"--{unused} is not used by --task {Id}. Leave it out.");
        if (net.CheckpointActivations == true && net.Precision == "bf16")
            throw new UsageException("--checkpoint-activations runs on the engine for float32 on the CPU; it cannot be joined with --precision bf16. Leave one out.");
        return Checked(request, Id);
    }

    /// <summary>Refuses adapters and parts to train that do not go together.</summary>
    internal static void CheckParts(SequenceOptions net)
    {
        string? adapter = net.LoraAlpha is not null ? "lora-alpha" : net.LoraDropout is not null ? "lora-dropout" : net.LoraTargets is not null ? "lora-targets" : null;
        if (adapter is not null && net.LoraRank is null)
            throw new UsageException($"--{adapter} is for adapters; give their --lora-rank too, 8 for example.");
        if (net.LoraAlpha == 0)
            throw new UsageException("--lora-alpha 0 would leave the adapters without effect; a number above 0 was needed.");
        if (net.LoraRank is not null && net.HeadOnly == true)
            throw new UsageException("--lora-rank and --head-only name different parts to train. Give one; --lora-targets lm_head gives the output matrix an adapter.");
    }

    /// <inheritdoc/>
    public ISequenceJob Prepare(TrainRequest request, IProgress<TrainEvent> events, CancellationToken cancellation) =>
        new LanguageModelJob(request,
            TextCorpus.Open(request.Data, cancellation),
            request.ValidFile is null ? null : TextCorpus.Open(request.ValidFile, cancellation),
            request.TestFile is null ? null : TextCorpus.Open(request.TestFile, cancellation));

    /// <inheritdoc/>
    public ISequencePredictor Open(string folder, Problem problem) => Open(folder);

    /// <summary>Opens a language model to score texts by loss, perplexity and bits per byte.</summary>
    /// <param name="folder">A run folder or another model folder with a tokenizer; read when a text is scored.</param>
    public static ISequencePredictor Open(string folder) => new LanguageModelPredictor(folder);

    /// <summary>Fills in the shares of the parts of a text and refuses what no task over a text can use.</summary>
    internal static TrainRequest Checked(TrainRequest request, string task)
    {
        foreach ((string option, string? file) in new[] { ("valid", request.ValidFile), ("test", request.TestFile) })
            if (file is not null && !File.Exists(file))
                throw new UsageException($"--{option} {file}: the file does not exist. A text file, or a share of the text, was needed.");
        if (request.Fit.Optimizer is { } optimizer && OptimizerOptions.Of(optimizer).FullBatch)
            throw new UsageException($"--optimizer {optimizer} goes through the whole text for each step, which --task {task} does not do. Choose adamw, or another that steps by batches.");
        Devices.Check(request.Fit.Device);
        request = request with { ValidFraction = request.ValidFraction ?? ValidShare, TestFraction = request.TestFraction ?? 0 };
        if (request is { ValidFile: null, ValidFraction: 0, TestFile: null, TestFraction: 0 })
            throw new UsageException("--valid 0 without --test leaves nothing to judge the model by. Leave it out, or give --test a share of the text or a file.");
        return request.ValidFraction + request.TestFraction < 1 ? request
            : throw new UsageException($"--valid {request.ValidFraction} and --test {request.TestFraction} leave nothing to train on. Give smaller shares.");
    }
}
