using Candela.Data;
using Candela.Experiments;
using Candela.Language;
using Candela.Models;
using Candela.Runs;
using Candela.Training.Language;
using Candela.Training.Tasks;

namespace Candela.Training.Tests;

public sealed class LanguageModelTaskTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("candela-lm-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    [Trait("Kind", "fault")]
    public void Train_WhatCannotBeUsed_IsRefusedAndLeavesNothing()
    {
        Refused<UsageException>(Request(2000) with { ValidFraction = 0 }, "--valid 0");
        Refused<UsageException>(Asked(Request(2000), fit => fit with { Optimizer = "lbfgs" }), "--optimizer lbfgs");
        Refused<UsageException>(Asked(Request(2000), fit => fit with { Optimizer = "gd" }), "--optimizer gd");
        // Only known once the text is tokens, when the folder is there already.
        Refused<DataException>(Request(2000) with { Sequence = Small with { Block = 1500 } }, "--block");
        Refused<DataException>(Request(2000) with { ValidFraction = 1e-9 }, "--valid");

        void Refused<T>(TrainRequest request, string says)
            where T : CandelaException
        {
            Assert.Contains(says, Assert.Throws<T>(() => Train(request, "run")).Message, StringComparison.Ordinal);
            Assert.False(Directory.Exists(File("run")));
        }
    }

    [Fact]
    public void Train_InterruptedAndResumed_EndsInTheSameBytes()
    {
        TrainRequest request = Request(4000);
        Train(request, "whole");
        using var cancellation = new CancellationTokenSource();
        var atFirstEpoch = new Listener(value =>
        {
            if (value is EpochEnded)
                cancellation.Cancel();
        });
        Assert.ThrowsAny<OperationCanceledException>(() => SequenceExperiment.Train(request, File("cut"), [new LanguageModelTask()], new ExperimentOptions { Events = atFirstEpoch }, cancellation.Token));
        Assert.True(new RunFolder(File("cut")).IsInterrupted);
        Train(request, "cut", new ExperimentOptions { Resume = true });

        Assert.Equal(System.IO.File.ReadAllBytes(File("whole/model.safetensors")), System.IO.File.ReadAllBytes(File("cut/model.safetensors")));
        Assert.False(Directory.Exists(new RunFolder(File("cut")).Checkpoints));
        Assert.Contains("candela generate", Assert.Throws<FileFormatException>(() => Run.Open(File("cut"), [])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_OptionsOfTables_AreWarnedOf()
    {
        RunRecord record = Train(Request(2000) with { Exclude = ["id"], Table = new TableOptions { SkipLines = 1 } }, "run");
        Assert.Equal(["--skip-lines", "--exclude"], record.Warnings.Where(w => w.Code == "option-ignored").Select(w => w.Message.Split(' ')[0]));
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Train_OptionsThatChangeNothing_AreWarnedOf()
    {
        TrainRequest request = Asked(Request(2000), fit => fit with { Schedule = "constant", EndLearningRate = 1e-5 });
        request = request with { Sequence = Small with { Vocabulary = 500 } };
        Assert.Equal(["--vocabulary", "--end-learning-rate"], Train(request, "run").Warnings.Where(w => w.Code == "option-ignored").Select(w => w.Message.Split(' ')[0]));
        request = Asked(request, fit => fit with { Schedule = "cosine" }) with { Sequence = Small with { Vocabulary = 300, Tokenizer = "bpe" } };
        Assert.DoesNotContain(Train(request, "heeded").Warnings, w => w.Code == "option-ignored");
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Train_OneText_HasNoEndOfTextTokenThatNothingTeaches()
    {
        Train(Request(2000), "run");
        using (CausalLm model = CausalLm.Load(File("run")))
        {
            Assert.Null(model.Tokenizer!.EosId);
            Assert.Null(model.Tokenizer.IdOf("<|endoftext|>"));
            Assert.Empty(model.Config.EosIds);
        }

        System.IO.File.WriteAllLines(File("texts.jsonl"), Enumerable.Range(0, 40).Select(i => $"{{\"text\":\"the water {i % 7}\"}}"));
        Train(Request(2000) with { Data = File("texts.jsonl") }, "documents");
        using CausalLm documents = CausalLm.Load(File("documents"));
        Assert.Equal([documents.Tokenizer!.EosId!.Value], documents.Config.EosIds);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Append_NetworkInTrainingMode_HasNoDropout()
    {
        using CausalLm model = CausalLm.Create(new Gpt2Config { VocabularySize = 20, ContextLength = 8, Width = 8, Layers = 1, Heads = 2, EmbeddingDropout = 0.5, ResidualDropout = 0.5 }, 1);
        float[] quiet = Read();
        model.Network.train();
        Assert.Equal(quiet, Read());
        Assert.True(model.Network.training);

        float[] Read()
        {
            var logits = new float[20];
            using ICausalState state = model.Begin();
            state.Append([1, 2, 3], logits);
            return logits;
        }
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Batches_OrderTheBlocksAreNotCutFor_IsRefused()
    {
        using (var writer = new TokenStore.Writer(File("t.tokens")))
            writer.Add(Enumerable.Range(0, 40).ToArray());
        using var store = TokenStore.Open(File("t.tokens"));
        var shuffled = new BatchPlan(2) { ShuffleSeed = 1 };
        Assert.Throws<UsageException>(() => new TokenBlocks(store, 8).Batches(shuffled));
        Assert.Throws<UsageException>(() => new TokenBlocks(store, 8, perEpoch: 100).Batches(new BatchPlan(2)));
        Assert.Equal(5, new TokenBlocks(store, 8).Batches(new BatchPlan(2)).Sum(b => b.Count)); // 39 predictions in blocks of 8
        Assert.Equal(100, new TokenBlocks(store, 8, perEpoch: 100).Batches(shuffled).Sum(b => b.Count));
    }

    private static SequenceOptions Small => new() { Layers = 1, Width = 16, Heads = 2, Block = 16, EvaluateEvery = 4 };

    private TrainRequest Request(int characters)
    {
        System.IO.File.WriteAllText(File("text.txt"), string.Concat(Enumerable.Range(0, characters / 10).Select(i => i % 3 == 0 ? "one stone\n" : "the water\n")));
        return new TrainRequest { Data = File("text.txt"), Task = SequenceTasks.LanguageModel, Sequence = Small, Fit = new FitOptions { MaxSteps = 12, BatchSize = 4, Threads = 1 } };
    }

    private static TrainRequest Asked(TrainRequest request, Func<FitOptions, FitOptions> change) => request with { Fit = change(request.Fit) };

    private RunRecord Train(TrainRequest request, string run, ExperimentOptions? options = null) =>
        SequenceExperiment.Train(request, File(run), [new LanguageModelTask()], options, TestContext.Current.CancellationToken);

    private string File(string name) => Path.Combine(_folder, name);

    private sealed class Listener(Action<TrainEvent> act) : IProgress<TrainEvent>
    {
        public void Report(TrainEvent value) => act(value);
    }
}
