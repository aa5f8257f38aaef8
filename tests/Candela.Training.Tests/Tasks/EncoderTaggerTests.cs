using Candela.Data;
using Candela.Experiments;
using Candela.Language;
using Candela.Models;
using Candela.Runs;
using Candela.Tokenization;
using Candela.Training.Language;
using Candela.Training.Tasks;
using Candela.Training.Tests.Language;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Tests.Tasks;

/// <summary>Taggers trained on from a folder of the BERT family.</summary>
public sealed class EncoderTaggerTests : IDisposable
{
    private static readonly string[] Names = ["anna", "boris", "clara"], Verbs = ["sees", "likes"], Things = ["lamps", "apples", "redwood"];
    private readonly string _folder = Directory.CreateTempSubdirectory("candela-tagger-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string At(string name) => Path.Combine(_folder, name);

    private static Tokenizer Pieces() => TokenizerTrainer.WordPiece(["anna boris clara sees likes lamps apples red wood of"], new WordPieceTrainingOptions { VocabularySize = 60, MinFrequency = 1 });

    private string Base(string family, int context = 32)
    {
        Tokenizer tokenizer = Pieces();
        using Bert bert = Bert.Create(Config(tokenizer, family, context), seed: 3, tokenizer);
        bert.SaveTo(At(family));
        return At(family);
    }

    private static BertConfig Config(Tokenizer tokenizer, string family, int context) => new()
    {
        ModelType = family,
        VocabularySize = tokenizer.VocabularySize,
        ContextLength = context,
        Width = 16,
        HiddenWidth = 32,
        Layers = 1,
        Heads = 2,
        InitializerRange = 0.1,
        TokenTypes = family == "bert" ? 2 : family == "roberta" ? 1 : 0,
        PadId = 0,
        Head = BertHead.MaskedLanguage,
    };

    private string Sentences(int count = 120, int clauses = 1)
    {
        var rng = new Rng(6);
        string Word(string[] words, string tag) => $"{words[rng.Next(words.Length)]} {tag}";
        File.WriteAllText(At("sentences.conll"), string.Concat(Enumerable.Range(0, count).Select(_ => string.Concat(Enumerable.Range(0, clauses).Select(_ => $"{Word(Names, "N")}\n{Word(Verbs, "V")}\n{Word(Things, "T")}\n")) + "\n")));
        return At("sentences.conll");
    }

    private TrainRequest Request(string folder) => new()
    {
        Data = Sentences(),
        Task = SequenceTasks.TokenClassification,
        Fit = new FitOptions { Epochs = 6, BatchSize = 16, Seed = 1, Threads = 1, LearningRate = 1e-2, Dropout = 0 },
        Sequence = new SequenceOptions { Base = folder },
    };

    private RunRecord Train(TrainRequest request, string run, ExperimentOptions? options = null, CancellationToken? cancellation = null) =>
        SequenceExperiment.Train(request, At(run), [new TokenClassificationTask()], options, cancellation ?? TestContext.Current.CancellationToken);

    [Theory, Trait("Kind", "property")]
    [InlineData("bert")]
    [InlineData("distilbert")]
    [InlineData("roberta")]
    public void Train_Base_TagsAndOpensAsAModelFolderOfItsFamily(string family)
    {
        RunRecord record = Train(Request(Base(family)), "run");
        Assert.Equal(family, record.Model);
        Assert.InRange(record.Metrics["test"].Metrics["accuracy"].Value, 0.98, 1);
        using Bert model = Bert.Load(At("run"));
        Assert.Equal(BertHead.TokenClassification, model.Config.Head);
        Assert.Equal(["N", "T", "V"], model.Config.Labels);
        using ISequencePredictor opened = new TokenClassificationTask().Open(At("run"), record.Problem);
        var silent = new Listener(_ => { });
        Assert.InRange(opened.Evaluate(At("sentences.conll"), silent, TestContext.Current.CancellationToken).Metrics["accuracy"].Value, 0.98, 1);
        File.WriteAllText(At("words.txt"), "boris\nlikes\nredwood\n\nanna\nsees\nlamps\n");
        Assert.Equal(["boris\tN\nlikes\tV\nredwood\tT\n", "anna\tN\nsees\tV\nlamps\tT\n"], opened.Predict(At("words.txt"), silent, TestContext.Current.CancellationToken).Select(p => p.Text));
    }

    [Fact, Trait("Kind", "property")]
    public void Train_SentencesLongerThanTheEncoderReads_AreTaggedInParts()
    {
        TrainRequest request = Request(Base("bert", context: 12)) with { Data = Sentences(60, clauses: 6) };
        RunRecord record = Train(request, "run");
        Assert.InRange(record.Metrics["test"].Metrics["accuracy"].Value, 0.98, 1);
        Assert.Equal(record.Rows["test"] * 18, record.Metrics["test"].Rows);
    }

    [Fact, Trait("Kind", "conformance")]
    public void Train_CancelledAndResumed_GivesTheSameWeights()
    {
        TrainRequest request = Request(Base("bert"));
        request = request with { Fit = request.Fit with { Epochs = 3, Dropout = 0.2 } };
        RunRecord whole = Train(request, "whole");
        using var source = new CancellationTokenSource();
        var options = new ExperimentOptions { CheckpointEvery = TimeSpan.FromTicks(1), Events = new Listener(e => { if (e is EpochEnded { Epoch: 0 }) source.Cancel(); }) };
        Assert.Throws<OperationCanceledException>(() => Train(request, "cut", options, source.Token));
        RunRecord resumed = Train(request, "cut", new ExperimentOptions { Resume = true });
        Assert.Equal(File.ReadAllBytes(new RunFolder(At("whole")).Model), File.ReadAllBytes(new RunFolder(At("cut")).Model));
        Assert.Equal(whole.Metrics["test"].Metrics, resumed.Metrics["test"].Metrics);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Batches_WordsOfSeveralPieces_AreTaggedAtTheirFirst()
    {
        Tokenizer tokenizer = Pieces();
        BertConfig config = Config(tokenizer, "bert", 10) with { Labels = ["N", "T", "V"] };
        TaggedSentence[] sentences = [new(["anna", "sees", "redwood"], ["N", "V", "T"]), new(["", "xyz", "lamps"], ["N", "?", "T"])];
        PieceBatch batch = new PieceSource(sentences, tokenizer, config).Batches(new BatchPlan(4)).Single();
        foreach (PieceRow row in batch.Rows)
        {
            Assert.Equal(tokenizer.IdOf("[CLS]"), row.Ids[0]);
            Assert.Equal(tokenizer.IdOf("[SEP]"), row.Ids[^1]);
            foreach ((int place, string word) in row.Places.Zip(sentences[row.Sentence].Tokens.Skip(row.FirstWord)))
                Assert.Equal(tokenizer.Encode(word, false) is [var first, ..] ? first : tokenizer.UnknownId, row.Ids[place]);
        }

        Assert.Equal([0L, 2, 1, 0, -100, 1], batch.Rows.OrderBy(r => r.Sentence).ThenBy(r => r.FirstWord).SelectMany(r => r.Tags));
    }

    [Fact, Trait("Kind", "gradient"), NoTensorLeaks]
    public void Scores_InDoublePrecision_HaveTheGradientsOfCentralDifferences()
    {
        Tokenizer tokenizer = Pieces();
        BertConfig config = Config(tokenizer, "bert", 16) with { Head = BertHead.TokenClassification, Labels = ["N", "T", "V"], Width = 8, HiddenWidth = 8 };
        using Bert bert = Bert.Create(config, 4, tokenizer);
        bert.Network.to(ScalarType.Float64);
        PieceBatch batch = new PieceSource([new(["anna", "sees", "redwood"], ["N", "V", "T"]), new(["lamps"], ["T"])], tokenizer, config).Batches(new BatchPlan(4)).Single();
        using var scope = TensorScope.Begin();
        CentralDifferences.Check(bert.Network, () => nn.functional.cross_entropy(PieceTrainable.Scores(bert.Network, batch, CPU), tensor(batch.Tags)));
    }

    [Fact, Trait("Kind", "fault")]
    public void Train_OptionsThatDoNotGoTogether_AreNamed()
    {
        TrainRequest request = Request(Base("bert"));
        Assert.Contains("--layers is not used", Assert.Throws<UsageException>(() => Train(request with { Sequence = request.Sequence with { Layers = 2 } }, "run")).Message, StringComparison.Ordinal);
        Assert.Contains("--head-only is not used", Assert.Throws<UsageException>(() => Train(request with { Sequence = new SequenceOptions { HeadOnly = true } }, "run")).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(At("run")));
    }

    private sealed class Listener(Action<TrainEvent> heard) : IProgress<TrainEvent>
    {
        public void Report(TrainEvent value) => heard(value);
    }
}
