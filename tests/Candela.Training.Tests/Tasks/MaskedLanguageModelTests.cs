using System.Text;
using Candela.Data;
using Candela.Evaluation;
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

/// <summary>Pre-training of encoders, from a text to a folder that a classifier is trained on from.</summary>
public sealed class MaskedLanguageModelTests : IDisposable
{
    private static readonly IReadOnlyList<ISequenceTask> Tasks = [new MaskedLanguageModelTask()];
    private readonly string _folder = Directory.CreateTempSubdirectory("candela-mlm-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string At(string name) => Path.Combine(_folder, name);

    // Each document is about one animal: a hidden word is known from the others of its sentence.
    private string Text(bool documents = true, int count = 160)
    {
        string[][] animals = [["cat", "meow", "grey"], ["dog", "woof", "brown"], ["bird", "tweet", "red"], ["cow", "moo", "white"]];
        var rng = new Rng(8);
        var text = new StringBuilder();
        for (int i = 0; i < count; i++)
        {
            string[] animal = animals[rng.Next(4)];
            for (int s = 0; s < 3; s++)
                text.Append($"the {animal[0]} says {animal[1]} and is {animal[2]} .\n");
            if (documents)
                text.Append('\n');
        }

        File.WriteAllText(At("text.txt"), text.ToString());
        return At("text.txt");
    }

    private TrainRequest Request(bool documents = true) => new()
    {
        Data = Text(documents),
        Task = SequenceTasks.MaskedLanguageModel,
        ValidFraction = 0.15,
        Fit = new FitOptions { MaxSteps = 150, BatchSize = 16, Seed = 2, Threads = 1, LearningRate = 5e-3, Dropout = 0 },
        Sequence = new SequenceOptions { Width = 32, Heads = 2, Layers = 2, Block = 32, EvaluateEvery = 75, Vocabulary = 120 },
    };

    private RunRecord Train(TrainRequest request, string run, ExperimentOptions? options = null, CancellationToken? cancellation = null) =>
        SequenceExperiment.Train(request, At(run), Tasks, options, cancellation ?? TestContext.Current.CancellationToken);

    [Fact, Trait("Kind", "conformance")]
    public void Train_Documents_LearnsTokensAndPairs_AndTheFolderIsABaseOfClassifiers()
    {
        TrainRequest request = Request();
        RunRecord record = Train(request with { Fit = request.Fit with { MaxSteps = 300 }, Sequence = request.Sequence with { EvaluateEvery = 150 } }, "run");
        Assert.Equal(TaskKind.MaskedLanguageModel, record.Problem.Task);
        IReadOnlyDictionary<string, Candela.Metrics.MetricValue> metrics = record.Metrics["valid"].Metrics;
        Assert.Equal(["loss", "maskedAccuracy", "perplexity", "nspAccuracy"], metrics.Keys);
        Assert.InRange(metrics["loss"].Value, 0, 0.7 * record.Baseline.Metrics["loss"].Value);
        Assert.InRange(metrics["maskedAccuracy"].Value, record.Baseline.Metrics["maskedAccuracy"].Value + 0.15, 1);
        Assert.Equal("yes", record.Chosen["nsp"]);
        Assert.Equal([150L, 300], record.History.Select(h => h.Steps));
        Assert.Contains(record.Samples, s => s.Input.Contains("[MASK]"));
        Assert.All(record.Samples, s => Assert.DoesNotContain("[MASK]", s.Output + s.Expected));

        // The folder scored on its validation text is the recorded figure: masks are fixed.
        string text = File.ReadAllText(At("text.txt"));
        File.WriteAllText(At("held.txt"), text[(int)(text.Length * 0.85)..]);
        using (ISequencePredictor opened = new MaskedLanguageModelTask().Open(At("run"), record.Problem))
        {
            SplitEvaluation first = opened.Evaluate(At("held.txt"), new Listener(_ => { }), TestContext.Current.CancellationToken), second = opened.Evaluate(At("held.txt"), new Listener(_ => { }), TestContext.Current.CancellationToken);
            Assert.Equal(first.Metrics, second.Metrics);
            Assert.Equal(metrics["loss"].Value, first.Metrics["loss"].Value, 0.25); // other masks: the run's have its own seed
            File.WriteAllText(At("masked.txt"), "the cat says meow [MASK] is grey .\n\nThe dog says woof .\n");
            SequencePrediction[] filled = [.. opened.Predict(At("masked.txt"), new Listener(_ => { }), TestContext.Current.CancellationToken)];
            Assert.Equal(["the cat says meow and is grey.", "the dog says woof."], filled.Select(f => f.Text));
            Assert.Equal("and", (string)filled[0].Values[1]!.AsArray().Single()!);
            Assert.Empty(filled[1].Values[2]!.AsArray());
            Assert.InRange((float)filled[0].Values[2]!.AsArray()[0]!, 0.5f, 1);
        }

        File.WriteAllLines(At("animals.csv"), ["sentence,label", .. Enumerable.Range(0, 120).Select(i => $"the {(i % 2 == 0 ? "cat" : "dog")} says {(i % 3 == 0 ? "moo" : "tweet")} and is of number {i},{(i % 2 == 0 ? "c" : "d")}")]);
        using Run run = Experiment.Train(new TrainRequest
        {
            Data = At("animals.csv"),
            Target = "label",
            Table = new TableOptions { Kinds = new Dictionary<string, ColumnKind> { ["sentence"] = ColumnKind.Text } },
            Fit = new FitOptions { Epochs = 6, BatchSize = 16, Seed = 1, Threads = 1, LearningRate = 3e-3 },
            Sequence = new SequenceOptions { Base = At("run") },
        }, At("tuned"), NeuralFamilies.All, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal("bert", run.Record.Model);
        Assert.InRange(run.Record.Metrics["test"].Metrics["accuracy"].Value, 0.9, 1);
    }

    [Theory, Trait("Kind", "conformance")]
    [InlineData(true)]
    [InlineData(false)]
    public void Train_CancelledAndResumed_GivesTheSameWeights(bool documents)
    {
        TrainRequest request = Request(documents);
        request = request with { Fit = request.Fit with { MaxSteps = 40, Dropout = 0.1 }, Sequence = request.Sequence with { EvaluateEvery = 20, Layers = 1 } };
        RunRecord whole = Train(request, "whole");
        using var source = new CancellationTokenSource();
        var options = new ExperimentOptions { CheckpointEvery = TimeSpan.FromTicks(1), Events = new Listener(e => { if (e is StepEnded { Step: >= 13 }) source.Cancel(); }) };
        Assert.Throws<OperationCanceledException>(() => Train(request, "cut", options, source.Token));
        RunRecord resumed = Train(request, "cut", new ExperimentOptions { Resume = true });
        Assert.Equal(File.ReadAllBytes(new RunFolder(At("whole")).Model), File.ReadAllBytes(new RunFolder(At("cut")).Model));
        Assert.Equal(whole.Metrics["valid"].Metrics, resumed.Metrics["valid"].Metrics);
        Assert.Equal(documents, whole.Metrics["valid"].Metrics.ContainsKey("nspAccuracy"));
    }

    [Theory, Trait("Kind", "property")]
    [InlineData("distilbert")]
    [InlineData("roberta")]
    public void Train_OtherArchitectures_GiveFoldersThatAreTrainedOn(string model)
    {
        TrainRequest request = Request() with { Model = model };
        RunRecord first = Train(request with { Fit = request.Fit with { MaxSteps = 60 } }, "first");
        Assert.Equal("no", first.Chosen["nsp"]);
        RunRecord second = Train(request with { Model = "auto", Fit = request.Fit with { MaxSteps = 20, LearningRate = 1e-3 }, Sequence = new SequenceOptions { Base = At("first"), EvaluateEvery = 20 } }, "second");
        Assert.Equal(model, second.Model);
        Assert.InRange(second.Metrics["valid"].Metrics["loss"].Value, 0, first.Metrics["valid"].Metrics["loss"].Value + 0.2); // other places hidden
    }

    [Theory, Trait("Kind", "fault")]
    [InlineData("model", "bart", "no encoder 'bart'")]
    [InlineData("width", "30", "--width 30")]
    [InlineData("block", "4", "--block 4")]
    [InlineData("head-only", "yes", "--head-only")]
    [InlineData("hidden", "8", "--hidden")]
    [InlineData("tokenizer", "words", "--tokenizer words")]
    public void Train_OptionThatCannotBeUsed_IsNamedAndNothingIsWritten(string key, string value, string said)
    {
        TrainRequest request = Recipe.Set(Request() with { Sequence = new SequenceOptions { Heads = 4 } }, key, [value]);
        Assert.Contains(said, Assert.Throws<UsageException>(() => Train(request, "run")).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(new RunFolder(At("run")).Record));
    }

    [Fact, Trait("Kind", "fault")]
    public void Train_PairsForAnEncoderWithoutTheirHead_IsRefused()
    {
        TrainRequest request = Request() with { Model = "roberta" };
        Assert.Contains("--nsp yes is for bert", Assert.Throws<UsageException>(() => Train(request with { Sequence = request.Sequence with { NextSentence = true } }, "run")).Message, StringComparison.Ordinal);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Read_Documents_EndAtEmptyLinesAndAtLinesOfJson()
    {
        CorpusPiece[] text = [new("One line.\nAnd a se"), new("cond.\n\nAlone here. Two sentences.\n \nlast")];
        Assert.Equal([["One line.", "And a second."], ["Alone here.", "Two sentences."], ["last"]], TextDocuments.Read(text));
        CorpusPiece[] lines = [new("First. Second.") { EndsDocument = true }, new("answer") { Prompt = "question", EndsDocument = true }];
        Assert.Equal([["First.", "Second."], ["question", "answer"]], TextDocuments.Read(lines));
        Assert.True(TextDocuments.Have(lines));
        Assert.False(TextDocuments.Have(text[..1]));
    }

    [Fact, Trait("Kind", "property")]
    public void Sequences_InOrder_HideTheSameTokensWhateverTheBatch_ShuffledOthersEveryEpochAndSkipAgrees()
    {
        Tokenizer tokenizer = TokenizerTrainer.WordPiece(["the cat sees the red dog . fish bird blue likes hears"], new WordPieceTrainingOptions { VocabularySize = 60, MinFrequency = 1 });
        var frames = new MaskedFrames(tokenizer, Config(tokenizer));
        TextCorpus corpus = TextCorpus.Open(Text(), TestContext.Current.CancellationToken);
        foreach (bool pairs in new[] { true, false })
        {
            using MaskedCorpus text = MaskedCorpus.Write(corpus.Read(Part.Train, 0, 0, 0), tokenizer, frames, pairs, 24, 7, At("tokens"), TestContext.Current.CancellationToken);
            long[] Flat(IBatchSource<MaskedBatch> source, BatchPlan plan) => [.. source.Batches(plan).SelectMany(b => b.Ids.Zip(b.Seen).Where(t => t.Second == 1).Select(t => t.First).Concat(b.Hidden))];
            long Hidden(BatchPlan plan) => text.Sequences().Batches(plan).Sum(b => b.Hidden.Length);
            Assert.Equal(Hidden(new BatchPlan(3)), Hidden(new BatchPlan(16)));
            Assert.Equal(text.Sequences().Batches(new BatchPlan(1)).SelectMany(b => b.Hidden), text.Sequences().Batches(new BatchPlan(5)).SelectMany(b => b.Hidden));
            IBatchSource<MaskedBatch> dealt = text.Sequences(perEpoch: 40);
            var plan = new BatchPlan(8) { ShuffleSeed = 5 };
            long[] first = Flat(dealt, plan), again = Flat(text.Sequences(perEpoch: 40), plan);
            Assert.Equal(first, again);
            Assert.NotEqual(first, Flat(dealt, plan with { Epoch = 1 }));
            long[] rest = Flat(text.Sequences(perEpoch: 40), plan with { Skip = 3 });
            Assert.Equal(first[^rest.Length..], rest);
            Assert.Equal(pairs, text.Sequences().Batches(new BatchPlan(4)).First().Unrelated.Length > 0);
        }
    }

    [Theory, Trait("Kind", "gradient"), NoTensorLeaks]
    [InlineData(true)]
    [InlineData(false)]
    public void Loss_InDoublePrecision_HasTheGradientsOfCentralDifferences(bool pairs)
    {
        Tokenizer tokenizer = TokenizerTrainer.WordPiece(["the cat sees the red dog ."], new WordPieceTrainingOptions { VocabularySize = 40, MinFrequency = 1 });
        BertConfig config = Config(tokenizer) with { Head = pairs ? BertHead.PreTraining : BertHead.MaskedLanguage };
        using Bert bert = Bert.Create(config, 4, tokenizer);
        bert.Network.to(ScalarType.Float64);
        var frames = new MaskedFrames(tokenizer, config);
        MaskedExample Of(string a, string b, bool follows) => pairs ? frames.Of(new SentencePair(tokenizer.Encode(a, false), tokenizer.Encode(b, false), follows)) : frames.Of(tokenizer.Encode($"{a} {b}", false));
        MaskedBatch batch = frames.Batch([Of("the cat sees", "the dog", true), Of("red", "the", false)], [new Rng(1), new Rng(2)]);
        using var scope = TensorScope.Begin();
        CentralDifferences.Check(bert.Network, () => MaskedTrainable.LossOf(bert.Network, batch, CPU));
    }

    private static BertConfig Config(Tokenizer tokenizer) => new() { VocabularySize = tokenizer.VocabularySize, ContextLength = 24, Width = 8, HiddenWidth = 16, Layers = 1, Heads = 2, Dropout = 0, AttentionDropout = 0, InitializerRange = 0.2, Head = BertHead.PreTraining };

    private sealed class Listener(Action<TrainEvent> heard) : IProgress<TrainEvent>
    {
        public void Report(TrainEvent value) => heard(value);
    }
}
