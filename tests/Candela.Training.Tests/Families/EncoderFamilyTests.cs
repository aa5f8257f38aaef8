using System.Text;
using Candela.Data;
using Candela.Experiments;
using Candela.Models;
using Candela.Runs;
using Candela.Tokenization;
using Candela.Training.Language;
using Candela.Training.Language.Reference;

namespace Candela.Training.Tests;

/// <summary>Text classifiers trained on from a folder of the BERT family.</summary>
public sealed class EncoderFamilyTests : IDisposable
{
    private static readonly string[] Filler = ["the", "film", "plot", "actor", "scene", "music"];
    private readonly string _folder = Directory.CreateTempSubdirectory("candela-encoder-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string At(string name) => Path.Combine(_folder, name);

    // A base with random weights: what is learned is learned here.
    private string Base(string family = "bert", BertHead head = BertHead.MaskedLanguage)
    {
        Tokenizer tokenizer = TokenizerTrainer.WordPiece([string.Join(' ', Filler), "sweet sour same other"], new WordPieceTrainingOptions { VocabularySize = 90, MinFrequency = 1 });
        var config = new BertConfig
        {
            ModelType = family,
            VocabularySize = tokenizer.VocabularySize,
            ContextLength = 32,
            Width = 16,
            HiddenWidth = 32,
            Layers = 2,
            Heads = 2,
            InitializerRange = 0.1,
            TokenTypes = family == "bert" ? 2 : family == "roberta" ? 1 : 0,
            PadId = family == "roberta" ? 1 : 0,
            Head = head,
        };
        using Bert bert = Bert.Create(config, seed: 3, tokenizer);
        bert.SaveTo(At(family));
        return At(family);
    }

    // A word decides.
    private string Reviews(int rows = 160)
    {
        var rng = new Rng(3);
        var text = new StringBuilder("review,label\n");
        for (int i = 0; i < rows; i++)
        {
            bool good = rng.Next(2) == 1;
            IEnumerable<string> Words(int most) => Enumerable.Range(0, 1 + rng.Next(most)).Select(_ => Filler[rng.Next(Filler.Length)]);
            text.Append(string.Join(' ', [.. Words(5), good ? "sweet" : "sour", .. Words(5)])).Append(',').Append(good ? "good" : "bad").Append('\n');
        }

        File.WriteAllText(At("reviews.csv"), text.ToString());
        return At("reviews.csv");
    }

    private TrainRequest Request(string folder) => new()
    {
        Data = Reviews(),
        Target = "label",
        Task = ProblemInference.TextClassification,
        Fit = new FitOptions { Epochs = 8, BatchSize = 16, Seed = 1, Threads = 1, LearningRate = 3e-3, Dropout = 0, Patience = 8 },
        Sequence = new SequenceOptions { Base = folder, Block = 16 },
    };

    private Run Train(TrainRequest request, string run, ExperimentOptions? options = null, CancellationToken? cancellation = null) =>
        Experiment.Train(request, At(run), NeuralFamilies.All, options, cancellation ?? TestContext.Current.CancellationToken);

    [Theory, Trait("Kind", "property")]
    [InlineData("bert")]
    [InlineData("distilbert")]
    [InlineData("roberta")]
    public void Train_Base_LearnsAndOpensAsAModelFolderOfItsFamily(string family)
    {
        using Run run = Train(Request(Base(family)), "run");
        Assert.Equal("bert", run.Record.Model);
        Assert.InRange(run.Record.Metrics["test"].Metrics["accuracy"].Value, 0.9, 1);
        Assert.DoesNotContain(run.Record.Warnings, w => w.Code == "option-ignored");
        using (Run opened = Run.Open(At("run"), NeuralFamilies.All))
        {
            Candela.Evaluation.SplitEvaluation again = opened.Evaluate(At("reviews.csv"), null, null);
            Assert.InRange(again.Metrics["accuracy"].Value, 0.9, 1);
        }

        using Bert model = Bert.Load(At("run"));
        Assert.Equal(family, model.Config.ModelType);
        Assert.Equal(["bad", "good"], model.Config.Labels);
        Assert.NotNull(model.Tokenizer);
        string prefix = family == "distilbert" ? "distilbert.transformer.layer.0.attention.q_lin.weight" : $"{family}.encoder.layer.0.attention.self.query.weight";
        Assert.Contains(prefix, model.Network.AllParameters().Select(p => p.Key));

        // The probabilities of the folder are those of the plain twin.
        int[] ids = model.Tokenizer.Encode("the sweet film");
        var plain = new ReferenceBert(model.Config, model.Network.AllParameters().ToDictionary(p => p.Key, p => TensorMemory.Read(p.Value)));
        double[] logits = plain.LabelLogits(plain.Hidden(ids, null, ids.Length));
        double expected = 1 / (1 + Math.Exp(logits[0] - logits[1]));
        using IFittedModel fitted = new EncoderFamily().Open(At("run"), run.Record.Problem, new FeatureLayout { DenseShape = [0], TextColumns = 1 });
        float[] scores = new float[6];
        fitted.Score(new FeatureBatch { Count = 3, Texts = ["the sweet film", "", "the actor the actor sour the film the plot the music the film the scene the actor"] }, scores);
        Assert.Equal(expected, scores[1], 1e-5);
        Assert.All(Enumerable.Range(0, 3), i => Assert.Equal(1, scores[2 * i] + scores[(2 * i) + 1], 1e-5));
    }

    [Fact, Trait("Kind", "property")]
    public void Train_HeadOnly_LeavesTheEncoderAsItWas()
    {
        string folder = Base(head: BertHead.PreTraining);
        TrainRequest request = Request(folder);
        using Run run = Train(request with { Sequence = request.Sequence with { HeadOnly = true }, Fit = request.Fit with { Epochs = 2 } }, "run");
        using Bert before = Bert.Load(folder, BertHead.None, null, 0), after = Bert.Load(At("run"), BertHead.None, null, 0);
        Dictionary<string, float[]> kept = before.Network.AllParameters().ToDictionary(p => p.Key, p => TensorMemory.Read(p.Value));
        Assert.All(after.Network.AllParameters().Where(p => !p.Key.Contains("pooler")), p => Assert.Equal(kept[p.Key], TensorMemory.Read(p.Value)));
        Assert.NotEqual(kept["bert.pooler.dense.weight"], TensorMemory.Read(after.Network.AllParameters().Single(p => p.Key == "bert.pooler.dense.weight").Value));
        Assert.Equal("yes", run.Record.Chosen["head-only"]);
    }

    [Fact, Trait("Kind", "property")]
    public void Train_PairOfTexts_TellsWhichTextAWordStandsIn()
    {
        // Both texts have one of the two words; the label is the first text's, so the two must be told apart by segment or order.
        var rng = new Rng(5);
        string[] words = ["sweet", "sour"];
        File.WriteAllLines(At("pairs.csv"), ["first,second,label", .. Enumerable.Range(0, 240).Select(_ =>
        {
            int a = rng.Next(2), b = rng.Next(2);
            string Text(int w) => $"{Filler[rng.Next(6)]} {Filler[rng.Next(6)]} {words[w]} {Filler[rng.Next(6)]}";
            return $"{Text(a)},{Text(b)},{(a == 1 ? "yes" : "no")}";
        })]);
        TrainRequest request = Request(Base());
        using Run run = Train(request with { Data = At("pairs.csv"), Table = new TableOptions { Kinds = new Dictionary<string, ColumnKind> { ["first"] = ColumnKind.Text, ["second"] = ColumnKind.Text } } }, "run");
        Assert.InRange(run.Record.Metrics["test"].Metrics["accuracy"].Value, 0.9, 1);
        Assert.Contains("a pair of texts", run.Record.Summary, StringComparison.Ordinal);
    }

    [Fact, Trait("Kind", "conformance")]
    public void Train_CancelledAndResumed_GivesTheSameWeights()
    {
        TrainRequest request = Request(Base()) with { Fit = Request(Base()).Fit with { Epochs = 3, Dropout = 0.1 } };
        using Run whole = Train(request, "whole");
        using var source = new CancellationTokenSource();
        var options = new ExperimentOptions { CheckpointEvery = TimeSpan.FromTicks(1), Events = new Listener(e => { if (e is EpochEnded { Epoch: 1 }) source.Cancel(); }) };
        Assert.Throws<OperationCanceledException>(() => Train(request, "cut", options, source.Token));
        using Run resumed = Train(request, "cut", new ExperimentOptions { Resume = true });
        Assert.Equal(File.ReadAllBytes(new RunFolder(At("whole")).Model), File.ReadAllBytes(new RunFolder(At("cut")).Model));
        Assert.Equal(whole.Record.Metrics["test"].Metrics, resumed.Record.Metrics["test"].Metrics);
    }

    [Fact, Trait("Kind", "fault")]
    public void Train_WithoutABaseOrWithAnother_IsRefusedBeforeAnythingIsWritten()
    {
        TrainRequest request = Request(Base());
        Assert.Contains("--base FOLDER", Assert.Throws<UsageException>(() => Train(request with { Model = "bert", Sequence = new SequenceOptions() }, "run")).Message, StringComparison.Ordinal);
        Assert.Contains("32 tokens", Assert.Throws<UsageException>(() => Train(request with { Sequence = request.Sequence with { Block = 33 } }, "run")).Message, StringComparison.Ordinal);
        File.WriteAllText(At("config.json"), """{"model_type":"gpt2","n_embd":8,"n_head":2,"n_layer":1,"vocab_size":10,"n_positions":8}""");
        Assert.Contains("causal language model", Assert.Throws<UsageException>(() => Train(request with { Sequence = new SequenceOptions { Base = _folder } }, "run")).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(At("run")));
    }

    private sealed class Listener(Action<TrainEvent> heard) : IProgress<TrainEvent>
    {
        public void Report(TrainEvent value) => heard(value);
    }
}
