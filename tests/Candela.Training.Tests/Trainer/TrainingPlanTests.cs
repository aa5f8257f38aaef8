using Candela.Models;

namespace Candela.Training.Tests;

public class TrainingPlanTests
{
    [Fact]
    public void From_EndShare_IsOfTheRateThatIsUsed()
    {
        var defaults = new TrainingDefaults { Optimizer = "adamw", LearningRate = 1e-4, EndShare = 0.1 };
        double End(FitOptions options) => TrainingPlan.From(options, defaults, validated: false) is var plan ? plan.EndLearningRate / plan.LearningRate : 0;
        Assert.Equal(0.1, End(new FitOptions()), 1e-12);
        Assert.Equal(0.1, End(new FitOptions { LearningRate = 0.5 }), 1e-12);
        Assert.Equal(0.1, End(new FitOptions { Optimizer = "sgd" }), 1e-12); // not the default optimiser's rate
    }

    // A resumed run is given what is left of its budget: its saved state must still be its own.
    [Fact]
    public void Fingerprint_LimitsOfTimeAndEnergy_AreNoPartOfIt()
    {
        var options = new FitOptions { Seed = 3, Epochs = 5 };
        string Print(FitOptions given) => TrainingPlan.From(given, new TrainingDefaults(), validated: true).Fingerprint();
        Assert.Equal(Print(options), Print(options with { MaxTime = TimeSpan.FromSeconds(7), MaxJoules = 9 }));
        Assert.NotEqual(Print(options), Print(options with { Epochs = 6 }));
    }
}
