using Candela.Data;
using Candela.Experiments;
using Candela.Language;
using Candela.Models;
using Candela.Training.Language;

namespace Candela.Training.Tasks;

/// <summary>Training of taggers: a tag for each token of a sentence, from CoNLL column files or CoNLL-U.</summary>
/// <param name="reference">Makes the tagger without a net that the report compares with, or null for none.</param>
public sealed class TokenClassificationTask(Func<IReferenceTagger>? reference = null) : ISequenceTask
{
    private const double Share = 0.1;

    /// <summary>The target's name when no column is named.</summary>
    public const string DefaultTarget = "tag";

    /// <inheritdoc/>
    public string Id => SequenceTasks.TokenClassification;

    /// <inheritdoc/>
    public IReadOnlyCollection<string>? Heeds { get; } = ["base", "head-only", "layers", "width"];

    /// <inheritdoc/>
    public TrainRequest Complete(TrainRequest request)
    {
        if (request.Model is not ("auto" or TokenClassificationJob.Model))
            throw new UsageException($"There is no tagging net '{request.Model}'. Models: auto, {TokenClassificationJob.Model}.");
        foreach ((string option, string? file) in new[] { ("valid", request.ValidFile), ("test", request.TestFile) })
            if (file is not null && !File.Exists(file))
                throw new UsageException($"--{option} {file}: the file does not exist. A file of tagged sentences, or a share of them, was needed.");
        FitOptions fit = request.Fit, none = new();
        SequenceOptions net = request.Sequence;
        string? unused = fit.Hidden is not null ? "hidden" : fit.LabelSmoothing is not null ? "label-smoothing" : fit.ClassWeights != none.ClassWeights ? "class-weights"
            : net.Base is not null && (net.Layers ?? net.Width) is not null ? net.Layers is not null ? "layers" : "width" : net.Base is null && net.HeadOnly is not null ? "head-only" : net.Tokenizer is not null ? "tokenizer" : net.Vocabulary is not null ? "vocabulary" : net.Heads is not null ? "heads" : net.Block is not null ? "block" : net.EvaluateEvery is not null ? "evaluate-every" : null;
        if (unused is not null)
            throw new UsageException($"--{unused} is not used by --task {Id}{(net.Base is null ? "" : " with --base")}. Leave it out.");
        if (net.Base is { } folder && TransformerConfig.Load(folder) is not BertConfig)
            throw new UsageException($"--base {folder} is a causal language model; a tagger needs an encoder (bert, distilbert, roberta).");
        if (net.Layers < 1 || net.Width < 1 || fit.Dropout is < 0 or >= 1)
            throw new UsageException($"--layers {net.Layers}, --width {net.Width}, --dropout {fit.Dropout}: the first two must be 1 or more, the last from 0 up to but not 1.");
        if (fit.Optimizer is { } optimizer && OptimizerOptions.Of(optimizer).FullBatch)
            throw new UsageException($"--optimizer {optimizer} goes through all sentences for each step, which --task {Id} does not do. Choose adamw, or another that steps by batches.");
        Devices.Check(fit.Device);
        request = request with { ValidFraction = request.ValidFraction ?? Share, TestFraction = request.TestFraction ?? Share };
        if (request.ValidFraction + request.TestFraction >= 1)
            throw new UsageException($"--valid {request.ValidFraction} and --test {request.TestFraction} leave nothing to train on. Give smaller shares.");
        return request.ValidFile is not null || request.TestFile is not null || request.ValidFraction > 0 || request.TestFraction > 0 ? request
            : throw new UsageException("--valid 0 and --test 0 leave nothing to judge the tagger by. Give one of them a share or a file.");
    }

    /// <inheritdoc/>
    public ISequenceJob Prepare(TrainRequest request, IProgress<TrainEvent> events, CancellationToken cancellation)
    {
        var options = new TaggedCorpusOptions { TagColumn = request.Target };
        return new TokenClassificationJob(request, TaggedCorpus.Read(request.Data, options),
            request.ValidFile is null ? null : TaggedCorpus.Read(request.ValidFile, options),
            request.TestFile is null ? null : TaggedCorpus.Read(request.TestFile, options), reference);
    }

    /// <inheritdoc/>
    public ISequencePredictor Open(string folder, Problem problem) => new TagPredictor(SentenceTagger.IsIn(folder) ? SentenceTagger.Open(folder) : EncoderTagger.Open(folder), problem.Target == DefaultTarget ? null : problem.Target);
}
