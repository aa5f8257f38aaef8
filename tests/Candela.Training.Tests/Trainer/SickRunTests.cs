using System.Globalization;
using System.Text;
using Candela.Experiments;
using Candela.Models;
using Candela.Runs;
using Candela.Training.DenseNets;

namespace Candela.Training.Tests;

/// <summary>Training that goes wrong, from the options of a recipe to the warnings in run.json and of the doctor.</summary>
public sealed class SickRunTests : IDisposable
{
    private readonly string _folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())).FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Run => Path.Combine(_folder, "run");

    // y = 3a - 2b + noise.
    private string Table(int rows)
    {
        var rng = new Rng(5);
        var text = new StringBuilder("a,b,y\n");
        for (int i = 0; i < rows; i++)
        {
            double a = rng.NextGaussian(), b = rng.NextGaussian();
            text.Append(CultureInfo.InvariantCulture, $"{a:0.0000},{b:0.0000},{(3 * a) - (2 * b) + (0.5 * rng.NextGaussian()):0.0000}\n");
        }

        string path = Path.Combine(_folder, "table.csv");
        File.WriteAllText(path, text.ToString());
        return path;
    }

    private string[] Warnings(int rows, string model, FitOptions options)
    {
        var request = new TrainRequest { Data = Table(rows), Target = "y", Model = model, Fit = options with { Seed = 1, Threads = 1 } };
        IReadOnlyList<IModelFamily> families = [new MlpFamily(), new GradientLinearFamily()];
        using Run run = Experiment.Train(request, Run, families, null, TestContext.Current.CancellationToken);
        string[] record = [.. run.Record.Warnings.Select(w => w.Code)], doctor = [.. TrainingDoctor.Examine(Run).Select(w => w.Code)];
        Assert.Empty(record.Except(doctor));
        return record;
    }

    // With standardised inputs the squared error's curvature is about 1 (2 by its usual definition): a rate of 3 multiplies the error by -2 or more at every step.
    private static readonly FitOptions Ascending = new() { Optimizer = "gd", LearningRate = 3, Schedule = "constant" };

    [Fact]
    public void Train_RateTooLargeFromTheFirstStep_LossAscendsAndGradientsExplode()
    {
        string[] codes = Warnings(300, "linear-gd", Ascending with { Epochs = 16 });
        Assert.Contains("loss-ascends", codes);
        Assert.Contains("exploding-gradients", codes);
        Assert.DoesNotContain("loss-not-finite", codes);
    }

    [Fact]
    public void Train_LossRunsOutOfNumbers_LossIsNotFinite()
    {
        string[] codes = Warnings(300, "linear-gd", Ascending with { Epochs = 400 });
        Assert.Contains("loss-not-finite", codes);
        Assert.Equal(StopReason.Diverged, new RunFolder(Run).ReadRecord().StopReason);
    }

    [Fact]
    public void Train_FirstStepsKillTheUnits_GradientsAreDead()
    {
        // Above 1,000 rows the net's units are ReLUs; one step of a length of 1,000 leaves none that any row switches on.
        string[] codes = Warnings(2000, "mlp", new FitOptions { Optimizer = "sgd", LearningRate = 1000, ClipNorm = 1, Schedule = "constant", Epochs = 3, Hidden = [16], Dropout = 0 });
        Assert.Contains("dead-gradients", codes);
    }

    [Fact]
    public void Train_DivergesInTheFirstEpoch_IsRefusedWithWhatToDo()
    {
        var error = Assert.ThrowsAny<CandelaException>(() => Warnings(2000, "mlp", new FitOptions { Optimizer = "sgd", LearningRate = 1e4, Epochs = 3 }));
        Assert.Contains("Lower the learning rate", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_AsItShould_NoneOfThem() =>
        Assert.Empty(Warnings(2000, "mlp", new FitOptions { Epochs = 3 }));
}
