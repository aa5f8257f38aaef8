using System.Globalization;
using Candela.Data;
using Candela.Experiments;
using Candela.Language;
using Candela.Tokenization;
using Candela.Training.Language;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Tasks;

/// <summary>A tagger trained on from a folder of the BERT family, and saved as one. Source: Devlin et al. 2019, section 5.3.</summary>
internal sealed class EncoderTagger : ITagger
{
    private const int EvaluationBatch = 32;
    private readonly Bert _bert;
    private readonly Tokenizer _tokenizer;

    private EncoderTagger(Bert bert, string folder) => (_bert, _tokenizer) = (bert, EncoderFamily.TokenizerOf(bert, folder));

    public IReadOnlyList<string> Tags => _bert.Config.Labels;

    public long ParameterCount => _bert.Config.ParameterCount;

    /// <summary>Opens what <see cref="Save"/> wrote.</summary>
    /// <exception cref="FileFormatException">A file is missing, damaged, or the model tags no tokens.</exception>
    public static EncoderTagger Open(string folder) => Of(folder, () =>
    {
        Bert bert = Bert.Load(folder);
        if (bert.Config.Head == BertHead.TokenClassification)
            return bert;
        bert.Dispose();
        throw new FileFormatException(Path.Combine(folder, TransformerConfig.FileName), Fault.WrongFormat, $"the model has the head {bert.Config.Head}; one that tags tokens was needed.");
    });

    /// <summary>Trains a base on.</summary>
    /// <param name="request">The options.</param>
    /// <param name="context">Folders, listeners, limits.</param>
    /// <param name="tags">The tags of training.</param>
    /// <param name="train">Sentences.</param>
    /// <param name="valid">Sentences to choose the weights by, or none.</param>
    /// <param name="score">Of the tags given to the validation sentences that are not empty: higher is better.</param>
    public static TrainedTagger Train(TrainRequest request, SequenceContext context, IReadOnlyList<string> tags, IReadOnlyList<TaggedSentence> train, IReadOnlyList<TaggedSentence> valid, Func<IReadOnlyList<IReadOnlyList<string>>, double> score)
    {
        string folder = request.Sequence.Base!;
        bool headOnly = request.Sequence.HeadOnly == true;
        var config = (BertConfig)TransformerConfig.Load(folder);
        if (request.Fit.Dropout is { } dropout)
            config = config with { Dropout = dropout, AttentionDropout = dropout, ClassifierDropout = dropout };
        EncoderTagger tagger = Of(folder, () => Bert.Load(folder, config with { Head = BertHead.TokenClassification, Labels = tags }, request.Fit.Seed));
        try
        {
            TrainingPlan plan = TrainingPlan.From(context.Request.Fit, EncoderFamily.Defaults(config, headOnly), validated: valid.Count > 0);
            LibTorch.SetThreads(plan.Threads);
            if (Devices.Resolve(request.Fit.Device) is { type: not DeviceType.CPU } device)
                tagger._bert.Network.to(device);
            if (headOnly)
                tagger._bert.TrainOnly(config.IsHead);
            TrainingOutcome outcome;
            using (var trainable = new PieceTrainable(tagger._bert.Network, plan.Seed, rows => score([.. tagger.Joined(rows, valid.Count).Where(t => t.Count > 0)])))
            {
                outcome = TrainingLoop.Run(trainable, tagger.Source(train), valid.Count == 0 ? null : tagger.Source(valid), plan, new TrainingSession
                {
                    Events = context.Events,
                    CheckpointFolder = context.CheckpointFolder,
                    CheckpointEvery = context.CheckpointEvery,
                    Meter = context.Meter,
                    Clock = context.Clock,
                    Cancellation = context.Cancellation,
                    Context = string.Create(CultureInfo.InvariantCulture, $"token-classification {folder} {config.ParameterCount} head {headOnly} dropout {config.Dropout}, threads {plan.Threads}"),
                });
            }

            Dictionary<string, string> chosen = plan.Chosen();
            chosen["base"] = folder;
            chosen["dropout"] = config.Dropout.ToString(CultureInfo.InvariantCulture);
            if (headOnly)
                chosen["head-only"] = "yes";
            return new TrainedTagger(tagger, outcome, config.ModelType, $"{folder}{(headOnly ? ", its head alone," : "")}", chosen);
        }
        catch
        {
            tagger.Dispose();
            throw;
        }
    }

