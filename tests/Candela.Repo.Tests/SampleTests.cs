namespace Candela.Repo.Tests;

/// <summary>Every sample is under 100 lines, builds, runs and prints its golden numbers. The goldens are from corrected runs of the articles'
/// programs in NumPy (03, 06), from the layer formula (02: 225,034 = 320 + 18,496 + 204,928 + 1,290), and from what a hidden layer can do (01).</summary>
[Collection("builds")]
public class SampleTests
{
    [Theory]
    [InlineData("01-xor", "linear model: accuracy 50", "with a hidden layer: accuracy 100")]
    [InlineData("02-digits-cnn", "Parameters 225,034", "epoch 3")]
    [InlineData("03-linear-regression", "w=2.586954, b=2.735247", "w=2.936551, b=2.558080")]
    [InlineData("04-mlp-regression", "after 300", "0.07")]
    [InlineData("05-tabular-classifier", "parameters (64 x", "test accuracy: 0.9")]
    [InlineData("06-gradient-descent", "theta=[0.293558, 0.796564], MSE 5.9525E-003", "after 10,000 steps")]
    public void Sample_Run_PrintsItsGoldenNumbers(string name, params string[] expected)
    {
        string file = Path.Combine("samples", name + ".cs");
        Assert.InRange(File.ReadLines(Path.Combine(Repository.Root, file)).Count(), 1, 99);
        CommandResult result = CommandResult.Of("dotnet", ["run", file], Repository.Root);
        Assert.True(result.ExitCode == 0, $"{file}\nexit {result.ExitCode}\n{result.Output}\n{result.Error}");
        Assert.All(expected, text => Assert.Contains(text, result.Output));
    }

    [Fact]
    public void Samples_Folder_HasATestForEach()
    {
        string[] tested = [.. typeof(SampleTests).GetMethod(nameof(Sample_Run_PrintsItsGoldenNumbers))!.GetCustomAttributes(typeof(InlineDataAttribute), false).Cast<InlineDataAttribute>().Select(d => (string)d.Data[0]!)];
        string[] samples = [.. Directory.GetFiles(Path.Combine(Repository.Root, "samples"), "*.cs").Select(f => Path.GetFileNameWithoutExtension(f)!)];
        Assert.Equal(samples.Order(), tested.Order());
    }
}
