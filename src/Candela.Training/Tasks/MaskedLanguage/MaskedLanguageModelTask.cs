using Candela.Data;
using Candela.Experiments;
using Candela.Language;
using Candela.Models;
using Candela.Training.Language;

namespace Candela.Training.Tasks;

/// <summary>Pre-training of encoders on text: hidden tokens are found from those around them, and where there are documents, whether one text follows another is told. The run folder is a
/// Hugging Face folder that a classifier is trained on from. Source: Devlin et al. 2019.</summary>
public sealed class MaskedLanguageModelTask : ISequenceTask
{
    internal const int DefaultLayers = 4, DefaultHeads = 4, DefaultWidth = 128, DefaultBlock = 128, DefaultVocabulary = 8192;

    /// <summary>Architectures that can be trained from random weights. Only <c>bert</c> tells whether a text follows another.</summary>
    public static IReadOnlyList<string> Architectures { get; } = ["bert", "distilbert", "roberta"];

    /// <inheritdoc/>
    public string Id => SequenceTasks.MaskedLanguageModel;

    /// <inheritdoc/>
    public IReadOnlyCollection<string>? Heeds { get; } = ["base", "tokenizer", "vocabulary", "layers", "heads", "width", "block", "evaluate-every", "nsp"];

    /// <inheritdoc/>
    public TrainRequest Complete(TrainRequest request)
    {
        if (request.Model != "auto" && !Architectures.Contains(request.Model))
            throw new UsageException($"There is no encoder '{request.Model}'.{NearestName.Hint(request.Model, Architectures)} Models: auto, {string.Join(", ", Architectures)}.");
        SequenceOptions net = request.Sequence;
        string type = request.Model == "auto" ? Architectures[0] : request.Model;
        if (net.Base is { } folder)
        {
            string? given = request.Model != "auto" ? "model" : net.Layers is not null ? "layers" : net.Heads is not null ? "heads" : net.Width is not null ? "width" : net.Tokenizer is not null ? "tokenizer" : net.Vocabulary is not null ? "vocabulary" : null;
            if (given is not null)
                throw new UsageException($"--{given} is for a net from random weights; with --base it is as {folder} has it. Leave one of the two out.");
            BertConfig config = TransformerConfig.Load(folder) as BertConfig
                ?? throw new UsageException($"--base {folder} is a causal language model, which finds no hidden tokens; an encoder (bert, distilbert, roberta) was needed.");
            type = config.ModelType;
            if (net.Block > config.ContextLength)
                throw new UsageException($"--block {net.Block} is longer than the {config.ContextLength} tokens that {folder} can read.");
        }
        else if ((net.Width ?? DefaultWidth) % (net.Heads ?? DefaultHeads) != 0)
        {
            throw new UsageException($"--width {net.Width ?? DefaultWidth} cannot be divided among --heads {net.Heads ?? DefaultHeads}; a multiple was needed.");
        }

        if (net.NextSentence == true && type != "bert")
            throw new UsageException($"--nsp yes is for bert: '{type}' has no head that tells whether a text follows another.");
        if (net.Block < 8)
            throw new UsageException($"--block {net.Block} leaves no room for a text; 8 or more were needed.");
        FitOptions fit = request.Fit, none = new();
        string? unused = fit.Hidden is not null ? "hidden" : fit.LabelSmoothing is not null ? "label-smoothing" : fit.ClassWeights != none.ClassWeights ? "class-weights" : request.Target is not null ? "target"
            : net.LoraRank is not null ? "lora-rank" : net.HeadOnly is not null ? "head-only" : null;
        return unused is null ? LanguageModelTask.Checked(request, Id) : throw new UsageException($"--{unused} is not used by --task {Id}. Leave it out.");
    }

    /// <inheritdoc/>
    public ISequenceJob Prepare(TrainRequest request, IProgress<TrainEvent> events, CancellationToken cancellation) =>
        new MaskedLanguageModelJob(request,
            TextCorpus.Open(request.Data, cancellation),
            request.ValidFile is null ? null : TextCorpus.Open(request.ValidFile, cancellation),
            request.TestFile is null ? null : TextCorpus.Open(request.TestFile, cancellation));

    /// <inheritdoc/>
    public ISequencePredictor Open(string folder, Problem problem) => new MaskedLanguageModelPredictor(folder);
}
