using System.Text;
using Candela.Data;
using Candela.Experiments;
using Candela.Models;
using Candela.Runs;
using static TorchSharp.torch;

namespace Candela.Training.Tests;

/// <summary>Text classifiers that read tokens in order.</summary>
public sealed class RecurrentTextTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("candela-recurrent-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<string> Cells() => [.. RecurrentText.Cells];

    private string At(string name) => Path.Combine(_folder, name);

    // Which of two words comes first decides: a bag of words knows nothing of it.
    private string Reviews(int rows = 400)
    {
        string[] filler = ["the", "film", "plot", "actor", "scene", "music", "一部", "电影"];
        var rng = new Rng(3);
        var text = new StringBuilder("review,label\n");
        for (int i = 0; i < rows; i++)
        {
            bool good = rng.Next(2) == 1;
            IEnumerable<string> Words(int most) => Enumerable.Range(0, 1 + rng.Next(most)).Select(_ => filler[rng.Next(filler.Length)]);
            string[] words = [.. Words(3), good ? "sweet" : "sour", .. Words(3), good ? "sour" : "sweet", .. Words(3)];
            text.Append(string.Join(' ', words)).Append(',').Append(good ? "good" : "bad").Append('\n');
        }

        File.WriteAllText(At("reviews.csv"), text.ToString());
        return At("reviews.csv");
    }

    private TrainRequest Request(string model) => new()
    {
        Data = Reviews(),
        Target = "label",
        Task = ProblemInference.TextClassification,
        Model = model,
        Fit = new FitOptions { Epochs = 12, BatchSize = 32, Seed = 1, Threads = 1, LearningRate = 1e-2, Dropout = 0.1, Hidden = [16], Patience = 12 },
        Sequence = new SequenceOptions { Width = 16 },
    };

    private Run Train(TrainRequest request, string run, ExperimentOptions? options = null, CancellationToken? cancellation = null) =>
        Experiment.Train(request, At(run), NeuralFamilies.All, options, cancellation ?? TestContext.Current.CancellationToken);

    [Theory, MemberData(nameof(Cells)), Trait("Kind", "property")]
    public void Train_OrderOfWordsDecides_LearnsItAndPredictsFromTheFolder(string cell)
    {
        using Run run = Train(Request(cell), "run");
        Assert.Equal(cell, run.Record.Model);
        Assert.InRange(run.Record.Metrics["test"].Metrics["accuracy"].Value, 0.9, 1);
        using Run opened = Run.Open(At("run"), NeuralFamilies.All);
        Assert.Equal(run.Record.Metrics["test"].Metrics["accuracy"].Value, opened.Record.Metrics["test"].Metrics["accuracy"].Value);
        Assert.Contains("recurrent-text", run.Record.Summary, StringComparison.Ordinal);
        Assert.DoesNotContain(run.Record.Warnings, w => w.Code == "option-ignored");
    }

    [Fact, Trait("Kind", "conformance")]
    public void Train_CancelledAndResumed_GivesTheSameWeights()
    {
        TrainRequest request = Request("gru") with { Fit = Request("gru").Fit with { Epochs = 3, Dropout = 0.5 }, Sequence = new SequenceOptions { Width = 8, Layers = 2 } };
        using Run whole = Train(request, "whole");
        using var source = new CancellationTokenSource();
        var options = new ExperimentOptions { CheckpointEvery = TimeSpan.FromTicks(1), Events = new Listener(e => { if (e is EpochEnded { Epoch: 1 }) source.Cancel(); }) };
        Assert.Throws<OperationCanceledException>(() => Train(request, "cut", options, source.Token));
        using Run resumed = Train(request, "cut", new ExperimentOptions { Resume = true });
        Assert.Equal(File.ReadAllBytes(new RunFolder(At("whole")).Model), File.ReadAllBytes(new RunFolder(At("cut")).Model));
        Assert.Equal(whole.Record.Metrics["test"].Metrics, resumed.Record.Metrics["test"].Metrics);
    }

    [Theory, MemberData(nameof(Cells)), Trait("Kind", "property"), NoTensorLeaks]
    public void Compute_PaddedBatch_GivesEachTextWhatItGivesAlone(string cell)
    {
        using var net = new RecurrentText(cell, 20, 4, 3, layers: 2);
        net.Build([6], seed: 1);
        net.eval();
        using var scope = TensorScope.Begin();
        using IDisposable quiet = no_grad();
        long[][] texts = [[3, 4, 5, 6, 7], [8], [], [9, 1, 3]];
        Tensor together = net.call(tensor([.. texts.SelectMany(t => t.Concat(Enumerable.Repeat(0L, 6 - t.Length)))], [4, 6]));
        for (int n = 0; n < texts.Length; n++)
        {
            long[] alone = texts[n].Length == 0 ? [0] : texts[n];
            float[] expected = TensorMemory.Read(net.call(tensor(alone, [1, alone.Length]))), actual = TensorMemory.Read(together[n]);
            Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
        }
    }

    [Fact, Trait("Kind", "fault")]
    public void Train_TextClassificationWithoutAText_SaysHowToNameOne()
    {
        File.WriteAllLines(At("numbers.csv"), ["a,label", .. Enumerable.Range(0, 60).Select(i => $"{i * 7 % 31},{(i % 2 == 0 ? "x" : "y")}")]);
        var error = Assert.Throws<DataException>(() => Train(Request("lstm") with { Data = At("numbers.csv") }, "run"));
        Assert.Contains("--type COLUMN=text", error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(At("run")));
    }

    [Fact, Trait("Kind", "fault")]
    public void Construct_UnknownCell_NamesTheNearest() =>
        Assert.Contains("lstm", Assert.Throws<UsageException>(() => new RecurrentText("lstmm", 5, 2, 2)).Message, StringComparison.Ordinal);

    private sealed class Listener(Action<TrainEvent> heard) : IProgress<TrainEvent>
    {
        public void Report(TrainEvent value) => heard(value);
    }
}
