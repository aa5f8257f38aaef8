using Candela.Data;
using Candela.Experiments;
using Candela.Models;
using Candela.Runs;
using Candela.Tests.Runs;

namespace Candela.Tests.Experiments;

/// <summary>Each rule is shown a curve that has the fault and one that has not, the faulty ones made by the mistake itself (gradient descent on a parabola, a saturated sigmoid).</summary>
public class TrainingDoctorTests
{
    [Theory]
    [Trait("Kind", "analytic")]
    [InlineData(0.1, false)] // |1 - 2 x 0.1| < 1 converges
    [InlineData(0.9, false)] // oscillates but converges
    [InlineData(1.05, true)] // |1 - 2.1| > 1 diverges: each loss is 1.21 times the one before
    [InlineData(-0.1, true)] // the gradient's sign is wrong
    public void ExamineCurve_DescentOnAParabola_FindsTheRateThatAscends(double rate, bool ascends)
    {
        double x = 1;
        var steps = new List<TrainEvent>();
        for (int step = 1; step <= 40; step++)
        {
            steps.Add(new StepEnded(step, 0, 0, x * x, Math.Abs(2 * x), rate, 0));
            x -= rate * 2 * x;
        }

        Assert.Equal(ascends, TrainingDoctor.ExamineCurve(steps, "m").Any(w => w.Code == "loss-ascends"));
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void ExamineCurve_SaturatedSigmoid_HasDeadGradients()
    {
        // Squared error of sigmoid(w) against 1 from w = -40: the gradient is of order e^-40.
        Assert.Contains(Sigmoid(-40), w => w.Code == "dead-gradients");
        Assert.DoesNotContain(Sigmoid(0), w => w.Code == "dead-gradients");

        static IReadOnlyList<Warned> Sigmoid(double w)
        {
            var steps = new List<TrainEvent>();
            for (int step = 1; step <= 50; step++)
            {
                double p = 1 / (1 + Math.Exp(-w)), gradient = 2 * (p - 1) * p * (1 - p);
                steps.Add(new StepEnded(step, 0, 0, (p - 1) * (p - 1), Math.Abs(gradient), 1, 0));
                w -= gradient;
            }

            return TrainingDoctor.ExamineCurve(steps, "m");
        }
    }

    [Fact]
    public void ExamineCurve_ConvergedToZero_IsNotDead()
    {
        var steps = Enumerable.Range(1, 40).Select(i => (TrainEvent)new StepEnded(i, 0, 0, Math.Pow(0.3, i), Math.Pow(0.3, i), 1, 0));
        Assert.Empty(TrainingDoctor.ExamineCurve(steps, "m"));
    }

    [Fact]
    public void ExamineCurve_GradientThatGrowsAThousandfold_Explodes()
    {
        var calm = Enumerable.Range(1, 40).Select(i => (TrainEvent)new StepEnded(i, 0, 0, 1.0 / i, 2 + (i % 3), 1, 0)).ToList();
        Assert.Empty(TrainingDoctor.ExamineCurve(calm, "m"));
        calm[30] = new StepEnded(31, 0, 0, 0.1, 5e5, 1, 0);
        Assert.Contains(TrainingDoctor.ExamineCurve(calm, "m"), w => w.Code == "exploding-gradients");
    }

    [Fact]
    public void ExamineCurve_LossThatBecomesNaN_IsSaidWithThePoint()
    {
        var epochs = Enumerable.Range(0, 6).Select(i => (TrainEvent)new EpochEnded(i, i, i == 3 ? double.NaN : 1, null, null, 1, 0));
        Assert.Contains("point 4 of 6", Assert.Single(TrainingDoctor.ExamineCurve(epochs, "m")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ExamineInputs_OneFeatureOfLargeNumbers_IsNamed()
    {
        var rng = new Rng(1);
        var dense = new float[600 * 2];
        for (int i = 0; i < dense.Length; i++)
            dense[i] = (float)rng.NextGaussian();
        Assert.Empty(TrainingDoctor.ExamineInputs(new ArrayExamples(dense, [2])));
        for (int i = 1; i < dense.Length; i += 2)
            dense[i] = (dense[i] * 1000) + 30_000;
        var warning = Assert.Single(TrainingDoctor.ExamineInputs(new ArrayExamples(dense, [2])));
        Assert.Equal("unscaled-inputs", warning.Code);
        Assert.Contains("feature 1", warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Examine_HealthyRun_FindsNothing()
    {
        using var folder = new TemporaryFolder();
        using var run = Job.Train(new TrainRequest { Data = SampleFiles.Classes(folder, 300), Target = "kind", Fit = new FitOptions { Seed = 0 } }, folder.File("run"), [new StepFamily("steps")]);
        Assert.Empty(TrainingDoctor.Examine(run.Folder.Path));
    }

    [Fact]
    public void Examine_DamagedHabits_AreEachFound()
    {
        using var folder = new TemporaryFolder();
        using (var log = new EventLog(folder.File("events.jsonl")))
        {
            log.Report(new FamilyStarted("mlp", "candidate", 0, 1));
            for (int i = 0; i < 10; i++)
                log.Report(new StepEnded(i, 0, 0, Math.Pow(2, i), 1, 1, 0));
        }

        File.AppendAllText(folder.File("events.jsonl"), "{\"type\":\"st");
        File.WriteAllText(folder.File("recipe.yaml"), "data: a.csv\n");
        var test = RunRecordFileTests.Example.Metrics["test"];
        RunRecordFile.Write(folder.File("run.json"), RunRecordFileTests.Example with
        {
            Warnings = [],
            Profile = new(9, 0, [], [new("leak-copy-of-target", "copy", ["x"], true)]),
            Baseline = new("majority", "a", test.Metrics),
        });
        Assert.Equal(["leak-copy-of-target", "loss-ascends", "no-better-than-baseline", "no-seed", "torn-log"], TrainingDoctor.Examine(folder.Path).Select(w => w.Code).Order());
        Assert.Throws<FileFormatException>(() => TrainingDoctor.Examine(folder.File("none")));
    }

    [Fact]
    public void Examine_RunWithoutASeed_SaysSoAndTheRecipeStillRepeatsIt()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 200), Target = "kind" };
        using var without = Job.Train(request, folder.File("without"), [new StepFamily("steps")]);
        Assert.Contains("0 was used", Assert.Single(TrainingDoctor.Examine(folder.File("without")), w => w.Code == "no-seed").Message, StringComparison.Ordinal);
        Assert.Equal(0, without.Record.Seed);

        using var with = Job.Train(request with { Fit = new FitOptions { Seed = 0 } }, folder.File("with"), [new StepFamily("steps")]);
        Assert.DoesNotContain(TrainingDoctor.Examine(folder.File("with")), w => w.Code == "no-seed");
        using var again = Job.Train(Recipe.Read(without.Folder.Recipe), folder.File("again"), [new StepFamily("steps")]);
        foreach (string run in new[] { "with", "again" })
            Assert.Equal(File.ReadAllBytes(folder.File("without/model.safetensors")), File.ReadAllBytes(folder.File(run + "/model.safetensors")));
        Assert.Equal(File.ReadAllBytes(without.Folder.Recipe), File.ReadAllBytes(again.Folder.Recipe));
    }
}
