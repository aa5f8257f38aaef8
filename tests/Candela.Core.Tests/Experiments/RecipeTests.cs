using Candela.Data;
using Candela.Experiments;
using Candela.Models;
using CsCheck;

namespace Candela.Tests.Experiments;

public class RecipeTests
{
    private static readonly Gen<string> Names = Gen.OneOf(
        Gen.String[Gen.Char[' ', '~'], 1, 10], Gen.Const("null"), Gen.Const("0.2"), Gen.Const("~"), Gen.Const("a: b # c"), Gen.Const("中文 列"), Gen.Const("#3"), Gen.Const(" pad "), Gen.Const("true"), Gen.Const("?"), Gen.Const("'\"\\\n"));

    [Fact]
    [Trait("Kind", "property")]
    public void ToYaml_AnyRequest_ParsesToTheSameRequest()
    {
        var request =
            from names in Names.Array[3]
            from list in Names.Array[0, 4]
            from numbers in Gen.Double[0, 1e9].Array[9]
            from wholes in Gen.Int[1, int.MaxValue].Array[9]
            from seed in Gen.Long
            from flag in Gen.Bool.Array[3]
            from kind in Gen.Enum<ColumnKind>()
            from header in Gen.Enum<HeaderMode>()
            from share in Gen.Double[0, 0.999]
            select new TrainRequest
            {
                Data = names[0],
                Target = flag[0] ? names[1] : null,
                Task = flag[1] ? "regression" : null,
                Model = names[2],
                Table = new TableOptions
                {
                    Header = header,
                    SkipLines = wholes[0],
                    ColumnNames = flag[2] ? list : null,
                    MissingMarks = list,
                    Kinds = new Dictionary<string, ColumnKind> { [names[0]] = kind },
                    LabelsFile = flag[0] ? names[2] : null,
                    MemoryBudget = wholes[1],
                },
                Exclude = list,
                Keep = [names[1]],
                ValidFile = flag[1] ? names[1] : null,
                ValidFraction = flag[1] ? null : share,
                TestFile = flag[2] ? names[2] : null,
                TestFraction = flag[2] ? null : share,
                Folds = wholes[2],
                Region = names[0],
                Fit = new FitOptions
                {
                    Seed = seed,
                    Epochs = flag[0] ? wholes[3] : null,
                    MaxSteps = wholes[4],
                    BatchSize = wholes[5],
                    LearningRate = numbers[0],
                    EndLearningRate = flag[2] ? numbers[8] : null,
                    Beta2 = flag[0] ? numbers[8] % 1 : null,
                    Optimizer = flag[0] ? "adamw" : null,
                    Schedule = flag[1] ? "one-cycle" : flag[2] ? "warmup+cosine" : null,
                    WarmupSteps = flag[2] ? 12 : null,
                    L1 = numbers[1],
                    L2 = flag[1] ? numbers[2] : null,
                    Dropout = numbers[3] % 1,
                    Hidden = flag[2] ? [wholes[6], wholes[7]] : null,
                    Patience = wholes[8],
                    ClipNorm = numbers[4],
                    LabelSmoothing = flag[0] ? numbers[5] % 1 : null,
                    Ema = flag[1] ? numbers[6] % 1 : null,
                    Accumulate = wholes[0],
                    ClassWeights = "balanced",
                    MaxTime = flag[0] ? TimeSpan.FromSeconds(wholes[1]) : null,
                    MaxJoules = numbers[7],
                    Threads = wholes[2],
                    Device = "cpu",
                },
                Sequence = new SequenceOptions
                {
                    Base = flag[0] ? names[0] : null,
                    Tokenizer = flag[1] ? names[1] : null,
                    Vocabulary = wholes[3],
                    Layers = flag[0] ? 4 : null,
                    Heads = flag[1] ? 2 : null,
                    Width = flag[2] ? 64 : null,
                    Block = flag[0] ? 128 : null,
                    EvaluateEvery = flag[0] ? wholes[4] : null,
                    LoraRank = flag[1] ? 8 : null,
                    LoraAlpha = flag[1] ? numbers[3] : null,
                    LoraDropout = flag[2] ? numbers[3] % 1 : null,
                    LoraTargets = flag[0] ? list : null,
                    HeadOnly = flag[1] ? flag[2] : null,
                },
            };
        request.Sample(r => Assert.Equivalent(r, Recipe.Parse(Recipe.ToYaml(r), "recipe.yaml"), strict: true), iter: 300, threads: 1);
    }

    [Fact]
    public void Keys_EveryOptionOfTheRequest_HasOne()
    {
        // One key per property, except that Table, Fit and Sequence are the records themselves and a part's file and share go under one key; schema is another way to set the kinds.
        int properties = typeof(TrainRequest).GetProperties().Length + typeof(TableOptions).GetProperties().Length + typeof(FitOptions).GetProperties().Count(p => p.CanWrite) + typeof(SequenceOptions).GetProperties().Length;
        Assert.Equal(properties - 3 - 2 + 1, Recipe.Keys.Count);
    }

