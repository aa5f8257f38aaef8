using System.Text.Json.Nodes;

namespace Candela.Cli.Tests;

public class VerbTests
{
    [Fact]
    public void Help_OfTheCommand_ListsItsVerbs()
    {
        using var folder = new Folder();
        CommandOutcome outcome = folder.Run("--help").Ok();
        Assert.All((string[])["train", "evaluate", "predict", "summary", "runs", "doctor"], verb => Assert.Contains(verb, outcome.Output));
    }

    [Theory]
    [InlineData("trian", "Did you mean 'train'?")]
    [InlineData("predict --fromat csv a b", "Did you mean '--format'?")]
    [InlineData("evaluate nowhere data.csv", "nowhere")]
    [InlineData("predict nowhere data.csv", "nowhere")]
    [InlineData("summary nowhere", "nowhere")]
    [InlineData("runs nowhere", "nowhere")]
    [InlineData("doctor --training nowhere", "nowhere")]
    [InlineData("train", "DATA")]
    [InlineData("train missing.csv --target y", "missing.csv")]
    public void Misuse_IsExit2WithAHint(string arguments, string expected)
    {
        using var folder = new Folder();
        CommandOutcome outcome = folder.Run(arguments.Split(' '));
        Assert.True(outcome.Code == 2, $"exit {outcome.Code}: {outcome.Output}{outcome.Error}");
        Assert.Contains(expected, outcome.Error);
        Assert.Empty(outcome.Output);
    }

    [Fact]
    public void Predict_CsvAndJsonl_GiveTheSamePredictionsWithProbabilitiesThatSumToOne()
    {
        using var folder = new Folder();
        folder.Run("train", folder.Classes(), "--target", "label", "--model", "linear", "--out", folder.At("run"), "--quiet").Ok();
        string fresh = folder.Classes("fresh.csv", rows: 50, seed: 9, withTarget: false);

        string[] csv = folder.Run("predict", folder.At("run"), fresh).Ok().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        JsonNode[] jsonl = [.. folder.Run("predict", folder.At("run"), fresh, "--format", "jsonl").Ok().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!)];

        JsonNode document = folder.Run("predict", folder.At("run"), fresh, "--json").Ok().Json;
        Assert.Equal(jsonl.Select(j => j.ToJsonString()), document["predictions"]!.AsArray().Select(p => p!.ToJsonString()));
        JsonNode summary = folder.Run("predict", folder.At("run"), fresh, "--json", "--out", folder.At("p.csv")).Ok().Json;
        Assert.Equal((50, 51), ((int)summary["rows"]!, File.ReadAllLines(folder.At("p.csv")).Length));

        Assert.Equal("row,prediction,p_no,p_yes", csv[0].TrimEnd());
        Assert.Equal((50, 50), (csv.Length - 1, jsonl.Length));
        for (int i = 0; i < 50; i++)
        {
            string[] cells = csv[i + 1].TrimEnd().Split(',');
            double no = (double)jsonl[i]["probabilities"]!["no"]!, yes = (double)jsonl[i]["probabilities"]!["yes"]!;
            Assert.Equal(1, no + yes, 1e-6);
            Assert.Equal(cells[1], (string?)jsonl[i]["prediction"]);
            Assert.Equal(yes > no ? "yes" : "no", cells[1]);
            Assert.Equal(yes, double.Parse(cells[3], System.Globalization.CultureInfo.InvariantCulture), 1e-6);
        }
    }

    [Fact]
    public void Predict_UnseenCategoryAndExtraColumn_AreScored_MissingColumnIsExit2()
    {
        using var folder = new Folder();
        folder.Run("train", folder.Classes(), "--target", "label", "--model", "linear", "--out", folder.At("run"), "--quiet").Ok();
        string odd = folder.Write("odd.csv", "note,y,x,colour\nhi,0.5,1.5,mauve\nho,,-2,\n");
        string[] lines = folder.Run("predict", folder.At("run"), odd).Ok().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        CommandOutcome missing = folder.Run("predict", folder.At("run"), folder.Write("short.csv", "x,colour\n1,red\n"));
        Assert.Equal(2, missing.Code);
        Assert.Contains("'y'", missing.Error);
    }

    [Fact]
    public void Evaluate_OnTheTestFile_RepeatsTheRunsOwnTestMetrics()
    {
        using var folder = new Folder();
        string test = folder.Classes("test.csv", rows: 200, seed: 8);
        JsonNode trained = folder.Run("train", folder.Classes(), "--target", "label", "--model", "boosting", "--test", test, "--out", folder.At("run"), "--json", "--quiet").Ok().Json;
        JsonNode evaluated = folder.Run("evaluate", folder.At("run"), test, "--json").Ok().Json;
        foreach (string name in (string[])["accuracy", "rocAuc", "logLoss"])
            Assert.Equal((double)trained["metrics"]!["test"]![name]!["value"]!, (double)evaluated["metrics"]![name]!["value"]!, 6);
    }

    [Fact]
    public void Runs_OfAFolder_ListsThem_OfTwoRuns_ComparesThem()
    {
        using var folder = new Folder();
        string data = folder.Classes();
        foreach (string model in (string[])["linear", "mlp"])
            folder.Run("train", data, "--target", "label", "--model", model, "--epochs", "2", "--out", folder.At(model), "--quiet").Ok();
        string list = folder.Run("runs", folder.Path).Ok().Output;
        Assert.Contains("linear", list);
        Assert.Contains("mlp", list);
        Assert.Equal(2, folder.Run("runs", folder.Path, "--json").Ok().Json.AsArray().Count);
        Assert.Contains("test accuracy", folder.Run("runs", folder.At("linear"), folder.At("mlp")).Ok().Output);
    }

    [Fact]
    public void Summary_OfAnMlp_ShowsItsLayersAndParameters()
    {
        using var folder = new Folder();
        JsonNode trained = folder.Run("train", folder.Classes(), "--target", "label", "--model", "mlp", "--epochs", "1", "--out", folder.At("run"), "--json", "--quiet").Ok().Json;
        CommandOutcome summary = folder.Run("summary", folder.At("run")).Ok();
        Assert.Contains($"{(long)trained["parameters"]!:N0} parameters", summary.Output);
        Assert.Contains("dense", summary.Output, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Doctor_Json_TellsEngineAndDevices()
    {
        using var folder = new Folder();
        JsonNode doctor = folder.Run("doctor", "--json").Ok().Json;
        Assert.True((bool)doctor["engine"]!["loaded"]!, (string?)doctor["engine"]!["problem"]);
        Assert.Contains("cpu", doctor["devices"]!.AsArray().Select(d => (string?)d));
    }
}
