using Candela.Models;

namespace Candela.Training.Tests;

public class TrainingPlanTests
{
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
