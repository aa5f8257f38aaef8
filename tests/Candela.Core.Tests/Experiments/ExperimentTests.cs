using Candela.Data;
using Candela.Experiments;
using Candela.Models;
using Candela.Runs;

namespace Candela.Tests.Experiments;

public class ExperimentTests
{
    [Fact]
    public void Train_Classes_WritesARunThatOpensAndPredictsAsRecorded()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 600), Target = "kind" };
        IModelFamily[] families = [new StepFamily("steps"), new StepFamily("zero", epochs: 0), new StepFamily("unfit") { Reason = "it is not for this" }];
        using var run = Job.Train(request, folder.File("run"), families);

        var record = run.Record;
        Assert.Equal("steps", record.Model);
        Assert.Contains("5-fold inner cross-validation of 480 rows", record.ModelReason, StringComparison.Ordinal);
        Assert.Equal([("train", 390L), ("valid", 90L), ("test", 120L)], record.Rows.Select(r => (r.Key, r.Value)));
        Assert.InRange(record.Metrics["test"].Metrics["accuracy"].Value, 0.75, 1);
        Assert.True(record.Metrics["test"].Metrics["accuracy"].Low > record.Baseline.Metrics["accuracy"].Value);
        Assert.Equal(["steps", "zero", "unfit"], record.Candidates.Select(c => c.Model));
        Assert.Equal(["chosen", "not chosen", "it is not for this"], record.Candidates.Select(c => c.Note));
        Assert.NotNull(record.Candidates[1].Test);
        Assert.Equal(5, record.Importance.Count);
        Assert.Equal(12, record.History.Count);
        Assert.Equal(["config.json", "model.safetensors", "preprocessing.json", "recipe.yaml"], record.Files.Keys);
        Assert.False(Directory.Exists(run.Folder.Checkpoints));
        Assert.Equal(request, Recipe.Read(run.Folder.Recipe) with { Table = request.Table, Fit = request.Fit, Exclude = request.Exclude, Keep = request.Keep, ValidFraction = null, TestFraction = null });

        // The recorded test accuracy is what the opened predictor scores on the same rows.
        using var table = Table.Load(request.Data, cancellation: TestContext.Current.CancellationToken);
        var split = TableSplit.Create(table, record.Problem, new SplitOptions());
        using var test = TableSample.Take(table, split, [Part.Test], 0);
        Assert.Equal(record.Metrics["test"].Metrics["accuracy"], run.Evaluate(test).Metrics["accuracy"]);
        float[] scores = run.Predictor.Score(test.ReadChunk(0));
        Assert.Equal(120 * 3, scores.Length);
        Assert.All(scores.Chunk(3), row => Assert.Equal(1, row.Sum(), 1e-5));
    }

    [Fact]
    public void Train_Regression_ReachesTheNoiseFloor()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Numbers(folder, 4000), Target = "y" };
        using var run = Job.Train(request, folder.File("run"), [new StepFamily("steps"), new StepFamily("zero", epochs: 0)]);
        Assert.Equal(TaskKind.Regression, run.Record.Problem.Task);
        Assert.Contains("600 validation rows", run.Record.ModelReason, StringComparison.Ordinal);
        // Var(y) = 9 + 4 + 0.25, noise 0.25: R2 = 0.981.
        Assert.InRange(run.Record.Metrics["test"].Metrics["r2"].Value, 0.97, 0.99);
        Assert.Equal("mean", run.Record.Baseline.Name);
    }

    [Fact]
    public void Train_Twice_GivesTheSameBytes()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 300), Target = "kind", Folds = 3 };
        using var a = Job.Train(request, folder.File("a"), [new StepFamily("steps")]);
        using var b = Job.Train(Recipe.Read(a.Folder.Recipe), folder.File("b"), [new StepFamily("steps")]);
        foreach (string file in new[] { "config.json", "model.safetensors", "preprocessing.json", "recipe.yaml" })
            Assert.Equal(File.ReadAllBytes(folder.File("a/" + file)), File.ReadAllBytes(folder.File("b/" + file)));
        Assert.Equivalent(a.Record.Metrics, b.Record.Metrics, strict: true);
        Assert.Equivalent(a.Record.CrossValidation, b.Record.CrossValidation, strict: true);
        Assert.Equal(3, a.Record.CrossValidation!.PerFold["accuracy"].Count);
        Assert.InRange(a.Record.CrossValidation.Metrics["accuracy"].Value, 0.75, 1);
    }

    [Fact]
    public void Train_OneFamilyByName_ItsOptionsAreNotGivenToTheComparators()
    {
        using var folder = new TemporaryFolder();
        StepFamily asked = new("net", epochs: 1) { TakesSteps = true }, linear = new("linear", epochs: 1), boosting = new("boosting", epochs: 1);
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 200), Target = "kind", Model = "net", Fit = AskedOfANet };
        using var run = Job.Train(request, folder.File("run"), [asked, linear, boosting]);
        Assert.Equal(request.Fit, WholeHour(Assert.Single(asked.OptionsSeen)));
        var untouched = new FitOptions { Seed = 7, ClassWeights = "balanced", Threads = 1, MaxTime = TimeSpan.FromHours(1) };
        Assert.Equal(untouched, WholeHour(Assert.Single(linear.OptionsSeen)));
        Assert.Equal(untouched, WholeHour(Assert.Single(boosting.OptionsSeen)));
    }

    [Fact]
    public void Train_Auto_OptimiserOptionsGoToTheNetsOnly()
    {
        using var folder = new TemporaryFolder();
        StepFamily net = new("net", epochs: 1) { TakesSteps = true }, boosting = new("boosting", epochs: 1);
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 200), Target = "kind", Fit = AskedOfANet };
        using var run = Job.Train(request, folder.File("run"), [net, boosting]);
        Assert.All(net.OptionsSeen, options => Assert.Equal(request.Fit, WholeHour(options)));
        // What says how strongly to regularise still counts for all.
        Assert.All(boosting.OptionsSeen, options => Assert.Equal(new FitOptions { Seed = 7, L2 = 0.5, Dropout = 0.3, ClassWeights = "balanced", Threads = 1, MaxTime = TimeSpan.FromHours(1) }, WholeHour(options)));
    }

    // Each fit is given what is left of the hour.
    private static FitOptions WholeHour(FitOptions options)
    {
        Assert.InRange(options.MaxTime!.Value, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1));
        return options with { MaxTime = TimeSpan.FromHours(1) };
    }

    private static FitOptions AskedOfANet => new()
    {
        Seed = 7,
        Epochs = 1,
        MaxSteps = 3,
        BatchSize = 8,
        LearningRate = 1e-9,
        Optimizer = "sgd",
        Schedule = "constant",
        Patience = 1,
        ClipNorm = 1,
        Ema = 0.5,
        Accumulate = 2,
        L2 = 0.5,
        Dropout = 0.3,
        ClassWeights = "balanced",
        Threads = 1,
        MaxTime = TimeSpan.FromHours(1),
    };

    [Fact]
    [Trait("Kind", "fault")]
    public void Train_BadInput_IsRefusedAndCreatesNothing()
    {
        using var folder = new TemporaryFolder();
        string data = SampleFiles.Classes(folder, 100), run = folder.File("run");
        IModelFamily[] families = [new StepFamily("steps")];
        var good = new TrainRequest { Data = data, Target = "kind" };
        void Refused<T>(TrainRequest request, string says, IModelFamily[]? with = null)
            where T : CandelaException
        {
            var error = Assert.Throws<T>(() => Job.Train(request, run, with ?? families));
            Assert.Contains(says, error.Message, StringComparison.Ordinal);
            Assert.False(Directory.Exists(run));
        }

        Refused<UsageException>(good with { Model = "step" }, "Did you mean 'steps'?");
        Refused<UsageException>(good with { Folds = 1 }, "--folds 1");
        Refused<UsageException>(good with { Task = SequenceTasks.LanguageModel }, nameof(SequenceExperiment));
        Refused<UsageException>(good with { Region = "wrld" }, "world");
        Refused<DataException>(good with { Target = "kin" }, "'kind'");
        Refused<UsageException>(good with { Target = null }, "--target");
        Refused<DataException>(good with { Exclude = ["colur"] }, "colour");
        Refused<DataException>(good with { Exclude = ["a", "b", "c", "d", "colour"] }, "No input column");
        Refused<UsageException>(good with { Keep = ["kind"] }, "--keep");
        Refused<UsageException>(good with { ValidFraction = 0.6, TestFraction = 0.6 }, "0.6");
        Refused<FileFormatException>(good with { Data = folder.File("none.csv") }, "none.csv");
        Refused<UsageException>(good with { Model = "unfit" }, "no pixels", [new StepFamily("unfit") { Reason = "no pixels" }]);
        Refused<UsageException>(good, "no pixels", [new StepFamily("unfit") { Reason = "no pixels" }]);
        Refused<EngineException>(good, "no device", [new FailingFamily(new EngineException("no device"))]);
        File.WriteAllText(folder.File("other.csv"), "a,b\n1,2\n3,4\n");
        Refused<DataException>(good with { TestFile = folder.File("other.csv") }, "other.csv");
    }

    [Fact]
    public void Train_OneFamilyFails_TheOthersGoOnAndItIsNoted()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 200), Target = "kind" };
        using var run = Job.Train(request, folder.File("run"), [new FailingFamily(new EngineException("no device")), new StepFamily("steps")]);
        Assert.Equal("steps", run.Record.Model);
        Assert.Contains(run.Record.Warnings, w => w.Code == "candidate-failed" && w.Message.Contains("no device", StringComparison.Ordinal));
        Assert.Contains(run.Record.Candidates, c => c.Model == "failing" && c.Note == "no device");
    }

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("auto", 200, true)]
    [InlineData("auto", 4000, true)]
    [InlineData("steps", 200, true)]
    [InlineData("auto", 200, false)]
    public void Train_OptionNoFamilyShouldIgnore_IsRefusedThoughOthersCouldBeTrained(string model, int rows, bool usage)
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, rows), Target = "kind", Model = model, Fit = new FitOptions { Device = usage ? "auto" : "cuda" } };
        CandelaException error = usage ? new UsageException("dropout is 1") : new EngineException("no cuda");
        Assert.Same(error, Assert.ThrowsAny<CandelaException>(() => Job.Train(request, folder.File("run"), [new StepFamily("steps"), new FailingFamily(error, "linear")])));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Train_OptionRefusedByAFamily_IsRefusedBeforeTheFolderIsTouched()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 200), Target = "kind", Fit = new FitOptions { Device = "cuda" } };
        var other = new StepFamily("steps");
        Assert.Throws<EngineException>(() => Job.Train(request, folder.File("run"), [other, new StepFamily("net") { Refusal = new EngineException("no cuda") }]));
        Assert.Empty(other.RowsSeen);
        Assert.False(Directory.Exists(folder.File("run")));
    }

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("reading classes.csv")]
    [InlineData("profiling")]
    [InlineData("splitting")]
    [InlineData("training")]
    public void Train_CancelledBeforeAnythingIsTrained_LeavesNothing(string stage)
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 200), Target = "kind" };
        using var source = new CancellationTokenSource();
        var family = new StepFamily("steps");
        var events = new Listener(value =>
        {
            if (value is StageStarted started && started.Stage == stage)
                source.Cancel();
        });
        Assert.Throws<OperationCanceledException>(() => Experiment.Train(request, folder.File("run"), [family], new ExperimentOptions { Events = events }, source.Token));
        Assert.Empty(family.RowsSeen);
        Assert.False(Directory.Exists(folder.File("run")));
    }

    [Fact]
    public void Train_FilesOfTheirOwn_ValidateAndTest()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest
        {
            Data = SampleFiles.Classes(folder, 400),
            Target = "kind",
            ValidFile = SampleFiles.Classes(folder, 90, seed: 2, "valid.csv"),
            TestFile = SampleFiles.Classes(folder, 70, seed: 3, "test.csv"),
        };
        using var run = Job.Train(request, folder.File("run"), [new StepFamily("steps"), new StepFamily("zero", epochs: 0)]);
        Assert.Equal([400L, 90, 70], run.Record.Rows.Values);
        Assert.Contains("90 validation rows", run.Record.ModelReason, StringComparison.Ordinal);
        Assert.InRange(run.Record.Metrics["test"].Metrics["accuracy"].Value, 0.7, 1);
    }

    [Fact]
    public void Train_BadCellInAColumnThatIsLeftOut_IsNoMatter()
    {
        using var folder = new TemporaryFolder();
        string data = SampleFiles.Classes(folder, 200);
        string[] lines = File.ReadAllLines(data);
        lines[150] = "oops" + lines[150][lines[150].IndexOf(',')..];
        File.WriteAllLines(data, lines);
        var request = new TrainRequest { Data = data, Target = "last" };
        Assert.Contains("'oops'", Assert.Throws<DataException>(() => Job.Train(request, folder.File("run"), [new StepFamily("steps")])).Message);
        using var excluded = Job.Train(request with { Exclude = ["a"] }, folder.File("excluded"), [new StepFamily("steps")]);
        Assert.Equal(["b", "c", "d", "colour"], excluded.Predictor.Schema.Inputs.Columns.Select(c => c.Name));
        using var kept = Job.Train(request with { Keep = ["b", "c"] }, folder.File("kept"), [new StepFamily("steps")]);
        Assert.Equal(["b", "c"], kept.Predictor.Schema.Inputs.Columns.Select(c => c.Name));
    }

    [Fact]
    public void Train_KeepOfAnIdentifier_IsRefusedWithTheRemedyAndTheRemedyWorks()
    {
        using var folder = new TemporaryFolder();
        string[] lines = File.ReadAllLines(SampleFiles.Classes(folder, 200));
        string data = folder.File("keyed.csv");
        File.WriteAllLines(data, lines.Select((line, i) => (i == 0 ? "id" : $"{i}") + "," + line));
        var request = new TrainRequest { Data = data, Target = "kind", Keep = ["id", "a"] };
        Assert.Contains("--type id=number", Assert.Throws<UsageException>(() => Job.Train(request, folder.File("run"), [new StepFamily("steps")])).Message);
        using var run = Job.Train(Recipe.Set(request, "type", "id=number"), folder.File("run"), [new StepFamily("steps")]);
        Assert.Equal(["id", "a"], run.Predictor.Schema.Inputs.Columns.Select(c => c.Name));
    }

    [Fact]
    public void Train_Events_ReachCallerLogAndCurves()
    {
        using var folder = new TemporaryFolder();
        var seen = new List<TrainEvent>();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 200), Target = "kind", Model = "steps" };
        using var run = Job.Train(request, folder.File("run"), [new StepFamily("steps")], new ExperimentOptions { Events = new Listener(seen.Add) });
        var log = EventLog.Read(run.Folder.Events);
        TrainEvent[] logged = [.. log.Events.Select(e => e.Event)];
        Assert.Equal(seen.Where(e => e is not TableRead), logged.Where(e => e is not TableRead));
        Assert.Equivalent(Assert.Single(seen.OfType<TableRead>()), Assert.Single(logged.OfType<TableRead>()), strict: true);
        Assert.Equal(12, seen.OfType<EpochEnded>().Count());
        Assert.Equal(new FamilyStarted("steps", "candidate", 0, 1), Assert.Single(seen.OfType<FamilyStarted>()));
        Assert.True(new FileInfo(Assert.Single(Directory.GetFiles(run.Folder.Path, "events.out.tfevents.*"))).Length > 12 * 40);
    }

    [Fact]
    public void Train_DuplicateRows_AreSaidToLeakIntoTheTest()
    {
        using var folder = new TemporaryFolder();
        string data = SampleFiles.Classes(folder, 150);
        File.AppendAllLines(data, File.ReadLines(data).Skip(1).ToList());
        using var run = Job.Train(new TrainRequest { Data = data, Target = "kind", TestFraction = 0.2 }, folder.File("run"), [new StepFamily("steps")]);
        Assert.Contains(run.Record.Warnings, w => w.Code == "split-leakage");
        Assert.Contains(TrainingDoctor.Examine(run.Folder.Path), w => w.Code == "split-leakage");
    }

    [Fact]
    public void Train_EventsBeforeTheFolderExists_AreLoggedWithTheirOwnTime()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 200), Target = "kind" };
        using var run = Job.Train(request, folder.File("run"), [new StepFamily("steps")], new ExperimentOptions { Clock = new TickingClock() });
        var log = EventLog.Read(run.Folder.Events).Events;
        Assert.Equal(run.Record.Started.AddSeconds(1), log[0].Time); // the very next look at the clock
        Assert.Equal(log.Select(e => e.Time).Order(), log.Select(e => e.Time));
    }

    [Fact]
    [Trait("Kind", "leak")]
    public void Train_CopyOfTheTarget_IsLeftOutAndAnnouncedUnlessItIsAskedFor()
    {
        using var folder = new TemporaryFolder();
        string data = folder.File("copy.csv");
        File.WriteAllLines(data, File.ReadLines(SampleFiles.Classes(folder, 300)).Select((line, i) => line + (i == 0 ? ",copy" : "," + line[^1] + line[^1])));
        using var run = Job.Train(new TrainRequest { Data = data, Target = "kind" }, folder.File("run"), [new StepFamily("steps")]);
        Assert.Equal(["a", "b", "c", "d", "colour"], run.Predictor.Schema.Inputs.Columns.Select(c => c.Name));
        Assert.Contains(run.Record.Warnings, w => w.Code == "leak-copy-of-target" && w.Message.Contains("'copy'", StringComparison.Ordinal));
        Assert.InRange(run.Record.Metrics["test"].Metrics["accuracy"].Value, 0.6, 0.97);

        using var kept = Job.Train(new TrainRequest { Data = data, Target = "kind", Keep = ["a", "copy"] }, folder.File("kept"), [new StepFamily("steps")]);
        Assert.Equal(["a", "copy"], kept.Predictor.Schema.Inputs.Columns.Select(c => c.Name));
        Assert.Contains(kept.Record.Warnings, w => w.Code == "leak-copy-of-target" && w.Message.Contains("--keep", StringComparison.Ordinal));
        Assert.Equal(1, kept.Record.Metrics["test"].Metrics["accuracy"].Value);
    }

    [Fact]
    public void Train_InAnotherCulture_RecordsTheSameNumbersAndPutsTheCultureBack()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 4000), Target = "kind" };
        IModelFamily[] families = [new StepFamily("steps"), new StepFamily("zero", epochs: 0)];
        var before = System.Globalization.CultureInfo.CurrentCulture;
        var other = (System.Globalization.CultureInfo)System.Globalization.CultureInfo.InvariantCulture.Clone();
        (other.NumberFormat.NumberDecimalSeparator, other.NumberFormat.NumberGroupSeparator) = (",", ".");
        using var here = Job.Train(request, folder.File("here"), families);
        try
        {
            System.Globalization.CultureInfo.CurrentCulture = other;
            using var there = Job.Train(request, folder.File("there"), families);
            Assert.Equal(here.Record.ModelReason, there.Record.ModelReason);
            Assert.Equal(here.Record.Warnings, there.Record.Warnings);
            Assert.Same(other, System.Globalization.CultureInfo.CurrentCulture);
        }
        finally
        {
            System.Globalization.CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Train_EveryFinding_IsWarnedOf()
    {
        using var folder = new TemporaryFolder();
        string data = folder.File("odd.csv");
        // One class in forty rows; two columns that say the same.
        File.WriteAllLines(data, File.ReadLines(SampleFiles.Classes(folder, 400)).Select((line, i) => i == 0 ? line.Replace("kind", "again,kind", StringComparison.Ordinal)
            : string.Join(',', [.. line.Split(',')[..5], line.Split(',')[4] + "!", i % 40 == 0 ? "rare" : "common"])));
        using var run = Job.Train(new TrainRequest { Data = data, Target = "kind" }, folder.File("run"), [new StepFamily("steps")]);
        Assert.Contains("class-imbalance", run.Record.Profile!.Findings.Select(f => f.Code));
        Assert.Contains("redundant-columns", run.Record.Profile.Findings.Select(f => f.Code));
        Assert.Subset(run.Record.Warnings.Select(w => w.Code).ToHashSet(), run.Record.Profile.Findings.Select(f => f.Code).ToHashSet());
    }

    [Fact]
    public void Train_NoTestRows_IsSaid()
    {
        using var folder = new TemporaryFolder();
        using var run = Job.Train(new TrainRequest { Data = SampleFiles.Classes(folder, 150), Target = "kind", TestFraction = 0 }, folder.File("run"), [new StepFamily("steps")]);
        Assert.DoesNotContain("test", run.Record.Metrics.Keys);
        Assert.Contains(TrainingDoctor.Examine(run.Folder.Path), w => w.Code == "test-never-scored");
    }

    // Each look is one second after the one before.
    private sealed class TickingClock : TimeProvider
    {
        private long _looks;

        public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddSeconds(Interlocked.Increment(ref _looks));
    }

    internal sealed class Listener(Action<TrainEvent> act) : IProgress<TrainEvent>
    {
        public void Report(TrainEvent value) => act(value);
    }
}
