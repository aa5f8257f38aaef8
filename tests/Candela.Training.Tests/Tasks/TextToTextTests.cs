using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Candela.Data;
using Candela.Experiments;
using Candela.Models;
using Candela.Runs;
using Candela.Training.Language;
using Candela.Training.Tasks;

namespace Candela.Training.Tests.Tasks;

public sealed class TextToTextTests : IDisposable
{
    private static readonly IReadOnlyList<ISequenceTask> Tasks = [new TranslationTask(), new SummarizationTask()];
    private readonly string _folder = Directory.CreateTempSubdirectory("candela-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("gru")]
    [InlineData("transformer")]
    [Trait("Kind", "analytic")]
    public void Train_OnSpelledNumbers_WritesThemBackwardsAndOpensAgain(string model)
    {
        string data = Numbers("numbers.tsv", 300);
        TrainRequest request = new()
        {
            Data = data,
            Task = SequenceTasks.Translation,
            Model = model,
            Sequence = new SequenceOptions { Width = 48, Layers = 1, Tokenizer = "char", Beams = 2 },
            Fit = new FitOptions { Seed = 1, Epochs = model == "transformer" ? 30 : 12, LearningRate = model == "transformer" ? 4e-3 : 1e-2, Dropout = 0, BatchSize = 512, Threads = 1 },
        };
        string run = Path.Combine(_folder, "run");
        RunRecord record = SequenceExperiment.Train(request, run, Tasks, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(TaskKind.Translation, record.Problem.Task);
        Assert.Equal(model, record.Model);
        Assert.True(record.Metrics["test"].Metrics["exactMatch"].Value > 0.9, $"exact match {record.Metrics["test"].Metrics["exactMatch"].Value}");
        Assert.Equal("copy", record.Baseline.Name);
        Assert.True(record.Baseline.Metrics["exactMatch"].Value < 0.1);
        Assert.Equal(["ibm1"], record.Candidates.Skip(1).Select(c => c.Model));
        Assert.Equal(5, record.Samples.Count);
        using ISequencePredictor predictor = SequenceExperiment.Open(run, Tasks)!;
        var events = new Progress<TrainEvent>();
        string bare = Path.Combine(_folder, "bare.txt");
        File.WriteAllText(bare, "one two three\n\nnine nine zero\n");
        SequencePrediction[] made = [.. predictor.Predict(bare, events, TestContext.Current.CancellationToken)];
        Assert.Equal(3, made.Length);
        Assert.Equal("", made[1].Text);
        Assert.Equal(made[0].Text, made[0].Values[1]!.GetValue<string>());
        Assert.Equal("one two three", made[0].Values[0]!.GetValue<string>());
        Assert.True(predictor.Evaluate(data, events, TestContext.Current.CancellationToken).Metrics["exactMatch"].Value > 0.9);
    }

    [Theory]
    [InlineData("gru")]
    [InlineData("transformer")]
    [Trait("Kind", "property")]
    public void Train_InterruptedAndResumed_GivesTheSameWeights(string model)
    {
        (string sources, string targets) = TwoFiles("train", 60, 3);
        TwoFiles("val", 12, 4);
        TrainRequest request = new()
        {
            Data = $"{sources},{targets}",
            ValidFile = Path.Combine(_folder, "val.en.txt"),
            Task = SequenceTasks.Translation,
            Model = model,
            Sequence = new SequenceOptions { Width = 16, Layers = 2 },
            Fit = new FitOptions { Seed = 1, Epochs = 3, BatchSize = 128, Ema = 0.9, Threads = 1 },
        };
        string whole = Path.Combine(_folder, "whole"), parts = Path.Combine(_folder, "parts");
        RunRecord record = SequenceExperiment.Train(request, whole, Tasks, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal((60, 12), (record.Rows["train"], record.Rows["valid"]));
        Assert.Equal("valid", record.JudgedSplit());
        using var cancel = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => SequenceExperiment.Train(request, parts, Tasks, new ExperimentOptions { CheckpointEvery = TimeSpan.Zero, Events = new CancelAfterEpoch(cancel, 0) }, cancel.Token));
        SequenceExperiment.Train(request, parts, Tasks, new ExperimentOptions { Resume = true }, TestContext.Current.CancellationToken);
        Assert.Equal(File.ReadAllBytes(Path.Combine(whole, "model.safetensors")), File.ReadAllBytes(Path.Combine(parts, "model.safetensors")));
        using ISequencePredictor predictor = SequenceExperiment.Open(parts, Tasks)!;
        Assert.Equal(12, predictor.Evaluate(request.ValidFile, new Progress<TrainEvent>(), TestContext.Current.CancellationToken).Rows); // the targets' file is found by its name
        Assert.Contains("val.de.txt", Assert.Throws<UsageException>(() => new TranslationTask().Complete(request with { ValidFile = Rename("val.de.txt", "elsewhere.txt") })).Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Train_OnSummariesInJsonLines_ReportsRougeBesideLeadAndTextRank()
    {
        string data = Path.Combine(_folder, "documents.jsonl");
        var rng = new Rng(2);
        string[] things = ["market", "river", "train", "garden", "winter", "festival", "bridge", "school"];
        File.WriteAllLines(data, Enumerable.Range(0, 60).Select(i =>
        {
            string a = things[rng.Next(8)], b = things[rng.Next(8)];
            return new JsonObject { ["document"] = $"Number {i} begins. The {a} was seen by the {b}. Nobody knew why the {a} came. The {b} stayed.", ["summary"] = $"The {a} and the {b}." }.ToJsonString();
        }));
        TrainRequest request = new() { Data = data, Task = SequenceTasks.Summarization, Sequence = new SequenceOptions { Width = 16, Layers = 1, Block = 48 }, Fit = new FitOptions { Seed = 1, Epochs = 2, Threads = 1 } };
        RunRecord record = SequenceExperiment.Train(request, Path.Combine(_folder, "run"), Tasks, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal("lead", record.Baseline.Name);
        Assert.Equal(["gru", "textrank"], record.Candidates.Select(c => c.Model));
        Assert.Equal(["rouge1", "rouge2", "rougeL", "exactMatch"], record.Metrics["test"].Metrics.Keys);
        Assert.All(record.Candidates, c => Assert.InRange(c.Test!["rougeL"].Value, 0, 1));
        Assert.Contains("recurrent net", record.ModelReason, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Train_WithRepeatedSources_NeverJudgesByASourceTrainedOn()
    {
        string data = Path.Combine(_folder, "repeated.tsv");
        File.WriteAllLines(data, Enumerable.Range(0, 90).Select(i => string.Create(CultureInfo.InvariantCulture, $"source {i % 30}\ttarget {i}")).Prepend("source\ttarget"));
        TrainRequest request = new TranslationTask().Complete(new TrainRequest { Data = data, Task = SequenceTasks.Translation, ValidFraction = 0.2, TestFraction = 0.2 });
        using ISequenceJob job = new TranslationTask().Prepare(request, new Progress<TrainEvent>(), TestContext.Current.CancellationToken);
        Assert.Equal((54, 18, 18), (job.Rows["train"], job.Rows["valid"], job.Rows["test"]));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Complete_OfOptionsThatCannotBe_NamesThem()
    {
        TrainRequest request = new() { Data = Numbers("a.tsv", 3), Task = SequenceTasks.Translation };
        (string sources, string targets) = TwoFiles("train", 3, 1);
        Assert.Contains("Did you mean 'transformer'", Refused(request with { Model = "transformers" }), StringComparison.Ordinal);
        Assert.Contains("--width 30", Refused(request with { Model = "transformer", Sequence = new SequenceOptions { Width = 30 } }), StringComparison.Ordinal);
        Assert.Contains("--heads", Refused(request with { Model = "gru", Sequence = new SequenceOptions { Heads = 2 } }), StringComparison.Ordinal);
        Assert.Contains("count tokens", Refused(request with { Fit = new FitOptions { BatchSize = 2 } }), StringComparison.Ordinal);
        Assert.Contains("have no columns", Refused(request with { Data = sources, Target = "x", Sequence = new SequenceOptions { TargetFile = targets } }), StringComparison.Ordinal);
        Assert.Contains("leave nothing to train on", Refused(request with { ValidFraction = 0.5, TestFraction = 0.5 }), StringComparison.Ordinal);
        Assert.Contains("nothing to judge", Refused(request with { ValidFraction = 0, TestFraction = 0 }), StringComparison.Ordinal);
        Assert.Contains("nothing.txt", Refused(request with { ValidFile = "nothing.txt" }), StringComparison.Ordinal);

        static string Refused(TrainRequest request) => Assert.Throws<UsageException>(() => new TranslationTask().Complete(request)).Message;
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Open_FilesDamaged_NamesTheFault()
    {
        string run = Path.Combine(_folder, "run");
        SequenceExperiment.Train(new() { Data = Numbers("a.tsv", 20), Task = SequenceTasks.Translation, Sequence = new SequenceOptions { Width = 8 }, Fit = new FitOptions { Epochs = 1, Threads = 1 } }, run, Tasks, cancellation: TestContext.Current.CancellationToken);
        foreach ((string file, string from, string to) in new[] { ("config.json", "\"width\": 8", "\"width\": -8"), ("config.json", "\"eos_token_id\": 2", "\"eos_token_id\": 1"), ("config.json", "\"layers\"", "\"leyers\""), ("preprocessing.json", "\"beams\": 5", "\"beams\": 0") })
        {
            string path = Path.Combine(run, file), text = File.ReadAllText(path);
            Assert.Contains(from, text, StringComparison.Ordinal);
            File.WriteAllText(path, text.Replace(from, to, StringComparison.Ordinal));
            Assert.Equal(Fault.Corrupt, Assert.Throws<FileFormatException>(() => new TranslationTask().Open(run, new Problem(TaskKind.Translation, "target", []))).Fault);
            File.WriteAllText(path, text);
        }

        File.Delete(Path.Combine(run, "tokenizer.json"));
        Assert.Throws<FileFormatException>(() => Seq2SeqModel.Open(run));
    }

    [Theory]
    [InlineData("data/train.de.gz", "data/train.en.gz", "other/val.de.gz", "other/val.en.gz")]
    [InlineData("zh_train.txt", "en_train.txt", "zh_de_zh_test.txt", "zh_de_en_test.txt")]
    [InlineData("a.src", "a.tgt", "b.src", "b.tgt")]
    [InlineData("a.src", "b.tgt", "c.src", null)]
    [InlineData("train.de", "train.en", "val.fr", null)]
    [Trait("Kind", "analytic")]
    public void Counterpart_OfFilesNamedAlike_IsFound(string source, string target, string other, string? expected) =>
        Assert.Equal(expected, PairFiles.Of(new TrainRequest { Data = source, Sequence = new SequenceOptions { TargetFile = target } }).Counterpart(other)?.Replace('\\', '/'));

    private string Numbers(string name, int count)
    {
        string[] words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
        var rng = new Rng(6);
        var text = new StringBuilder("source\ttarget\n");
        for (int i = 0; i < count; i++)
        {
            int[] digits = [.. Enumerable.Range(0, 3).Select(_ => rng.Next(10))];
            text.Append(string.Join(' ', digits.Select(d => words[d]))).Append('\t').Append(string.Concat(digits.Reverse())).Append('\n');
        }

        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text.ToString());
        return path;
    }

    private (string Sources, string Targets) TwoFiles(string name, int count, long seed)
    {
        var rng = new Rng(seed);
        string[] words = ["haus", "baum", "fluss", "berg"], others = ["house", "tree", "river", "hill"];
        int[][] lines = [.. Enumerable.Range(0, count).Select(_ => (int[])[.. Enumerable.Range(0, 1 + rng.Next(5)).Select(_ => rng.Next(4))])];
        string sources = Path.Combine(_folder, $"{name}.en.txt"), targets = Path.Combine(_folder, $"{name}.de.txt");
        File.WriteAllLines(sources, lines.Select(l => string.Join(' ', l.Select(i => others[i]))));
        File.WriteAllLines(targets, lines.Select(l => string.Join(' ', l.Select(i => words[i]))));
        return (sources, targets);
    }

    private string Rename(string name, string to)
    {
        File.Move(Path.Combine(_folder, name), Path.Combine(_folder, to));
        return Path.Combine(_folder, "val.en.txt");
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
