using System.Text;
using Candela.Data;
using Candela.Decoding;
using Candela.Experiments;
using Candela.Models;
using Candela.Runs;
using Candela.Training.Language;
using Candela.Training.Tasks;

namespace Candela.Training.Tests.Tasks;

/// <summary>A language model from a text to its run folder.</summary>
public sealed class LanguageModelRunTests : IDisposable
{
    private static readonly IReadOnlyList<ISequenceTask> Tasks = [new LanguageModelTask()];
    private readonly string _folder = Directory.CreateTempSubdirectory("candela-lm-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string At(string name) => Path.Combine(_folder, name);

    // Sentences of a small grammar: a net learns the words within a hundred steps.
    private string Text(string name = "text.txt", int sentences = 300)
    {
        string[] who = ["the cat", "the dog", "a bird"], does = ["sees", "likes", "hears"];
        var rng = new Rng(8);
        var text = new StringBuilder();
        for (int i = 0; i < sentences; i++)
            text.Append(who[rng.Next(3)]).Append(' ').Append(does[rng.Next(3)]).Append(' ').Append(who[rng.Next(3)]).Append(".\n");
        File.WriteAllText(At(name), text.ToString());
        return At(name);
    }

    private TrainRequest Request(string? data = null) => new()
    {
        Data = data ?? Text(),
        Task = SequenceTasks.LanguageModel,
        Fit = new FitOptions { MaxSteps = 60, BatchSize = 8, Seed = 2, Threads = 1, LearningRate = 5e-3 },
        Sequence = new SequenceOptions { Width = 32, Heads = 2, Layers = 1, Block = 32, EvaluateEvery = 20 },
    };

    private RunRecord Train(TrainRequest request, string run, ExperimentOptions? options = null, CancellationToken? cancellation = null) =>
        SequenceExperiment.Train(request, At(run), Tasks, options, cancellation ?? TestContext.Current.CancellationToken);

    [Fact, Trait("Kind", "conformance")]
    public void Train_SmallText_LearnsItAndLeavesAModelFolder()
    {
        var events = new List<TrainEvent>();
        RunRecord record = Train(Request() with { TestFraction = 0.1 }, "run", new ExperimentOptions { Events = new Listener(events.Add) });

        Assert.Equal(TaskKind.LanguageModel, record.Problem.Task);
        Assert.Equal("test", record.JudgedSplit());
        Assert.Equal(new FileInfo(At("text.txt")).Length, record.Rows.Values.Sum()); // a letter a token
        Assert.Equal(["loss", "perplexity", "bitsPerByte"], record.Metrics["test"].Metrics.Keys);
        double loss = record.Metrics["test"].Metrics["loss"].Value;
        Assert.Equal(Math.Exp(loss), record.Metrics["test"].Metrics["perplexity"].Value, 1e-9);
        Assert.Equal(loss / Math.Log(2), record.Metrics["test"].Metrics["bitsPerByte"].Value, 0.01 * loss); // a byte a letter, but for the first
        Assert.True(loss < 0.7 * record.Baseline.Metrics["loss"].Value, $"loss {loss}, unigrams {record.Baseline.Metrics["loss"].Value}");
        Assert.Equal(["llama", "6-gram"], record.Candidates.Select(c => c.Model));
        Assert.Equal([20L, 40, 60], record.History.Select(h => h.Steps));
        Assert.All(record.History, h => Assert.True(h.ValidLoss > 0));
        Assert.Equal(record.History.Count, events.OfType<Sampled>().Count());
        Assert.NotEmpty(record.Samples.Single().Output);
        Assert.False(Directory.Exists(new RunFolder(At("run")).Checkpoints));

        using CausalLm model = CausalLm.Load(At("run"));
        Assert.Equal(record.Parameters, model.Config.ParameterCount);
        string written = new TextGenerator(model, model.Tokenizer!).Generate("the cat ", new GenerationOptions { MaxTokens = 20, Temperature = 0 }, TestContext.Current.CancellationToken).Text;
        Assert.Equal(20, written.Length);
        // What the folder's model makes of the test text as a file of its own is the recorded figure; the first letter of the file is not predicted in either.
        string text = File.ReadAllText(At("text.txt"));
        int trainEnd = (int)record.Rows["train"], testEnd = trainEnd + (int)record.Rows["test"];
        File.WriteAllText(At("held.txt"), text[trainEnd..testEnd]);
        Assert.Equal(loss, LanguageModelTask.Open(At("run")).Evaluate(At("held.txt"), new Progress<TrainEvent>(), TestContext.Current.CancellationToken).Metrics["loss"].Value, 1e-4);
    }

    [Fact, Trait("Kind", "conformance")]
    public void Train_CancelledAndResumed_GivesTheSameWeights()
    {
        TrainRequest request = Request();
        RunRecord whole = Train(request, "whole");

        using var source = new CancellationTokenSource(); // in the middle of an interval, and of a pass over the text
        var options = new ExperimentOptions { CheckpointEvery = TimeSpan.Zero, Events = new Listener(e => { if (e is StepEnded { Step: 13 }) source.Cancel(); }) };
        Assert.Throws<OperationCanceledException>(() => Train(request, "cut", options, source.Token));
        Assert.True(new RunFolder(At("cut")).IsInterrupted);
        RunRecord resumed = Train(request, "cut", new ExperimentOptions { Resume = true });

        Assert.Equal(File.ReadAllBytes(new RunFolder(At("whole")).Model), File.ReadAllBytes(new RunFolder(At("cut")).Model));
        Assert.Equal(whole.Metrics["valid"].Metrics, resumed.Metrics["valid"].Metrics);
        Assert.Equal(whole.History.Select(h => (h.Steps, h.TrainLoss, h.ValidLoss)), resumed.History.Select(h => (h.Steps, h.TrainLoss, h.ValidLoss)));
        Assert.Equal(whole.Samples, resumed.Samples);
    }

    [Fact, Trait("Kind", "conformance")]
    public void Train_BlocksRunAgain_GivesTheSameModel()
    {
        TrainRequest request = Request() with { Model = "gpt2" }; // with dropout
        request = request with { Fit = request.Fit with { MaxSteps = 20 }, Sequence = request.Sequence with { FeedForward = 48 } };
        Train(request, "kept");
        RunRecord record = Train(request with { Sequence = request.Sequence with { CheckpointActivations = true } }, "again");
        Assert.Equal(File.ReadAllBytes(new RunFolder(At("kept")).Model), File.ReadAllBytes(new RunFolder(At("again")).Model));
        Assert.Equal(48, ((Gpt2Config)CausalLmConfig.Load(At("again"))).HiddenWidth);
        Assert.DoesNotContain(record.Warnings, w => w.Code == "option-ignored");
    }

    [Fact, Trait("Kind", "conformance")]
    public void Train_Bfloat16_LearnsAsFloat32Does()
    {
        TrainRequest request = Request();
        double full = Train(request, "full").Metrics["valid"].Metrics["loss"].Value;
        RunRecord record = Train(request with { Sequence = request.Sequence with { Precision = "bf16" } }, "half");
        double half = record.Metrics["valid"].Metrics["loss"].Value;
        Assert.NotEqual(full, half);
        Assert.Equal(full, half, 0.03 * full);
        Assert.Equal(Bfloat16Products.Native ? 0 : 1, record.Warnings.Count(w => w.Code == "precision-imitated"));
        Assert.Contains("--precision bf16", Assert.Throws<UsageException>(() => Train(request with { Sequence = request.Sequence with { Precision = "bf16", CheckpointActivations = true } }, "both")).Message);
    }

    [Fact, Trait("Kind", "conformance")]
    public void Train_Base_GoesOnFromItsWeights()
    {
        RunRecord first = Train(Request(), "first");
        TrainRequest more = Request() with { Sequence = new SequenceOptions { Base = At("first"), Block = 32, EvaluateEvery = 10 } };
        RunRecord second = Train(more with { Fit = more.Fit with { MaxSteps = 10, LearningRate = 1e-4 } }, "second");
        Assert.Equal(first.Parameters, second.Parameters);
        Assert.InRange(second.Metrics["valid"].Metrics["loss"].Value, 0, first.Metrics["valid"].Metrics["loss"].Value + 0.01);
        Assert.Contains("first", second.ModelReason);
    }

    [Fact, Trait("Kind", "conformance")]
    public void Train_PromptsAndCompletions_LearnsTheAnswersOnly()
    {
        // The answer repeats the letter of the question; the questions are random, so a loss that counted them could not fall below log 8 / 3 = 0.69.
        var rng = new Rng(4);
        File.WriteAllLines(At("qa.jsonl"), Enumerable.Range(0, 400).Select(_ => (char)('a' + rng.Next(8))).Select(c => $"{{\"prompt\":\"{c}\",\"completion\":\"{c}\"}}"));
        TrainRequest request = Request(At("qa.jsonl"));
        RunRecord record = Train(request with { Fit = request.Fit with { MaxSteps = 80 }, Sequence = request.Sequence with { Tokenizer = "char", Block = 24 } }, "run");
        Assert.InRange(record.Metrics["valid"].Metrics["loss"].Value, 0, 0.5);
        Assert.InRange(record.Metrics["valid"].Rows, record.Rows["valid"] * 2 / 3 - 1, record.Rows["valid"] * 2 / 3); // answer and end of each three tokens
    }

    [Theory, Trait("Kind", "fault")]
    [InlineData("model", "gpt3", "no language model 'gpt3'")]
    [InlineData("width", "30", "--width 30")]
    [InlineData("heads", "7", "--heads 7")]
    [InlineData("hidden", "64", "--hidden is not used")]
    [InlineData("target", "y", "--target is not used")]
    [InlineData("tokenizer", "words", "--tokenizer words")]
    [InlineData("valid", "0.7", "leave nothing to train on")]
    [InlineData("folds", "5", "--folds")]
    public void Train_OptionsThatCannotBe_AreRefusedByName(string key, string value, string expected)
    {
        TrainRequest request = Recipe.Set(Request() with { TestFraction = 0.3, Sequence = new SequenceOptions { Heads = 4, Width = 32, Layers = 1, Block = 32 } }, key, [value]);
        Assert.Contains(expected, Assert.Throws<UsageException>(() => Train(request, "run")).Message);
        Assert.False(File.Exists(new RunFolder(At("run")).Record));
    }

    [Fact, Trait("Kind", "fault")]
    public void Train_BaseWithASizeOrThatIsNone_IsRefused()
    {
        _ = Train(Request() with { Fit = Request().Fit with { MaxSteps = 1 } }, "first");
        Assert.Contains("--layers", Assert.Throws<UsageException>(() => Train(Request() with { Sequence = new SequenceOptions { Base = At("first"), Layers = 2 } }, "run")).Message);
        Assert.Contains("--block 64", Assert.Throws<UsageException>(() => Train(Request() with { Sequence = new SequenceOptions { Base = At("first"), Block = 64 } }, "run")).Message);
        Assert.ThrowsAny<CandelaException>(() => Train(Request() with { Sequence = new SequenceOptions { Base = At("nowhere") } }, "run"));
    }

    [Theory, Trait("Kind", "fault")]
    [InlineData("", "no text")]
    [InlineData("short", "leaves nothing for the validation part")]
    [InlineData("a short text of some sixty characters, too few for a block", "tokens; one block of 32")]
    public void Train_TextThatCannotBe_IsRefused(string text, string expected)
    {
        File.WriteAllText(At("bad.txt"), text);
        Assert.Contains(expected, Assert.Throws<DataException>(() => Train(Request(At("bad.txt")), "run")).Message);
        Assert.False(File.Exists(new RunFolder(At("run")).Record));
    }

    private sealed class Listener(Action<TrainEvent> heard) : IProgress<TrainEvent>
    {
        public void Report(TrainEvent value) => heard(value);
    }
}
