using System.Text;
using Candela.Data;
using Candela.Experiments;
using Candela.Language;
using Candela.Metrics;
using Candela.Models;
using Candela.Runs;
using Candela.Training.Tasks;

namespace Candela.Training.Tests.Tasks;

public sealed class TokenClassificationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("candela-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    [Trait("Kind", "analytic")]
    public void Train_OnTagsOfTheWordBefore_LearnsThemAndOpensAgain()
    {
        // A number is B-UP behind "up" and B-DOWN behind "down", so the most frequent tag of a word cannot know.
        string data = Write("data.conll", 240);
        string run = Path.Combine(_folder, "run");
        RunRecord record = Train(data, run, 12);
        Assert.Equal(TaskKind.TokenClassification, record.Problem.Task);
        Assert.Equal(24, record.Rows["test"]);
        Assert.True(record.Metrics["test"].Metrics["f1Micro"].Value > 0.97, $"F1 {record.Metrics["test"].Metrics["f1Micro"].Value}");
        Assert.True(record.Baseline.Metrics["f1Micro"].Value < 0.8, "a baseline that solves it shows nothing");
        using SentenceTagger tagger = SentenceTagger.Open(run);
        Assert.Equal([["O", "B-UP", "O", "B-DOWN"]], tagger.Tag([["up", "7", "down", "3"]]));
        Assert.Equal([[]], tagger.Tag([[]]));
        string bare = Path.Combine(_folder, "bare.txt");
        File.WriteAllText(bare, "up\n7\n\ndown\n3\n");
        using ISequencePredictor predictor = SequenceExperiment.Open(run, [new TokenClassificationTask()])!;
        var events = new Progress<TrainEvent>();
        Assert.Equal(["up\tO\n7\tB-UP\n", "down\tO\n3\tB-DOWN\n"], predictor.Predict(bare, events, TestContext.Current.CancellationToken).Select(p => p.Text));
        Assert.Equal(240, predictor.Predict(data, events, TestContext.Current.CancellationToken).Count());
        Assert.True(predictor.Evaluate(data, events, TestContext.Current.CancellationToken).Metrics["accuracy"].Value > 0.97);
    }

    [Theory]
    [Trait("Kind", "analytic")]
    [InlineData("B-UP", "f1MicroOverNet", "f1Micro")]
    [InlineData("UP", "accuracyOverNet", "accuracy")]
    public void Train_BesideAReference_SaysHowFarItIsFromTheNet(string up, string difference, string metric)
    {
        string data = Write("data.conll", 120), run = Path.Combine(_folder, "run");
        File.WriteAllText(data, File.ReadAllText(data).Replace("B-UP", up, StringComparison.Ordinal));
        RunRecord record = SequenceExperiment.Train(Request(data, 12), run, [new TokenClassificationTask(() => new AlwaysUp(up))], null, TestContext.Current.CancellationToken);
        CandidateRecord reference = record.Candidates.Single(c => c.Model == "always-up");
        MetricValue over = reference.Test![difference];
        Assert.Equal(reference.Test[metric].Value - record.Metrics["test"].Metrics[metric].Value, over.Value, 1e-12);
        Assert.True(over.High < -0.05 && over.Low < over.Value, $"{over}"); // half of the numbers are wrong
        Assert.Equal(metric == "accuracy" ? ["accuracy", "f1Macro"] : ["accuracy", "f1Macro", "f1Micro"], record.Metrics["test"].Metrics.Keys.Where(k => k is "accuracy" || k.StartsWith("f1M", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    private sealed class AlwaysUp(string up) : IReferenceTagger
    {
        public string Name => "always-up";

        public long Train(IReadOnlyList<TaggedSentence> sentences, CancellationToken cancellation) => 0;

        public IReadOnlyList<string> Tag(IReadOnlyList<string> tokens) => [.. tokens.Select(t => char.IsDigit(t[0]) ? up : "O")];
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Train_WordsThatEndInPairsOfSurrogates_OpensAgain()
    {
        string data = Path.Combine(_folder, "emoji.conll"), run = Path.Combine(_folder, "emoji");
        File.WriteAllText(data, string.Concat(Enumerable.Range(0, 60).Select(i => $"yes\U0001F600\tA\nno{char.ConvertFromUtf32(0x1F610 + (i % 30))}\tB\n\U0001F680\U0001F681\tA\n\n")));
        SequenceExperiment.Train(new TrainRequest { Data = data, Task = SequenceTasks.TokenClassification, Sequence = new SequenceOptions { Width = 8 }, Fit = new FitOptions { Seed = 1, Epochs = 1, Threads = 1 } }, run, [new TokenClassificationTask()], cancellation: TestContext.Current.CancellationToken);
        using SentenceTagger tagger = SentenceTagger.Open(run);
        Assert.Equal(2, tagger.Tag([["yes\U0001F600", "no"]])[0].Count);
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Train_InterruptedAndResumed_GivesTheSameWeights()
    {
        string data = Write("data.conll", 60);
        TrainRequest request = new() { Data = data, Task = SequenceTasks.TokenClassification, Sequence = new SequenceOptions { Width = 8 }, Fit = new FitOptions { Seed = 1, Epochs = 4, Threads = 1 } };
        string whole = Path.Combine(_folder, "whole"), parts = Path.Combine(_folder, "parts");
        Train(request, whole);
        using var cancel = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => SequenceExperiment.Train(request, parts, [new TokenClassificationTask()],
            new ExperimentOptions { CheckpointEvery = TimeSpan.Zero, Events = new CancelAfterEpoch(cancel, 1) }, cancel.Token));
        Train(request, parts, new ExperimentOptions { Resume = true });
        Assert.Equal(File.ReadAllBytes(Path.Combine(whole, "model.safetensors")), File.ReadAllBytes(Path.Combine(parts, "model.safetensors")));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Complete_OptionOfAnotherTask_IsRefused()
    {
        TrainRequest request = new() { Data = "x", Task = SequenceTasks.TokenClassification, Sequence = new SequenceOptions { Heads = 2 } };
        Assert.Contains("--heads", Assert.Throws<UsageException>(() => new TokenClassificationTask().Complete(request)).Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Open_VocabularyDamaged_NamesTheFault()
    {
        string data = Write("data.conll", 30), run = Path.Combine(_folder, "run");
        Train(data, run, 1);
        string config = Path.Combine(run, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"tags\"", "\"togs\"", StringComparison.Ordinal));
        Assert.Equal(Fault.Corrupt, Assert.Throws<FileFormatException>(() => SentenceTagger.Open(run)).Fault);
    }

    [Theory]
    [Trait("Kind", "analytic")]
    [InlineData("B-", "I-", "I-")] // IOB2
    [InlineData("I-", "I-", "I-")] // IOB1
    [InlineData("B-", "I-", "E-")] // IOBES
    public void Train_ChineseSpansInEveryScheme_ReadsCharactersAndCountsSpans(string first, string inner, string last)
    {
        // A place is the two to four characters between 在 and 吃.
        var rng = new Rng(7);
        var text = new StringBuilder();
        for (int i = 0; i < 150; i++)
        {
            text.Append("我 O\n在 O\n");
            int length = 2 + rng.Next(3);
            for (int c = 0; c < length; c++)
                text.Append("山水花木"[rng.Next(4)]).Append(' ').Append(c == 0 ? first : c == length - 1 ? last : inner).Append("LOC\n");
            text.Append("吃 O\n山 O\n\n");
        }

        string data = Path.Combine(_folder, "places.txt"), run = Path.Combine(_folder, "run");
        File.WriteAllText(data, text.ToString());
        RunRecord record = Train(data, run, 8);
        Assert.True(record.Metrics["test"].Metrics["f1Micro"].Value > 0.97, $"F1 {record.Metrics["test"].Metrics["f1Micro"].Value}");
        Assert.True(record.Baseline.Metrics["f1Micro"].Value < 0.5, "a baseline that solves it shows nothing");
        using SentenceTagger tagger = SentenceTagger.Open(run);
        Assert.True(tagger.Features.ByCharacter);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Train_TagsThatTrainingHasNot_CountAsWrong()
    {
        string data = Write("data.conll", 200), valid = Path.Combine(_folder, "valid.conll"), run = Path.Combine(_folder, "run");
        File.WriteAllText(valid, string.Concat(Enumerable.Repeat("up\tO\n7\tB-UP\n\nup\tO\n7\tB-NEW\n\n", 10)));
        RunRecord record = Train(Request(data, 8) with { ValidFile = valid, TestFraction = 0 }, run);
        Assert.Equal(0.75, record.Metrics["valid"].Metrics["accuracy"].Value, 1e-9);
        Assert.Equal(0.5, record.Metrics["valid"].Metrics["recallMicro"].Value, 1e-9);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Train_OneTagOnly_SaysSo()
    {
        string data = Path.Combine(_folder, "one.conll");
        File.WriteAllText(data, string.Concat(Enumerable.Repeat("a\tO\nb\tO\n\n", 20)));
        Assert.Contains("the one tag 'O'", Assert.Throws<DataException>(() => Train(data, Path.Combine(_folder, "run"), 1)).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder, "run")));
    }

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("\"hashes\": \"", "\"hashes\": \"AA")] // not base64 any more
    [InlineData("\"starts\": \"AAAA", "\"starts\": \"BAAA")] // the first pair is not pair 0
    [InlineData("\"counts\": [", "\"counts\": [7,")]
    public void Open_FeaturesDamaged_NamesTheFault(string from, string to)
    {
        string data = Write("data.conll", 30), run = Path.Combine(_folder, "run"), config = Path.Combine(run, "config.json");
        Train(data, run, 1);
        string text = File.ReadAllText(config);
        Assert.Contains(from, text, StringComparison.Ordinal);
        File.WriteAllText(config, text.Replace(from, to, StringComparison.Ordinal));
        Assert.Equal(Fault.Corrupt, Assert.Throws<FileFormatException>(() => SentenceTagger.Open(run)).Fault);
    }

    private static TrainRequest Request(string data, int epochs) => new()
    {
        Data = data,
        Task = SequenceTasks.TokenClassification,
        Sequence = new SequenceOptions { Width = 16 },
        Fit = new FitOptions { Seed = 1, Epochs = epochs, LearningRate = 0.02, Dropout = 0.1, Threads = 1 },
    };

    private static RunRecord Train(string data, string run, int epochs) => Train(Request(data, epochs), run);

    private static RunRecord Train(TrainRequest request, string run, ExperimentOptions? options = null) =>
        SequenceExperiment.Train(request, run, [new TokenClassificationTask()], options, TestContext.Current.CancellationToken);

    private string Write(string name, int sentences)
    {
        var rng = new Rng(5);
        var text = new StringBuilder();
        for (int i = 0; i < sentences; i++)
        {
            for (int pairs = 1 + rng.Next(4); pairs > 0; pairs--)
            {
                bool up = rng.Next(2) == 0;
                text.Append(up ? "up\tO\n" : "down\tO\n").Append(rng.Next(10)).Append(up ? "\tB-UP\n" : "\tB-DOWN\n");
            }

            text.Append('\n');
        }

        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text.ToString());
        return path;
    }

    private sealed class CancelAfterEpoch(CancellationTokenSource source, int epoch) : IProgress<TrainEvent>
    {
        public void Report(TrainEvent value)
        {
            if (value is EpochEnded ended && ended.Epoch == epoch)
                source.Cancel();
        }
    }
}
