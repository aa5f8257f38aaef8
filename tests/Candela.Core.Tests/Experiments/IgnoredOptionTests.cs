using Candela.Data;
using Candela.Experiments;
using Candela.Models;

namespace Candela.Tests.Experiments;

public class IgnoredOptionTests
{
    private static readonly Problem Classes = new(TaskKind.Binary, "y", ["no", "yes"]), Numbers = new(TaskKind.Regression, "y", []);

    private static readonly StepFamily Net = new("net") { TakesSteps = true }, Linear = new("linear") { Heeds = ["l2", "max-steps", "class-weights"] };

    private static readonly TrainRequest Nothing = new() { Data = "d.csv" };

    [Fact]
    public void Find_NamedFamily_EachUnusedOptionIsNamed()
    {
        var request = Nothing with { Model = "linear", Fit = new FitOptions { Epochs = 5, Optimizer = "sgd", L2 = 1, MaxSteps = 9, Seed = 3, Threads = 1, MaxTime = TimeSpan.FromSeconds(1), Device = "cpu" } };
        Warned[] found = [.. IgnoredOptions.Find(request, Classes, [Linear])];
        Assert.Equal(["--epochs", "--optimizer"], found.Select(w => w.Message.Split(' ')[0]));
        Assert.All(found, w => Assert.Equal("option-ignored", w.Code));
        Assert.All(found, w => Assert.Contains("'linear'", w.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Find_NothingGivenOrTheDefault_IsSilent()
    {
        Assert.Empty(IgnoredOptions.Find(Nothing with { Model = "linear" }, Classes, [Linear]));
        Assert.Empty(IgnoredOptions.Find(Nothing with { Model = "linear", Fit = new FitOptions { ClassWeights = "none", Accumulate = 1, L1 = 0 } }, Numbers, [Linear]));
    }

    [Fact]
    public void Find_Auto_OnlyWhatNoCandidateHeeds()
    {
        var request = Nothing with { Fit = new FitOptions { Epochs = 5, Dropout = 0.1 } };
        Assert.Empty(IgnoredOptions.Find(request, Classes, [Linear, Net]));
        Assert.Equal(2, IgnoredOptions.Find(request, Classes, [Linear]).Count());
        // Under auto the steps of a net are not a linear model's iterations: it is not given them.
        Assert.Single(IgnoredOptions.Find(Nothing with { Fit = new FitOptions { MaxSteps = 9 } }, Classes, [Linear]));
    }

    [Fact]
    public void Find_ClassWeightsForANumber_AreIgnoredByAll()
    {
        var request = Nothing with { Model = "net", Fit = new FitOptions { ClassWeights = "balanced", LabelSmoothing = 0.1 } };
        Assert.Empty(IgnoredOptions.Find(request, Classes, [Net]));
        Assert.Equal(2, IgnoredOptions.Find(request, Numbers, [Net]).Count());
    }

    [Fact]
    public void Find_OptionsOfSequences_AreNamedForATableAndTheOtherWayRound()
    {
        var request = Nothing with { Sequence = new SequenceOptions { Layers = 5, Base = "gpt2" }, Exclude = ["id"] };
        Assert.Equal(["--base", "--layers"], IgnoredOptions.Find(request, Classes, [Net]).Select(w => w.Message.Split(' ')[0]));
        Assert.Equal(["--exclude"], IgnoredOptions.OfTables(request).Select(w => w.Message.Split(' ')[0]));
        // Every option of SequenceOptions is a key that is warned of.
        var all = new SequenceOptions { Base = "b", Tokenizer = "bpe", Vocabulary = 9, Layers = 1, Heads = 1, Width = 8, Block = 8, EvaluateEvery = 1, LoraRank = 2, LoraAlpha = 4, LoraDropout = 0.1, LoraTargets = ["q_proj"], HeadOnly = true, FeedForward = 8, CheckpointActivations = true, Precision = "bf16", Beta = 0.2, Source = "s", TargetFile = "t", ValidTargetFile = "v", TestTargetFile = "w", Beams = 4, Time = "t", Group = "g", Horizon = 1, Window = 2, Season = 1, NextSentence = true };
        Assert.Equal(typeof(SequenceOptions).GetProperties().Count(p => p.CanWrite), IgnoredOptions.Find(Nothing with { Sequence = all }, Classes, [Net]).Count());
    }

    [Fact]
    public void Train_IgnoredOption_IsInTheRecord()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 200), Target = "kind", Model = "linear", Fit = new FitOptions { Epochs = 5 } };
        using var run = Job.Train(request, folder.File("run"), [new StepFamily("linear", 2) { Heeds = [] }]);
        Assert.Contains("--epochs", Assert.Single(run.Record.Warnings, w => w.Code == "option-ignored").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_AreRecipeKeysThatReachFitOptions()
    {
        Assert.Empty(FitOptions.Keys.Except(Recipe.Keys));
        // Every option of FitOptions is in the list, or is meant for the run as a whole.
        Assert.Equal(typeof(FitOptions).GetProperties().Count(p => p.CanWrite), FitOptions.Keys.Count + 4);
    }
}
