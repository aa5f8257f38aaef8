using Candela.Experiments;
using Candela.Models;
using Candela.Runs;

namespace Candela.Tests.Experiments;

public class ResumeTests
{
    private static readonly string[] ModelFiles = ["config.json", "model.safetensors", "preprocessing.json", "recipe.yaml"];

    /// <summary>The process is gone: not an error Candela handles.</summary>
    private sealed class KilledException : Exception;

    [Fact]
    [Trait("Kind", "fault")]
    public void Train_KilledAtAnyEventAndResumed_EndsWithTheSameBytes()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 200), Target = "kind", Folds = 2, Fit = new FitOptions { Seed = 4 } };
        int events = 0;
        using var whole = Job.Train(request, folder.File("whole"), Warning(), new ExperimentOptions { Events = new ExperimentTests.Listener(_ => events++) });

        int resumed = 0;
        for (int at = 1; at < events; at += 7)
        {
            string run = folder.File($"run{at}");
            Kill(request, run, at, Warning());
            if (!Directory.Exists(run) || Directory.GetFiles(run).Length == 0)
                continue; // killed before the input was accepted
            // A second kill while resuming.
            int count = 0;
            bool again = false;
            try
            {
                Job.Resume(run, Warning(), new ExperimentOptions { Events = new ExperimentTests.Listener(_ => Die(ref count, 30)) }).Dispose();
            }
            catch (KilledException)
            {
                again = true;
            }

            if (again)
                Job.Resume(run, Warning()).Dispose();
            foreach (string file in ModelFiles)
                Assert.Equal(File.ReadAllBytes(Path.Combine(whole.Folder.Path, file)), File.ReadAllBytes(Path.Combine(run, file)));
            using var end = Run.Open(run, Warning());
            Assert.Equivalent(whole.Record.Metrics, end.Record.Metrics, strict: true);
            Assert.Equivalent(whole.Record.CrossValidation, end.Record.CrossValidation, strict: true);
            Assert.Equal(whole.Record.Warnings, end.Record.Warnings);
            resumed++;
        }

        Assert.Contains(whole.Record.Warnings, w => w.Code == "loss-ascends");
        Assert.True(whole.Record.Warnings.Count(w => w.Code == "fit-note") > 4);
        Assert.True(resumed > 14, $"only {resumed} runs were resumed");
    }

    [Fact]
    public void Train_Cancelled_ThrowsAndGoesOnWhereItStopped()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 200), Target = "kind", Model = "steps" };
        using var source = new CancellationTokenSource();
        var first = new StepFamily("steps", 12, epoch => { if (epoch == 5) source.Cancel(); });
        Assert.Throws<OperationCanceledException>(() => Experiment.Train(request, folder.File("run"), [first], null, source.Token));
        Assert.Equal([0, 1, 2, 3, 4, 5], first.EpochsRun);

        var second = new StepFamily("steps");
        using var run = Job.Resume(folder.File("run"), [second]);
        Assert.Equal([6, 7, 8, 9, 10, 11], second.EpochsRun);
        Assert.False(Directory.Exists(run.Folder.Checkpoints));
    }

    [Fact]
    public void Resume_FinishedCandidates_AreNotTrainedAgain()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 4000), Target = "kind" };
        var first = new StepFamily("first");
        Assert.Throws<KilledException>(() => Job.Train(request, folder.File("run"), [first, new StepFamily("second", 12, _ => throw new KilledException())]));
        Assert.Single(first.RowsSeen);

        var again = new StepFamily("first");
        using var run = Job.Resume(folder.File("run"), [again, new StepFamily("second")]);
        Assert.Empty(again.RowsSeen);
        Assert.Equal(12, run.Record.History.Count);
    }

    [Fact]
    public void Resume_FoldsFinishedBefore_GiveTheirWarningsAgain()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 200), Target = "kind", Folds = 3, Model = "slow" };
        // Two seconds a fit, by the clock it is given, so that the scores of a fold are kept.
        (string[] Warnings, int Fits) Run(string name, int dieAt)
        {
            var hand = new BudgetTests.Hand();
            int fits = 0;
            IModelFamily[] families = [new StepFamily("slow", 1, _ => { hand.Pass(2); if (++fits == dieAt) throw new KilledException(); }) { Warns = "fit-note" }];
            var options = new ExperimentOptions { Clock = hand, Meter = hand };
            if (dieAt > 0)
            {
                Assert.Throws<KilledException>(() => Job.Train(request, folder.File(name), families, options));
                dieAt = fits = 0;
                using var resumed = Job.Resume(folder.File(name), families, options);
                return ([.. resumed.Record.Warnings.Select(w => w.Message)], fits);
            }

            using var run = Job.Train(request, folder.File(name), families, options);
            return ([.. run.Record.Warnings.Select(w => w.Message)], fits);
        }

        var whole = Run("whole", 0);
        var (warnings, fits) = Run("again", 4);
        Assert.Equal(4, whole.Fits);
        Assert.Equal(1, fits);
        Assert.Equal(whole.Warnings, warnings);
        Assert.True(warnings.Length > 1);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Resume_DamagedCheckpointOfAFinishedCandidate_IsTrainedAnew()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 4000), Target = "kind" };
        Assert.Throws<KilledException>(() => Job.Train(request, folder.File("run"), [new StepFamily("first"), new StepFamily("second", 12, _ => throw new KilledException())]));
        string model = folder.File("run/checkpoints/first/model/model.safetensors");
        byte[] bytes = File.ReadAllBytes(model);
        bytes[^3] ^= 4;
        File.WriteAllBytes(model, bytes);
        var again = new StepFamily("first");
        Job.Resume(folder.File("run"), [again, new StepFamily("second")]).Dispose();
        Assert.Single(again.RowsSeen);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Resume_ProgressWithoutItsState_IsRefusedByName()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 200), Target = "kind" };
        Kill(request, folder.File("run"), 40);
        string state = folder.File("run/checkpoints/state.json");
        byte[] good = File.ReadAllBytes(state);
        for (int length = 0; length < good.Length - 2; length += 9)
        {
            File.WriteAllBytes(state, good[..length]);
            Assert.Equal(state, Assert.Throws<FileFormatException>(() => Job.Resume(folder.File("run"), Families())).Path);
        }

        File.Delete(state);
        Assert.Equal((state, Fault.Missing), Assert.Throws<FileFormatException>(() => Job.Resume(folder.File("run"), Families())) is var e ? (e.Path, e.Fault) : default);
        File.WriteAllBytes(state, good);
        Job.Resume(folder.File("run"), Families()).Dispose();
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Finished_DamagedScoresOrFacts_AreNotUsed()
    {
        using var folder = new TemporaryFolder();
        var checkpoints = new FitCheckpoints(folder.Path);
        checkpoints.KeepScores("a", new FitFacts(StopReason.Exact, [], new Dictionary<string, string>(), 1, 2), [1, 2, 3]);
        Assert.NotNull(checkpoints.Finished("a"));
        Assert.Equal([1f, 2f, 3f], checkpoints.Scores("a"));
        foreach (string file in new[] { folder.File("a/done.json"), folder.File("a/scores.npy") })
        {
            byte[] good = File.ReadAllBytes(file);
            for (int i = 0; i < good.Length; i++)
            {
                File.WriteAllBytes(file, good[..i]);
                Assert.Null(checkpoints.Finished("a"));
                if (!file.EndsWith(".npy", StringComparison.Ordinal))
                    continue;
                byte[] bad = (byte[])good.Clone();
                bad[i] ^= 1;
                File.WriteAllBytes(file, bad);
                Assert.Null(checkpoints.Finished("a"));
            }

            File.WriteAllBytes(file, good);
        }
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Resume_ChangedDataOrOptions_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 200), Target = "kind" };
        string run = folder.File("run");
        Kill(request, run, 40);
        Assert.Contains("differ", Assert.Throws<UsageException>(() => Job.Train(request with { Folds = 5 }, run, Families(), new ExperimentOptions { Resume = true })).Message, StringComparison.Ordinal);
        File.AppendAllText(request.Data, "1,1,1,1,red,x\n");
        Assert.Contains("changed", Assert.Throws<DataException>(() => Job.Resume(run, Families())).Message, StringComparison.Ordinal);
        Assert.Contains("interrupted", Assert.Throws<FileFormatException>(() => Run.Open(run, Families())).Message, StringComparison.Ordinal);
        Assert.Contains("no run folder", Assert.Throws<UsageException>(() => Job.Resume(folder.File("none"), Families())).Message, StringComparison.Ordinal);
    }

    private static IModelFamily[] Families() => [new StepFamily("zero", epochs: 0), new StepFamily("steps", epochs: 6)];

    // Each fit gives a warning, and the curve of the second ascends.
    private static IModelFamily[] Warning() => [new StepFamily("zero", epochs: 0) { Warns = "fit-note" }, new StepFamily("steps", epochs: 6) { Warns = "fit-note", ReportedLoss = epoch => 1 + epoch }];

    private static void Kill(TrainRequest request, string run, int at, IModelFamily[]? families = null)
    {
        int count = 0;
        Assert.Throws<KilledException>(() => Job.Train(request, run, families ?? Families(), new ExperimentOptions { Events = new ExperimentTests.Listener(_ => Die(ref count, at)) }));
    }

    private static void Die(ref int count, int at)
    {
        if (++count == at)
            throw new KilledException();
    }
}
