using System.Text.Json.Nodes;

namespace Candela.Cli.Tests;

public class TrainTests
{
    [Fact]
    public void Train_JsonOfATable_HasEveryPromisedFieldAndNothingElseOnStdout()
    {
        using var folder = new Folder();
        JsonNode json = folder.Run("train", folder.Classes(), "--target", "label", "--out", folder.At("run"), "--json", "--quiet").Ok().Json;

        Assert.Equal(folder.At("run"), (string?)json["run"]);
        Assert.Equal("binary", (string?)json["task"]);
        Assert.Equal((400, 80, 60), (json["rows"]!.AsObject().Sum(r => (int)r.Value!), (int)json["rows"]!["test"]!, (int)json["rows"]!["valid"]!));
        foreach (string name in (string[])["accuracy", "f1Macro", "rocAuc", "prAuc", "logLoss", "brier", "ece", "mcc"])
        {
            JsonNode metric = json["metrics"]!["test"]![name]!;
            Assert.InRange((double)metric["value"]!, (double)metric["low"]!, (double)metric["high"]!);
        }

        Assert.Null(json["metrics"]!["test"]!["rmse"]);
        Assert.True((double)json["metrics"]!["test"]!["accuracy"]!["value"]! > (double)json["baseline"]!["metrics"]!["accuracy"]!["value"]!);
        foreach (string field in (string[])["model", "parameters", "seconds", "joules", "stopReason"])
            Assert.NotNull(json[field]);
        foreach (string file in (string[])["config.json", "model.safetensors", "preprocessing.json", "recipe.yaml", "run.json", "events.jsonl", "report.html"])
            Assert.True(File.Exists(Path.Combine(folder.At("run"), file)), file);
        Assert.False(Directory.Exists(Path.Combine(folder.At("run"), "checkpoints")));
    }

    [Fact]
    public void Train_EveryFlag_IsARecipeKey() => Assert.All(Options.TrainFlags.All, flag => Assert.Contains(flag.Key, Experiments.Recipe.Keys));

    [Fact]
    public void Train_SchemaFileAndRepeatedLists_AreHeeded()
    {
        using var folder = new Folder();
        string schema = folder.Write("schema.yaml", "x: category\n");
        JsonNode json = folder.Run("train", folder.Classes(), "--target", "label", "--model", "linear", "--schema", schema, "--type", "x=number", "--exclude", "y", "--exclude", "colour", "--out", folder.At("run"), "--json", "--quiet").Ok().Json;
        Assert.Equal("linear", (string?)json["model"]);
        string recipe = File.ReadAllText(Path.Combine(folder.At("run"), "recipe.yaml"));
        Assert.Contains("exclude: [y, colour]", recipe);
        Assert.Contains("x: number", recipe);
    }