    public IReadOnlyList<IReadOnlyList<string>> Tag(IReadOnlyList<IReadOnlyList<string>> sentences)
    {
        _bert.Network.eval();
        var rows = new List<TaggedRow>();
        foreach (PieceBatch batch in new PieceSource([.. sentences.Select(s => new TaggedSentence(s, s))], _tokenizer, _bert.Config, needTags: false).Batches(new BatchPlan(EvaluationBatch)))
        {
            using TensorScope scope = TensorScope.Begin();
            using IDisposable quiet = no_grad();
            rows.AddRange(PieceTrainable.Tagged(batch, PieceTrainable.Scores(_bert.Network, batch, _bert.Network.parameters().First().device)));
        }

        return Joined(rows, sentences.Count);
    }

    public void Save(string folder)
    {
        _bert.Network.cpu();
        _bert.SaveTo(folder);
    }

    public void Dispose() => _bert.Dispose();

    public override string ToString() => $"{_bert.Config.ModelType}, {_bert.Config.Layers} layers of width {_bert.Config.Width}, a tag at the first piece of each word{Environment.NewLine}{TransformerSummary.Of(_bert.Config)}";

    private PieceSource Source(IReadOnlyList<TaggedSentence> sentences) => new(sentences, _tokenizer, _bert.Config);

    // Parts of sentences in any order -> the tags of each sentence.
    private List<string>[] Joined(IEnumerable<TaggedRow> rows, int sentences)
    {
        var tagged = new List<string>[sentences];
        for (int i = 0; i < sentences; i++)
            tagged[i] = [];
        foreach (TaggedRow row in rows.OrderBy(r => r.Row.Sentence).ThenBy(r => r.Row.FirstWord))
            tagged[row.Row.Sentence].AddRange(row.Tags.Select(t => Tags[(int)t]));
        return tagged;
    }

    private static EncoderTagger Of(string folder, Func<Bert> load)
    {
        Bert bert = load();
        try
        {
            return new EncoderTagger(bert, folder);
        }
        catch
        {
            bert.Dispose();
            throw;
        }
    }
}

/// <summary>The tags given to a row.</summary>
internal sealed record TaggedRow(PieceRow Row, long[] Tags);

/// <summary>An encoder that tags words, as <see cref="TrainingLoop"/> trains it: the loss is the mean cross-entropy of words' tags.</summary>
internal sealed class PieceTrainable(BertModel network, long seed, Func<IReadOnlyList<TaggedRow>, double> score) : LayerTrainable<PieceBatch>(network, seed)
{
    public override double WeightOf(PieceBatch batch) => batch.Tags.Count(t => t >= 0);

    public override ValidationResult Evaluate(IBatchSource<PieceBatch> rows)
    {
        BeginEvaluation();
        using IDisposable quiet = no_grad();
        BatchLoss total = default;
        var tagged = new List<TaggedRow>();
        foreach (PieceBatch batch in rows.Batches(new BatchPlan(32)))
        {
            using TensorScope scope = TensorScope.Begin();
            Tensor scores = Scores(network, batch, Device);
            double weight = WeightOf(batch);
            if (weight > 0)
                total += new BatchLoss((double)LossOf(scores, batch).ToSingle() * weight, weight);
            tagged.AddRange(Tagged(batch, scores));
        }

        return new ValidationResult(total.Mean, score(tagged));
    }

    /// <summary>Scores of the tags of each word, [words, tags].</summary>
    public static Tensor Scores(BertModel network, PieceBatch batch, Device device)
    {
        Tensor On(long[] values) => tensor(values, [batch.Count, batch.Steps]).to(device);
        Tensor hidden = network.Hidden(On(batch.Ids), null, Array.IndexOf(batch.Seen, 0) < 0 ? null : On(batch.Seen));
        Tensor words = hidden.reshape(-1, hidden.size(2)).index_select(0, tensor(batch.Places).to(device));
        return network.LabelLogits(words);
    }

    /// <summary>The likeliest tags, row by row.</summary>
    public static IEnumerable<TaggedRow> Tagged(PieceBatch batch, Tensor scores)
    {
        long[] best = scores.argmax(1).cpu().data<long>().ToArray();
        var rows = new TaggedRow[batch.Count];
        for (int n = 0, at = 0; n < rows.Length; at += batch.Rows[n++].Places.Length)
            rows[n] = new TaggedRow(batch.Rows[n], best[at..(at + batch.Rows[n].Places.Length)]);
        return rows;
    }

    protected override Tensor MeanLoss(PieceBatch batch) => LossOf(Scores(network, batch, Device), batch);

    private static Tensor LossOf(Tensor scores, PieceBatch batch) => nn.functional.cross_entropy(scores, tensor(batch.Tags).to(scores.device), ignore_index: MaskedTokens.Ignored);
}
