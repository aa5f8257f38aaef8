using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Candela.Cli.Tests;

/// <summary>What a new user gets wrong, and what the command says then.</summary>
public class MisuseTests
{
    [Fact]
    public void Candela_WithoutArguments_PrintsHelpOnStdoutAndExits0()
    {
        using var folder = new Folder();
        CommandOutcome bare = folder.Run().Ok();
        Assert.Equal(folder.Run("--help").Output, bare.Output);
        Assert.Contains("train", bare.Output);
        Assert.Empty(bare.Error);
    }

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("predict")]
    [InlineData("evaluate")]
    public void Verb_DataAndRunSwapped_SaysTheRightOrder(string verb)
    {
        using var folder = new Folder();
        string data = folder.Classes(), run = folder.At("run");
        folder.Run("train", data, "--target", "label", "--model", "linear", "--out", run, "--quiet").Ok();
        CommandOutcome swapped = folder.Run(verb, data, run);
        Assert.Equal(2, swapped.Code);
        Assert.Contains($"candela {verb} {run} {data}", swapped.Error);
        Assert.Contains("a run folder was needed", folder.Run(verb, data, data).Error);
    }

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("xgboost", "'boosting'")]
    [InlineData("LightGBM", "'boosting'")]
    [InlineData("gbm", "'boosting'")]
    [InlineData("rf", "'forest'")]
    [InlineData("random-forest", "'forest'")]
    [InlineData("nn", "'mlp'")]
    [InlineData("logistic", "'linear'")]
    [InlineData("svm", "'linear'")]
    [InlineData("boostin", "Did you mean 'boosting'?")]
    public void Train_ModelByAnotherName_HintsTheFamilyWeHave(string model, string expected)
    {
        using var folder = new Folder();
        CommandOutcome outcome = folder.Run("train", folder.Classes(), "--target", "label", "--model", model, "--out", folder.At("run"), "--quiet");
        Assert.Equal(2, outcome.Code);
        Assert.Contains(expected, outcome.Error.Split("Models:")[0]);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Train_TooFewRows_SaysHowManyThereAreAreNeededAndWhatToDo_AsTheLastLine()
    {
        using var folder = new Folder();
        CommandOutcome outcome = folder.Run("train", folder.Write("few.csv", "a,y\n1,u\n2,v\n3,v\n"), "--target", "y", "--out", folder.At("run"));
        Assert.Equal(2, outcome.Code);
        Assert.Contains("column", outcome.Error); // the schema came first
        string last = outcome.Error.TrimEnd().Split('\n')[^1];
        Assert.StartsWith("candela:", last);
        Assert.Contains("3 rows", last);
        Assert.Contains("at least 4", last);
        Assert.Contains("--valid 0", last);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Train_RecipeWhoseRelativeDataIsNotThere_SaysWhatItCountsFrom()
    {
        using var folder = new Folder();
        string recipe = folder.Write("recipe.yaml", "data: nowhere-to-be-found.csv\ntarget: y\n");
        CommandOutcome outcome = folder.Run("train", "--recipe", recipe, "--quiet");
        Assert.Equal(2, outcome.Code);
        Assert.Contains(Directory.GetCurrentDirectory(), outcome.Error);
        Assert.Contains($"candela train DATA --recipe {recipe}", outcome.Error);
        string beside = folder.Write("nowhere-to-be-found.csv", "a,y\n1,2\n");
        Assert.Contains($"candela train {beside}", folder.Run("train", "--recipe", recipe, "--quiet").Error);
    }

    [Fact]
    public void Evaluate_OnTrainingRows_WarnsAndSaysHowMany()
    {
        using var folder = new Folder();
        string data = folder.Classes(), test = folder.Classes("test.csv", rows: 100, seed: 8);
        folder.Run("train", data, "--target", "label", "--model", "linear", "--test", test, "--out", folder.At("run"), "--quiet").Ok();
        CommandOutcome whole = folder.Run("evaluate", folder.At("run"), data, "--json").Ok();
        JsonNode warning = Assert.Single(whole.Json["warnings"]!.AsArray())!;
        Assert.Equal("seen-in-training", (string?)warning["code"]);
        Assert.Contains("340 of its 400 rows", (string?)warning["message"]);
        Assert.Contains("[seen-in-training]", whole.Error);

        // Other bytes, half of the rows trained on: 200 old rows, of which about 170 trained, and 100 new ones.
        string mixed = folder.Write("mixed.csv", string.Join('\n', File.ReadLines(data).Take(201).Concat(File.ReadLines(test).Skip(1))) + "\n");
        string message = (string)Assert.Single(folder.Run("evaluate", folder.At("run"), mixed, "--json").Ok().Json["warnings"]!.AsArray())!["message"]!;
        Assert.InRange(int.Parse(message.Split(' ')[0]), 150, 190);
        Assert.Contains("of these 300 rows", message);
        Assert.Empty(folder.Run("evaluate", folder.At("run"), test, "--json").Ok().Json["warnings"]!.AsArray());
    }

    [Fact]
    public void Predict_Keep_CarriesColumnsOfTheData()
    {
        using var folder = new Folder();
        folder.Run("train", folder.Classes(), "--target", "label", "--model", "linear", "--out", folder.At("run"), "--quiet").Ok();
        string data = folder.Write("fresh.csv", "id,x,y,colour,row\n0007,1.50,0,red,\"a, b\"\n0008,-1,-2e0,blue,c\n");
        string[] csv = folder.Run("predict", folder.At("run"), data, "--keep", "id", "--keep", "row,x").Ok().Output.Split('\n', StringSplitOptions.TrimEntries);
        Assert.Equal("row,id,data_row,x,prediction,p_no,p_yes", csv[0]);
        Assert.StartsWith("0,0007,\"a, b\",1.50,yes,", csv[1]);
        Assert.StartsWith("1,0008,c,-1,no,", csv[2]);
        JsonNode all = folder.Run("predict", folder.At("run"), data, "--keep", "all", "--json").Ok().Json["predictions"]![1]!["kept"]!;
        Assert.Equal(["id", "x", "y", "colour", "row"], all.AsObject().Select(k => k.Key));
        Assert.Equal("-2e0", (string?)all["y"]);
        CommandOutcome missing = folder.Run("predict", folder.At("run"), data, "--keep", "idd");
        Assert.Equal(2, missing.Code);
        Assert.Contains("Did you mean 'id'?", missing.Error);
    }

    [Fact]
    public void Runs_WithALiveRun_CallsItRunning_AndInterruptedOnceItIsKilled()
    {
        using var folder = new Folder();
        string run = folder.At("live");
        using Process process = Start(folder.Path, "train", folder.Classes(rows: 20_000), "--target", "label", "--model", "mlp", "--epochs", "4000", "--patience", "4000", "--out", run, "--quiet");
        var clock = Stopwatch.StartNew();
        while (!File.Exists(Path.Combine(run, "recipe.yaml")) && clock.Elapsed < TimeSpan.FromSeconds(60) && !process.HasExited)
            Thread.Sleep(20);
        Assert.Contains($"running: {run}", folder.Run("runs", folder.Path).Error);
        Assert.Contains("still being trained", folder.Run("summary", run).Error);
        process.Kill();
        process.WaitForExit();
        Assert.Contains($"interrupted: {run}", folder.Run("runs", folder.Path).Error);
    }

    [Fact]
    public void Train_SeveralAtOnceWithoutOut_TakeNamesOfTheirOwn()
    {
        using var folder = new Folder();
        folder.Classes("d.csv");
        Process[] processes = [.. Enumerable.Range(0, 3).Select(_ => Start(folder.Path, "train", "d.csv", "--target", "label", "--model", "linear", "--quiet"))];
        foreach (Process process in processes)
        {
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, error);
            process.Dispose();
        }

        Assert.Equal(["d", "d-2", "d-3"], Directory.GetFileSystemEntries(folder.At("runs")).Select(Path.GetFileName).Order());
    }

    private static Process Start(string directory, params string[] arguments) => Process.Start(
        new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "candela.exe" : "candela"), arguments) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = directory })!;
}