    [Fact]
    public void Set_TextOfAFlag_MeansTheSameAsInARecipe()
    {
        var request = new TrainRequest { Data = "a.csv" };
        foreach ((string key, string text) in (IEnumerable<(string, string)>)[("exclude", "a, b"), ("type", "zip=category"), ("type", "n=number"), ("hidden", "64,32"), ("test", "0.3"), ("valid", "dev.csv"), ("epochs", "3"), ("na", "?")])
            request = Recipe.Set(request, key, text);
        Assert.Equal(["a", "b"], request.Exclude);
        Assert.Equal(new Dictionary<string, ColumnKind> { ["zip"] = ColumnKind.Category, ["n"] = ColumnKind.Number }, request.Table.Kinds);
        Assert.Equal([64, 32], request.Fit.Hidden);
        Assert.Equal((0.3, "dev.csv", 3), (request.TestFraction, request.ValidFile, request.Fit.Epochs));
        Assert.Equal([], Recipe.Set(request, "hidden", "none").Fit.Hidden);
        Assert.Equivalent(request, Recipe.Parse(Recipe.ToYaml(request), "recipe.yaml"), strict: true);
    }

    [Fact]
    public void Set_ListGivenSeveralTimes_IsJoined()
    {
        var recipe = new TrainRequest { Data = "a.csv", Exclude = ["old"], Fit = new FitOptions { Hidden = [8] } };
        var request = Recipe.Set(Recipe.Set(recipe, "exclude", "a, b", "c"), "hidden", "64", "32");
        Assert.Equal(["a", "b", "c"], request.Exclude);
        Assert.Equal([64, 32], request.Fit.Hidden!);
        Assert.Equal(7, Recipe.Set(recipe, "epochs", "5", "7").Fit.Epochs);
    }

    [Fact]
    public void Set_MissingMarks_AreAddedToThoseThereAre_NoneDropsThem()
    {
        var request = new TrainRequest { Data = "a.csv" };
        Assert.Equal([.. request.Table.MissingMarks, "oops", "-"], Recipe.Set(request, "na", "oops,?", "-").Table.MissingMarks);
        Assert.Equal(["-"], Recipe.Set(request, "na", "none,-").Table.MissingMarks);
        Assert.Equal([], Recipe.Set(request, "na", "none").Table.MissingMarks);
    }

    [Fact]
    public void Set_SchemaFile_GivesKindsThatTypeMayOverride()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("schema.yaml"), "zip: category\nage: integer\n");
        var request = Recipe.Set(Recipe.Set(new TrainRequest { Data = "a.csv" }, "schema", folder.File("schema.yaml")), "type", "age=number");
        Assert.Equal(new Dictionary<string, ColumnKind> { ["zip"] = ColumnKind.Category, ["age"] = ColumnKind.Number }, request.Table.Kinds);
        Assert.Equivalent(request, Recipe.Parse(Recipe.ToYaml(request), "recipe.yaml"), strict: true);
    }

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("epochs", "three", "--epochs got 'three'; a whole number of at least 1 was needed.")]
    [InlineData("optimizer", "adm", "Did you mean 'adam'?")]
    [InlineData("type", "zip", "--type got 'zip'; COLUMN=KIND was needed")]
    [InlineData("device", "gpu", "one of auto, cpu, cuda, cuda:N, mps was needed")]
    [InlineData("device", "cuda:x", "got 'cuda:x'")]
    [InlineData("dropout", "1", "at least 0 and below 1 was needed")]
    [InlineData("max-seconds", "1e12", "at least 0 and below 900000000000 was needed")]
    [InlineData("max-joules", "inf", "a number of at least 0")]
    [InlineData("tets", "0.2", "There is no option '--tets'. Did you mean 'test'?")]
    public void Set_BadText_IsRefusedWithTheFlagNamed(string key, string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<UsageException>(() => Recipe.Set(new TrainRequest { Data = "a.csv" }, key, text)).Message);

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("data: a.csv\nepoch: 3", "recipe.yaml:2: there is no recipe key 'epoch'. Did you mean 'epochs'?")]
    [InlineData("data: a.csv\nepochs: three", "recipe.yaml:2: epochs: got 'three'; a whole number of at least 1 was needed.")]
    [InlineData("data: a.csv\nepochs: 0", "epochs: got '0'")]
    [InlineData("data: a.csv\nhidden: 64", "a list was needed")]
    [InlineData("data: [a.csv]", "data: got a list; a text was needed.")]
    [InlineData("data: a.csv\ntype: {x: categry}", "Did you mean 'category'?")]
    [InlineData("data: a.csv\nvalid: 1.5", "a share of the rows")]
    [InlineData("data: a.csv\nlearning-rate: -1", "a number of at least 0")]
    [InlineData("target: y", "names no data")]
    public void Parse_ValueThatCannotBeUsed_SaysWhereAndWhatWasNeeded(string yaml, string says) =>
        Assert.Contains(says, Assert.Throws<UsageException>(() => Recipe.Parse(yaml, "recipe.yaml")).Message, StringComparison.Ordinal);

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("version: 2\ndata: a.csv", Fault.Unsupported)]
    [InlineData("data: 'a", Fault.Corrupt)]
    [InlineData("data: a\ndata: b", Fault.Corrupt)]
    [InlineData("- data", Fault.WrongFormat)]
    [InlineData("", Fault.WrongFormat)]
    public void Parse_FileThatIsNoRecipe_IsRefused(string yaml, Fault fault) =>
        Assert.Equal(fault, Assert.Throws<FileFormatException>(() => Recipe.Parse(yaml, "recipe.yaml")).Fault);

    [Fact]
    public void Parse_HandWrittenRecipe_FillsDefaults()
    {
        var request = Recipe.Parse("target: y\nvalid: \"0.2\"\ntest: 0.3\nhidden: [64, 32]\n", "recipe.yaml", "b.csv");
        Assert.Equal(("b.csv", "y", "0.2", 0.3, "auto"), (request.Data, request.Target, request.ValidFile, request.TestFraction, request.Model));
        Assert.Equal([64, 32], request.Fit.Hidden!);
    }
}
