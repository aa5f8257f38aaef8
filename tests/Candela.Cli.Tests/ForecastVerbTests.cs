using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Candela.Cli.Tests;

/// <summary>A forecaster from <c>train</c> to <c>predict</c>, as a newcomer types it.</summary>
public sealed class ForecastVerbTests : IDisposable
{
    private readonly Folder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Months(int count = 150)
    {
        var rng = new Rng(2);
        var text = new StringBuilder("month,sales\n");
        for (int t = 0; t < count; t++)
            text.Append(CultureInfo.InvariantCulture, $"{new DateTime(2010, 1, 1).AddMonths(t):yyyy-MM},{100 + t + (20 * Math.Sin(2 * Math.PI * t / 12)) + rng.NextGaussian():F2}\n");
        return _folder.Write("sales.csv", text.ToString());
    }

    private CommandOutcome Train(params string[] more) =>
        _folder.Run(["train", Months(), "--task", "forecast", "--target", "sales", "--model", "gru", "--epochs", "20", "--threads", "1", "--out", _folder.At("run"), .. more]);

    [Fact]
    public void Train_MonthlySeries_ShowsBaselinesAndPredictGoesOnWithTheMonths()
    {
        CommandOutcome train = Train().Ok();
        Assert.Contains("(forecast)", train.Output);
        foreach (string rival in new[] { "naive", "seasonal-naive", "drift", "mean", "autoregression" })
            Assert.Matches($@"(?m)^{rival} +\d", train.Output);
        Assert.Contains("coverage", train.Output);

        string run = _folder.At("run");
        JsonNode[] next = [.. _folder.Run("predict", run, Months(), "--json").Ok().Json["predictions"]!.AsArray().Select(p => p!)];
        Assert.Equal(12, next.Length); // a season
        Assert.Equal(["2022-07", "2022-08"], next.Take(2).Select(p => (string)p["time"]!));
        Assert.All(next, p => Assert.True((double)p["low"]! < (double)p["prediction"]! && (double)p["prediction"]! < (double)p["high"]!));
        Assert.InRange((double)next[0]["prediction"]!, 220, 280);
        Assert.StartsWith("row,series,step,time,prediction,low,high\n0,,1,2022-07,", _folder.Run("predict", run, Months(), "--format", "csv").Ok().Output.ReplaceLineEndings("\n"));
        Assert.Matches(@"^2022-07\t", _folder.Run("predict", run, Months()).Ok().Output);

        JsonNode evaluated = _folder.Run("evaluate", run, Months(), "--json").Ok().Json;
        Assert.True((double)evaluated["metrics"]!["mae"]!["value"]! > 0);
        Assert.Contains("values", _folder.Run("evaluate", run, Months()).Ok().Output);
        Assert.Contains("autoregression", File.ReadAllText(Path.Combine(run, "report.html")));
        JsonNode record = _folder.Run("runs", run, "--json").Ok().Json[0]!;
        Assert.Equal("forecast", (string?)record["task"]);
        Assert.Equal("gru", (string?)record["model"]);
    }

    [Fact]
    public void Train_OptionsGiven_AreInTheRecipeAndRepeatTheRun()
    {
        Train("--horizon", "3", "--window", "10", "--season", "1", "--time", "month").Ok();
        string recipe = File.ReadAllText(Path.Combine(_folder.At("run"), "recipe.yaml"));
        foreach (string line in new[] { "horizon: 3", "window: 10", "season: 1", "time: month" })
            Assert.Contains(line, recipe);
        _folder.Run("train", "--recipe", Path.Combine(_folder.At("run"), "recipe.yaml"), "--out", _folder.At("again")).Ok();
        Assert.Equal(File.ReadAllBytes(Path.Combine(_folder.At("run"), "model.safetensors")), File.ReadAllBytes(Path.Combine(_folder.At("again"), "model.safetensors")));
        Assert.Equal(3, _folder.Run("predict", _folder.At("again"), Months()).Ok().Output.TrimEnd().Split('\n').Length);
    }

    [Theory]
    [InlineData("--time", "sales", "named twice")]
    [InlineData("--time", "week", "no column")]
    [InlineData("--window", "1", "at least 2")]
    [InlineData("--window", "100", "--window")]
    [InlineData("--exclude", "month", "--keep")]
    public void Train_WhatCannotBeUsed_EndsWithTwoAndSaysWhy(string option, string value, string word)
    {
        CommandOutcome outcome = Train(option, value);
        Assert.Equal(2, outcome.Code);
        Assert.Contains(word, outcome.Error);
        Assert.False(Directory.Exists(_folder.At("run")));
    }
}
