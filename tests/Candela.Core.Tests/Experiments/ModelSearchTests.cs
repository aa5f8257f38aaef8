using Candela.Experiments;

namespace Candela.Tests.Experiments;

public class ModelSearchTests
{
    [Theory]
    [InlineData(370, 85, null, true)]     // few rows: inner folds
    [InlineData(2600, 600, null, false)]  // enough validation rows
    [InlineData(370, 85, "v.csv", false)] // the user said what chooses
    [InlineData(9000, 0, null, true)]     // nothing else to choose by
    [InlineData(12, 4, null, false)]      // too few for folds
    public void UsesInnerFolds_ByRows_IsAsDocumented(long train, long valid, string? file, bool uses) =>
        Assert.Equal(uses, ModelSearch.UsesInnerFolds(new TrainRequest { Data = "a", ValidFile = file }, train, valid));

    [Fact]
    public void PlannedFits_AutoWithFolds_IsWhatTheRunAnnouncesAndMakes()
    {
        using var folder = new TemporaryFolder();
        var seen = new List<Models.FamilyStarted>();
        using var run = Job.Train(
            new TrainRequest { Data = SampleFiles.Classes(folder, 200), Target = "kind", Folds = 3 }, folder.File("run"), [new StepFamily("steps"), new StepFamily("zero", epochs: 0)],
            new ExperimentOptions { Events = new ExperimentTests.Listener(e => { if (e is Models.FamilyStarted f) seen.Add(f); }) });
        // Two rivals: 5 inner folds each and both kept; then in each of 3 folds 5 inner folds each and the chosen one.
        Assert.Equal((5 * 2) + 2 + (3 * ((5 * 2) + 1)), seen.Count);
        Assert.Equal(Enumerable.Range(0, seen.Count), seen.Select(f => f.Index));
        Assert.All(seen, f => Assert.Equal(seen.Count, f.Fits));
        Assert.Contains(seen, f => f.Purpose == "fold 2 of 3, inner fold 4 of 5");
    }
}