    /// <summary>The adult shape: no header, names given, then files to predict and to evaluate.</summary>
    [Fact]
    public void Train_NamesGivenForAHeaderlessFile_PredictAndEvaluateUseEveryRow()
    {
        using var folder = new Folder();
        string data = folder.Write("data.csv", File.ReadAllText(folder.Classes()).Split('\n', 2)[1]);
        folder.Run("train", data, "--header", "no", "--columns", "x,y,colour,label", "--target", "label", "--model", "linear", "--out", folder.At("run"), "--quiet").Ok();
        string fresh = folder.Write("fresh.csv", File.ReadAllText(folder.Classes("f.csv", rows: 50, seed: 9, withTarget: false)).Split('\n', 2)[1]);
        Assert.Equal(51, folder.Run("predict", folder.At("run"), fresh).Ok().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal(401, folder.Run("predict", folder.At("run"), data).Ok().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal(400, (int)folder.Run("evaluate", folder.At("run"), data, "--json").Ok().Json["rows"]!);
    }

    [Fact]
    public void Train_RecipeOfARun_GivesTheSameWeights()
    {
        using var folder = new Folder();
        folder.Run("train", folder.Classes(), "--target", "label", "--model", "mlp", "--epochs", "3", "--seed", "5", "--out", folder.At("first"), "--quiet").Ok();
        folder.Run("train", "--recipe", Path.Combine(folder.At("first"), "recipe.yaml"), "--out", folder.At("second"), "--quiet").Ok();
        Assert.Equal(File.ReadAllBytes(Path.Combine(folder.At("first"), "model.safetensors")), File.ReadAllBytes(Path.Combine(folder.At("second"), "model.safetensors")));
    }

    [Fact]
    public void Train_ExistingFolder_IsRefusedUnlessOverwritten()
    {
        using var folder = new Folder();
        string data = folder.Classes();
        Directory.CreateDirectory(folder.At("run"));
        File.WriteAllText(Path.Combine(folder.At("run"), "mine.txt"), "keep");
        CommandOutcome refused = folder.Run("train", data, "--target", "label", "--model", "linear", "--out", folder.At("run"), "--quiet");
        Assert.Equal(2, refused.Code);
        Assert.Contains("--overwrite", refused.Error);
        Assert.Equal(["mine.txt"], Directory.GetFileSystemEntries(folder.At("run")).Select(Path.GetFileName));
        folder.Run("train", data, "--target", "label", "--model", "linear", "--out", folder.At("run"), "--overwrite", "--quiet").Ok();
        Assert.Equal("keep", File.ReadAllText(Path.Combine(folder.At("run"), "mine.txt")));
    }

    /// <summary>Every bad input of the guide: exit 2, the place named, and nothing left behind.</summary>
    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("a,b,y\n1,2,0\n3,4,1\n", "--target z", "'z'")]
    [InlineData("a,b,yes\n1,2,0\n3,4,1\n", "--target yas", "Did you mean 'yes'?")]
    [InlineData("", "--target y", "empty")]
    [InlineData("a,b,y\n", "--target y", "line 1")]
    [InlineData("a,b,y\n1,2,0\n1,2\n3,4,1\n", "--target y", "line 3")]
    [InlineData("a,b,y\n1,2,0\n3,4,0\n5,6,0\n", "--target y --task classification", "one class")]
    [InlineData("a,b,y\n1,2,0.5\n3,4,nan\n5,6,2.5\n7,8,3.5\n", "--target y --task regression", "'y'")]
    [InlineData("a,b,y\n1,2,0.5\n3,4,inf\n5,6,2.5\n7,8,3.5\n", "--target y --task regression", "inf")]
    [InlineData("a,b,y\n1,2,0\n3,4,1\n", "--target y --test 0.99 --valid 0.5", "0.99")]
    [InlineData("a,b,y\n1,2,0\n3,4,1\n", "--target y --model mpl", "Did you mean 'mlp'?")]
    [InlineData("a,b,y\n1,2,0\n3,4,1\n", "--target y --epochs zero", "--epochs")]
    [InlineData("a,b,y\n1,2,0\n3,4,1\n", "--target y --epoch 3", "Did you mean '--epochs'?")]
    [InlineData("a,b,y\n1,2,0\n3,4,1\n", "--target y --region atlantis", "atlantis")]
    [InlineData("a,b,y\n1,2,0\n3,4,1\n", "--target y --exclude q", "'q'")]
    public void Train_BadInput_IsExit2WithThePlaceNamedAndNothingWritten(string csv, string options, string expected)
    {
        using var folder = new Folder();
        CommandOutcome outcome = folder.Run(["train", folder.Write("data.csv", csv), "--out", folder.At("run"), "--quiet", .. options.Split(' ')]);
        Assert.True(outcome.Code == 2, $"exit {outcome.Code}: {outcome.Error}");
        Assert.Contains(expected, outcome.Error);
        Assert.InRange(outcome.Error.TrimEnd().Split('\n').Length, 1, 2);
        Assert.Empty(outcome.Output);
        Assert.Equal(["data.csv"], Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Train_TextInANumericColumn_NamesLineColumnAndRemedy()
    {
        using var folder = new Folder();
        string[] lines = File.ReadAllLines(folder.Classes());
        lines[250] = "oops" + lines[250][lines[250].IndexOf(',')..];
        CommandOutcome outcome = folder.Run("train", folder.Write("bad.csv", string.Join('\n', lines)), "--target", "label", "--out", folder.At("run"), "--quiet");
        Assert.Equal(2, outcome.Code);
        Assert.Contains("line 251", outcome.Error);
        Assert.Contains("'x'", outcome.Error);
        Assert.Contains("'oops'", outcome.Error);
        Assert.False(Directory.Exists(folder.At("run")));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Train_ResumeOfARunFinishedButForItsReport_WritesItAndRemovesWhatIsLeft()
    {
        using var folder = new Folder();
        string run = folder.At("run"), report = Path.Combine(run, "report.html");
        folder.Run("train", folder.Classes(), "--target", "label", "--model", "linear", "--out", run, "--quiet").Ok();
        File.Delete(report);
        Directory.CreateDirectory(Path.Combine(run, "checkpoints", "linear"));
        File.WriteAllText(Path.Combine(run, "checkpoints", "state.json"), "{}");
        CommandOutcome outcome = folder.Run("train", "--resume", run, "--quiet").Ok();
        Assert.Contains("finished already", outcome.Error);
        Assert.True(File.Exists(report));
        Assert.False(Directory.Exists(Path.Combine(run, "checkpoints")));
    }

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("label", "auto", "cuda", "libtorch-cuda")]
    [InlineData("label", "mlp", "cuda", "libtorch-cuda")]
    [InlineData("label", "perceptron", "cuda:1", "libtorch-cuda")]
    [InlineData("x", "mlp", "cuda", "libtorch-cuda")] // regression
    [InlineData("x", "linear-gd", "cuda", "libtorch-cuda")]
    [InlineData("x", "mlp", "mps", "--device cpu")]
    [InlineData("x", "linear", "cuda", "CPU only")]
    [InlineData("label", "boosting", "cuda", "CPU only")]
    [InlineData("label", "forest", "mps", "CPU only")]
    [InlineData("label", "tree", "cuda", "CPU only")]
    public void Train_OnADeviceThatIsNotThereOrNotUsed_IsRefusedWithThePackageToAdd(string target, string model, string device, string expected)
    {
        Assert.SkipWhen(device == "mps" && OperatingSystem.IsMacOS(), "mps may be there");
        using var folder = new Folder();
        CommandOutcome outcome = folder.Run("train", folder.Classes(), "--target", target, "--model", model, "--device", device, "--out", folder.At("run"), "--quiet");
        Assert.True(outcome.Code == 2, $"exit {outcome.Code}: {outcome.Error}");
        Assert.Contains(expected, outcome.Error);
        Assert.False(Directory.Exists(folder.At("run")));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Train_Latin1Bytes_AreRefusedWithTheLine()
    {
        using var folder = new Folder();
        File.WriteAllBytes(folder.At("latin.csv"), [.. "a,y\ncaf"u8, 0xE9, .. ",1\nx,0\n"u8]);
        CommandOutcome outcome = folder.Run("train", folder.At("latin.csv"), "--target", "y", "--out", folder.At("run"), "--quiet");
        Assert.Equal(2, outcome.Code);
        Assert.Contains("line 2", outcome.Error);
        Assert.Contains("UTF-8", outcome.Error);
    }
}
