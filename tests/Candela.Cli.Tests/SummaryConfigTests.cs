namespace Candela.Cli.Tests;

public class SummaryConfigTests
{
    [Fact]
    [Trait("Kind", "golden")]
    public void SummaryConfig_Gpt2_PrintsThePublishedCount()
    {
        using var folder = new Folder();
        string config = folder.Write("config.json", """{"model_type":"gpt2","vocab_size":50257,"n_positions":1024,"n_embd":768,"n_layer":12,"n_head":12}""");
        CommandOutcome text = folder.Run("summary", "--config", config).Ok(), json = folder.Run("summary", "--config", folder.Path, "--json").Ok();
        Assert.Contains("Parameters 124,439,808", text.Output);
        Assert.Equal(124_439_808, (long)json.Json["parameters"]!);
        Assert.Equal(2 * 12 * 2 * 768, (long)json.Json["cacheBytesPerTokenF16"]!);
    }

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("model_type", """{"model_type":"gpt3"}""")]
    [InlineData("Did you mean 'gpt2'", """{"model_type":"gpt3"}""")]
    [InlineData("'n_head' 7", """{"model_type":"gpt2","n_head":7}""")]
    [InlineData("JSON", "[]")]
    public void SummaryConfig_UnusableConfiguration_IsRefused(string expected, string json)
    {
        using var folder = new Folder();
        CommandOutcome outcome = folder.Run("summary", "--config", folder.Write("config.json", json));
        Assert.Equal(2, outcome.Code);
        Assert.Contains(expected, outcome.Error);
        Assert.Equal(2, folder.Run("summary").Code);
        Assert.Equal(2, folder.Run("summary", "run", "--config", "x").Code);
    }
}
