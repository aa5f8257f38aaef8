using System.Globalization;
using Candela.Data;
using Candela.Experiments;
using Candela.Models;
using Candela.Tokenization;
using Candela.Training.DenseNets;
using Candela.Training.Language;
using TorchSharp;

namespace Candela.Training;

/// <summary>A text classifier trained on from a Hugging Face folder of the BERT family (BERT, DistilBERT, RoBERTa): all weights, or the head alone. One text column, or two as a pair.
/// Source: Devlin et al. 2019, section 4.1.</summary>
public sealed class EncoderFamily : IModelFamily
{
    internal const string FamilyId = "bert";
    private const int DefaultTokens = 128;

    /// <inheritdoc/>
    public string Id => FamilyId;

    /// <inheritdoc/>
    public string Description => "Text classifier trained on from a model folder of the BERT family (--base)";

    /// <inheritdoc/>
    public bool ConsideredByAuto => false;

    /// <inheritdoc/>
    public bool TakesSteps => true;

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Heeds { get; } = [.. FitOptions.Keys.Where(k => k != "hidden"), "base", "block", "head-only"];

    /// <inheritdoc/>
    public string? WhyNot(Problem problem, TableSchema inputs, long trainingRows) =>
        TokenFamily.WhyNotText(Id, problem, inputs) ?? (inputs.Columns.Count(c => c.Kind == ColumnKind.Text) > 2 ? $"{Id} reads one text column or a pair of them, and there are more; name them by --keep" : null);

    /// <inheritdoc/>
    public FeatureRequest Request(Problem problem, TableSchema inputs, long trainingRows) => new(FeatureStyle.Scaled) { TextAsNgrams = false, TextAsIs = true };

    /// <inheritdoc/>
    public void CheckOptions(FitOptions options)
    {
        TrainingPlan.Check(options);
        Devices.Check(options.Device);
    }

    /// <inheritdoc/>
    public void CheckSequence(SequenceOptions net)
    {
        if (net.Base is not { } folder)
            throw new UsageException($"--model {Id} trains on from a model folder. Give one of the BERT family as --base FOLDER; candela train TEXT --task {SequenceTasks.MaskedLanguageModel} makes one.");
        if (TransformerConfig.Load(folder) is not BertConfig config)
            throw new UsageException($"--base {folder} is a causal language model; a classifier of texts needs an encoder (bert, distilbert, roberta).");
        if (net.Block > config.ContextLength)
            throw new UsageException($"--block {net.Block} is longer than the {config.ContextLength} tokens that {folder} can read.");
    }

    /// <inheritdoc/>
    public FitResult Fit(FitContext context)
    {
        CheckSequence(context.Sequence);
        FitOptions options = context.Options;
        FeatureLayout layout = context.Train.Layout;
        string folder = context.Sequence.Base!;
        bool headOnly = context.Sequence.HeadOnly == true;
        IExampleSource? valid = context.Valid is { Count: > 0 } given ? given : null;
        Bert bert = Load(folder, context, layout, out EncoderInputs inputs);
        try
        {
            TrainingPlan plan = TrainingPlan.From(options, Defaults(bert.Config, headOnly), valid is not null);
            LibTorch.SetThreads(plan.Threads);
            if (Devices.Resolve(options.Device) is { type: not DeviceType.CPU } device)
                bert.Network.to(device);
            if (headOnly)
                bert.TrainOnly(bert.Config.IsHead);
            float[]? weights = options.ClassWeights == "none" ? null : TargetFacts.Of(context.Train, context.Problem).Weights(options.ClassWeights);
            var loss = new SparseCategoricalCrossEntropy { LabelSmoothing = options.LabelSmoothing ?? 0, ClassWeights = weights };
            TrainingOutcome outcome;
            using (var trainable = new EncoderTrainable(bert.Network, inputs, loss, plan.Seed))
            {
                outcome = TrainingLoop.Run(trainable, context.Train, valid, plan, TrainingSession.Of(context) with
                {
                    Context = string.Create(CultureInfo.InvariantCulture, $"{Id} {folder} {bert.Config.ParameterCount} {inputs.MaxTokens} head {headOnly} dropout {bert.Config.Dropout} {options.ClassWeights} {options.LabelSmoothing}, threads {plan.Threads}"),
                });
            }

            Dictionary<string, string> chosen = plan.Chosen();
            chosen["base"] = folder;
            chosen["block"] = inputs.MaxTokens.ToString(CultureInfo.InvariantCulture);
            chosen["dropout"] = bert.Config.Dropout.ToString(CultureInfo.InvariantCulture);
            if (headOnly)
                chosen["head-only"] = "yes";
            return new FitResult(new EncoderClassifier(bert, inputs), outcome.StopReason, outcome.History, chosen);
        }
        catch
        {
            bert.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public IFittedModel Open(string folder, Problem problem, FeatureLayout layout) => EncoderClassifier.Open(folder, problem, layout);

    /// <exception cref="FileFormatException">The folder has no tokenizer.</exception>
    internal static Tokenizer TokenizerOf(Bert bert, string folder) => bert.Tokenizer
        ?? throw new FileFormatException(folder, Fault.Missing, "there is no tokenizer.json beside the model, so it cannot read a text.");

    private static Bert Load(string folder, FitContext context, FeatureLayout layout, out EncoderInputs inputs)
    {
        var config = (BertConfig)TransformerConfig.Load(folder);
        int maxTokens = context.Sequence.Block ?? Math.Min(DefaultTokens, config.ContextLength);
        double dropout = context.Options.Dropout ?? config.Dropout;
        config = EncoderClassifier.With(config, maxTokens, layout.TextColumns) with
        {
            Dropout = dropout,
            AttentionDropout = context.Options.Dropout ?? config.AttentionDropout,
            ClassifierDropout = context.Options.Dropout ?? config.ClassifierDropout,
            Head = BertHead.SequenceClassification,
            Labels = context.Problem.Classes,
        };
        Bert bert = Bert.Load(folder, config, context.Options.Seed);
        try
        {
            inputs = new EncoderInputs(TokenizerOf(bert, folder), config, maxTokens, layout.TextColumns);
            return bert;
        }
        catch
        {
            bert.Dispose();
            throw;
        }
    }

    // Few passes at a small rate keep what the base knows; small encoders bear and need larger ones (Turc et al. 2019), a head from random weights larger still.
    internal static TrainingDefaults Defaults(BertConfig config, bool headOnly) => new()
    {
        Epochs = headOnly ? 10 : 4,
        BatchSize = 16,
        LearningRate = headOnly ? 1e-3 : config.Width <= 256 ? 3e-4 : config.Width <= 512 ? 1e-4 : 5e-5,
        Schedule = "warmup+cosine",
        L2 = 0.01,
        ClipNorm = 1,
        Patience = 3,
    };
}
