using Candela.Experiments;
using Candela.Models;
using Candela.Runs;

namespace Candela.Tests.Experiments;

/// <summary>What training does to the folder it is given: what is in it already, what others do there at the same time.</summary>
public class ExperimentFolderTests
{
    [Fact]
    public void Train_FolderThatHoldsSomething_IsOnlyReplacedWhenAskedAndOnlyIfItIsARun()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 200), Target = "kind" };
        IModelFamily[] families = [new StepFamily("steps")];
        string run = folder.File("run");
        Job.Train(request, run, families).Dispose();
        Assert.Contains("not empty", Assert.Throws<UsageException>(() => Job.Train(request, run, families)).Message, StringComparison.Ordinal);
        Assert.Contains("finished", Assert.Throws<UsageException>(() => Job.Resume(run, families)).Message, StringComparison.Ordinal);
        Job.Train(request with { Folds = 2 }, run, families, new ExperimentOptions { Overwrite = true }).Dispose();

        // A refused overwrite leaves the old run as it was.
        Assert.Throws<DataException>(() => Job.Train(request with { Target = "none" }, run, families, new ExperimentOptions { Overwrite = true }));
        using (var kept = Run.Open(run, families))
            Assert.NotNull(kept.Record.CrossValidation);

        Directory.CreateDirectory(folder.File("mine"));
        File.WriteAllText(folder.File("mine/thesis.txt"), "years of work");
        Job.Train(request, folder.File("mine"), families, new ExperimentOptions { Overwrite = true }).Dispose();
        Assert.Equal("years of work", File.ReadAllText(folder.File("mine/thesis.txt")));

        Directory.CreateDirectory(folder.File("other"));
        File.WriteAllText(folder.File("other/config.json"), "{}");
        Assert.Contains("config.json", Assert.Throws<UsageException>(() => Job.Train(request, folder.File("other"), families, new ExperimentOptions { Overwrite = true })).Message, StringComparison.Ordinal);
        Assert.Equal("{}", File.ReadAllText(folder.File("other/config.json")));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Train_OverAFolderWithOtherThings_NeitherDeletesNorListsThem()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 200), Target = "kind" };
        IModelFamily[] families = [new StepFamily("steps")];
        string run = folder.File("work");
        string[] others = [".git/index", "data.csv", "draft.tmp", "notes/page.7.tmp", "weights.99.tmp"];
        foreach (string other in others)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(run, other))!);
            File.WriteAllText(Path.Combine(run, other), "mine");
        }

        File.WriteAllText(Path.Combine(run, "draft.tmp"), "mine");
        Job.Train(request, run, families, new ExperimentOptions { Overwrite = true }).Dispose();
        File.WriteAllText(Path.Combine(run, "run.json.123.tmp"), "cut short");
        Job.Train(request, run, families, new ExperimentOptions { Overwrite = true }).Dispose();
        Assert.False(File.Exists(Path.Combine(run, "run.json.123.tmp")));
        foreach (string other in others)
        {
            Assert.Equal("mine", File.ReadAllText(Path.Combine(run, other)));
            File.AppendAllText(Path.Combine(run, other), ", edited later");
        }

        using var opened = Run.Open(run, families);
        Assert.Equal(["config.json", "model.safetensors", "preprocessing.json", "recipe.yaml"], opened.Record.Files.Keys);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Train_WhileAnotherRunWritesThere_IsRefusedAndHarmsNothing()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 200), Target = "kind", Model = "steps" };
        string run = folder.File("run");
        var errors = new List<string>();
        void Intrude(ExperimentOptions options)
        {
            string[] before = Directory.GetFileSystemEntries(run, "*", SearchOption.AllDirectories);
            errors.Add(Assert.Throws<UsageException>(() => Job.Train(request, run, [new StepFamily("steps")], options)).Message);
            Assert.Equal(before, Directory.GetFileSystemEntries(run, "*", SearchOption.AllDirectories));
        }

        // A temporary of the run that is alive must survive, too.
        var family = new StepFamily("steps", 12, epoch =>
        {
            if (epoch != 3)
                return;
            File.WriteAllText(Path.Combine(run, "checkpoints", "state.json.1.tmp"), "alive");
            Intrude(new ExperimentOptions { Overwrite = true });
            Intrude(new ExperimentOptions { Resume = true });
            Intrude(new ExperimentOptions());
        });
        Job.Train(request, run, [family]).Dispose();
        Assert.Contains("Another run", errors[0], StringComparison.Ordinal);
        Assert.Contains("Another run", errors[1], StringComparison.Ordinal);
        Assert.Contains("not empty", errors[2], StringComparison.Ordinal);

        // Both begin where there is nothing: the second finds the first's run when it has read its data, and leaves it alone.
        string shared = folder.File("shared");
        bool first = true;
        var listener = new ExperimentTests.Listener(value =>
        {
            if (!first || value is not StageStarted { Stage: "splitting" })
                return;
            first = false;
            Job.Train(request, shared, [new StepFamily("steps")]).Dispose();
        });
        Assert.Contains("not empty", Assert.Throws<UsageException>(() => Job.Train(request, shared, [new StepFamily("steps")], new ExperimentOptions { Events = listener })).Message, StringComparison.Ordinal);
        Run.Open(shared, [new StepFamily("steps")]).Dispose();
        Assert.Empty(Directory.GetFiles(shared, ".candela*"));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Train_OverwriteThatIsRefusedLateOrCancelledEarly_KeepsTheOldRun()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 200), Target = "kind", Model = "steps" };
        string run = folder.File("run");
        var overwrite = new ExperimentOptions { Overwrite = true };
        Job.Train(request, run, [new StepFamily("steps")]).Dispose();
        var before = Content(run);

        Assert.Throws<EngineException>(() => Job.Train(request with { Model = "failing" }, run, [new FailingFamily(new EngineException("no device"))], overwrite));
        Assert.Equal(before, Content(run));
        Assert.Throws<OperationCanceledException>(() => Job.Train(request, run, [new StepFamily("steps", 12, epoch => throw new OperationCanceledException())], overwrite));
        Assert.Equal(before, Content(run));

        // A crash between two moves is undone by the next run; one after training began goes on, and the old run is dropped when it ends.
        Directory.CreateDirectory(Path.Combine(run, ".candela.moving"));
        File.Move(Path.Combine(run, "run.json"), Path.Combine(run, ".candela.moving/run.json"));
        Assert.Throws<EngineException>(() => Job.Train(request with { Model = "failing" }, run, [new FailingFamily(new EngineException("no device"))], overwrite));
        Assert.Equal(before, Content(run));
        Assert.Throws<InvalidOperationException>(() => Job.Train(request, run, [new StepFamily("steps", 12, epoch => throw new InvalidOperationException())], overwrite));
        Assert.True(Directory.Exists(Path.Combine(run, ".candela.previous")));
        Job.Resume(run, [new StepFamily("steps")]).Dispose();
        Assert.Equal(before.Keys.Where(k => !k.Contains("tfevents", StringComparison.Ordinal)), Content(run).Keys.Where(k => !k.Contains("tfevents", StringComparison.Ordinal)));

        static SortedDictionary<string, string> Content(string run) => new(Directory.GetFiles(run, "*", SearchOption.AllDirectories)
            .ToDictionary(f => Path.GetRelativePath(run, f), f => Convert.ToHexString(File.ReadAllBytes(f))), StringComparer.Ordinal);
    }
}
