using System.Globalization;
using Candela.Data;
using Candela.Models;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Candela.Experiments;

/// <summary>One key of a recipe: how it is taken from a request and put into one. <paramref name="Set"/> throws <see cref="FormatException"/> for a value of the wrong kind.</summary>
internal sealed record RecipeKey(string Name, Func<TrainRequest, YamlNode?> Get, Func<TrainRequest, YamlNode, TrainRequest> Set)
{
    /// <summary>Turns the text of a command-line option into the node the same value has in a recipe.</summary>
    public Func<string, YamlNode> FromText { get; init; } = text => new YamlScalarNode(text) { Style = ScalarStyle.Plain };

    /// <summary>Puts in the texts of an option given once or several times; null joins lists and takes the last of single values.</summary>
    public Func<TrainRequest, IReadOnlyList<string>, TrainRequest>? Add { get; init; }

    /// <summary>Puts in the texts of an option given once or several times.</summary>
    public TrainRequest SetTexts(TrainRequest request, IReadOnlyList<string> texts)
    {
        if (Add is not null)
            return Add(request, texts);
        YamlNode[] nodes = [.. texts.Select(FromText)];
        if (nodes.Length > 1 && nodes.All(n => n is YamlSequenceNode))
            return Set(request, new YamlSequenceNode(nodes.SelectMany(n => ((YamlSequenceNode)n).Children)));
        return nodes.Aggregate(request, Set);
    }
}

/// <summary>The table of all recipe keys; their names are those of the command-line options.</summary>
internal static class RecipeKeys
{
    public static readonly IReadOnlyList<RecipeKey> All =
    [
        Text("data", r => r.Data, (r, v) => r with { Data = v }),
        Text("target", r => r.Target, (r, v) => r with { Target = v }),
        Choice("task", [.. ProblemInference.Tasks, .. SequenceTasks.Ids], r => r.Task, (r, v) => r with { Task = v }),
        Text("model", r => r.Model, (r, v) => r with { Model = v }),
        One("header", r => r.Table.Header, (r, v) => r with { Table = r.Table with { Header = v } }),
        Whole("skip-lines", r => r.Table.SkipLines, (r, v) => r with { Table = r.Table with { SkipLines = (int)v } }, 0, int.MaxValue),
        Texts("columns", r => r.Table.ColumnNames, (r, v) => r with { Table = r.Table with { ColumnNames = v } }),
        Texts("na", r => r.Table.MissingMarks, (r, v) => r with { Table = r.Table with { MissingMarks = v } }) with { Add = MoreMarks },
        new("schema", _ => null, (r, v) => r with { Table = r.Table with { Kinds = Kinds(r.Table.Kinds, SchemaText.Read(Scalar(v, "a schema file"))) } }),
        new("type", r => r.Table.Kinds.Count == 0 ? null : Map(r.Table.Kinds), (r, v) => r with { Table = r.Table with { Kinds = Kinds(r.Table.Kinds, v) } }) { FromText = OneKind },
        Text("labels", r => r.Table.LabelsFile, (r, v) => r with { Table = r.Table with { LabelsFile = v } }),
        Whole("memory-budget", r => r.Table.MemoryBudget, (r, v) => r with { Table = r.Table with { MemoryBudget = v } }, 0, long.MaxValue),
        Texts("exclude", r => r.Exclude, (r, v) => r with { Exclude = v }),
        Texts("keep", r => r.Keep, (r, v) => r with { Keep = v }),
        Part("valid", r => r.ValidFile, r => r.ValidFraction, (r, file, share) => r with { ValidFile = file, ValidFraction = share ?? r.ValidFraction }),
        Part("test", r => r.TestFile, r => r.TestFraction, (r, file, share) => r with { TestFile = file, TestFraction = share ?? r.TestFraction }),
        Whole("folds", r => r.Folds, (r, v) => r with { Folds = (int)v }, 0, int.MaxValue),
        Whole("seed", r => r.Fit.SeedGiven ? r.Fit.Seed : null, (r, v) => r with { Fit = r.Fit with { Seed = v } }, long.MinValue, long.MaxValue),
        Whole("epochs", r => r.Fit.Epochs, (r, v) => r with { Fit = r.Fit with { Epochs = (int)v } }, 1, int.MaxValue),
        Whole("max-steps", r => r.Fit.MaxSteps, (r, v) => r with { Fit = r.Fit with { MaxSteps = v } }, 1, long.MaxValue),
        Whole("batch-size", r => r.Fit.BatchSize, (r, v) => r with { Fit = r.Fit with { BatchSize = (int)v } }, 1, int.MaxValue),
        Number("learning-rate", r => r.Fit.LearningRate, (r, v) => r with { Fit = r.Fit with { LearningRate = v } }),
        Number("end-learning-rate", r => r.Fit.EndLearningRate, (r, v) => r with { Fit = r.Fit with { EndLearningRate = v } }),
        Number("beta2", r => r.Fit.Beta2, (r, v) => r with { Fit = r.Fit with { Beta2 = v } }, below: 1),
        Choice("optimizer", OptionNames.Optimizers, r => r.Fit.Optimizer, (r, v) => r with { Fit = r.Fit with { Optimizer = v } }),
        Choice("schedule", OptionNames.Schedules, r => r.Fit.Schedule, (r, v) => r with { Fit = r.Fit with { Schedule = v } }),
        Whole("warmup", r => r.Fit.WarmupSteps, (r, v) => r with { Fit = r.Fit with { WarmupSteps = v } }, 0, long.MaxValue),
        Number("l1", r => r.Fit.L1, (r, v) => r with { Fit = r.Fit with { L1 = v } }),
        Number("l2", r => r.Fit.L2, (r, v) => r with { Fit = r.Fit with { L2 = v } }),
        Number("dropout", r => r.Fit.Dropout, (r, v) => r with { Fit = r.Fit with { Dropout = v } }, below: 1),
        Wholes("hidden", r => r.Fit.Hidden, (r, v) => r with { Fit = r.Fit with { Hidden = v } }),
        Whole("patience", r => r.Fit.Patience, (r, v) => r with { Fit = r.Fit with { Patience = (int)v } }, 1, int.MaxValue),
        Number("clip-norm", r => r.Fit.ClipNorm, (r, v) => r with { Fit = r.Fit with { ClipNorm = v } }),
        Number("label-smoothing", r => r.Fit.LabelSmoothing, (r, v) => r with { Fit = r.Fit with { LabelSmoothing = v } }, below: 1),
        Number("ema", r => r.Fit.Ema, (r, v) => r with { Fit = r.Fit with { Ema = v } }, below: 1),
        Whole("accumulate", r => r.Fit.Accumulate, (r, v) => r with { Fit = r.Fit with { Accumulate = (int)v } }, 1, int.MaxValue),
        Choice("class-weights", OptionNames.ClassWeights, r => r.Fit.ClassWeights, (r, v) => r with { Fit = r.Fit with { ClassWeights = v } }),
        Number("max-seconds", r => r.Fit.MaxTime?.TotalSeconds, (r, v) => r with { Fit = r.Fit with { MaxTime = TimeSpan.FromSeconds(v) } }, below: LongestSeconds),
        Number("max-joules", r => r.Fit.MaxJoules, (r, v) => r with { Fit = r.Fit with { MaxJoules = v } }),
        Whole("threads", r => r.Fit.Threads, (r, v) => r with { Fit = r.Fit with { Threads = (int)v } }, 0, int.MaxValue),
        Text("device", r => r.Fit.Device, (r, v) => r with { Fit = r.Fit with { Device = Device(v) } }),
        Text("base", r => r.Sequence.Base, (r, v) => r with { Sequence = r.Sequence with { Base = v } }),
        Text("tokenizer", r => r.Sequence.Tokenizer, (r, v) => r with { Sequence = r.Sequence with { Tokenizer = v } }),
        Whole("vocabulary", r => r.Sequence.Vocabulary, (r, v) => r with { Sequence = r.Sequence with { Vocabulary = (int)v } }, 1, int.MaxValue),
        Whole("layers", r => r.Sequence.Layers, (r, v) => r with { Sequence = r.Sequence with { Layers = (int)v } }, 1, 1000),
        Whole("heads", r => r.Sequence.Heads, (r, v) => r with { Sequence = r.Sequence with { Heads = (int)v } }, 1, 1000),
        Whole("width", r => r.Sequence.Width, (r, v) => r with { Sequence = r.Sequence with { Width = (int)v } }, 1, 1 << 20),
        Whole("block", r => r.Sequence.Block, (r, v) => r with { Sequence = r.Sequence with { Block = (int)v } }, 1, 1 << 24),
        Whole("evaluate-every", r => r.Sequence.EvaluateEvery, (r, v) => r with { Sequence = r.Sequence with { EvaluateEvery = (int)v } }, 1, int.MaxValue),
        Whole("lora-rank", r => r.Sequence.LoraRank, (r, v) => r with { Sequence = r.Sequence with { LoraRank = (int)v } }, 1, 1 << 16),
        Number("lora-alpha", r => r.Sequence.LoraAlpha, (r, v) => r with { Sequence = r.Sequence with { LoraAlpha = v } }),
        Number("lora-dropout", r => r.Sequence.LoraDropout, (r, v) => r with { Sequence = r.Sequence with { LoraDropout = v } }, below: 1),
        Texts("lora-targets", r => r.Sequence.LoraTargets, (r, v) => r with { Sequence = r.Sequence with { LoraTargets = v } }),
        Text("head-only", r => r.Sequence.HeadOnly switch { true => "yes", false => "no", null => null }, (r, v) => r with { Sequence = r.Sequence with { HeadOnly = YesNo(v) } }),
        Whole("feed-forward", r => r.Sequence.FeedForward, (r, v) => r with { Sequence = r.Sequence with { FeedForward = (int)v } }, 1, 1 << 22),
        Text("checkpoint-activations", r => r.Sequence.CheckpointActivations switch { true => "yes", false => "no", null => null }, (r, v) => r with { Sequence = r.Sequence with { CheckpointActivations = YesNo(v) } }),
        Choice("precision", ["auto", "fp32", "bf16"], r => r.Sequence.Precision, (r, v) => r with { Sequence = r.Sequence with { Precision = v } }),
        Number("beta", r => r.Sequence.Beta, (r, v) => r with { Sequence = r.Sequence with { Beta = v } }),
        Text("source", r => r.Sequence.Source, (r, v) => r with { Sequence = r.Sequence with { Source = v } }),
        Text("target-file", r => r.Sequence.TargetFile, (r, v) => r with { Sequence = r.Sequence with { TargetFile = v } }),
        Text("valid-target", r => r.Sequence.ValidTargetFile, (r, v) => r with { Sequence = r.Sequence with { ValidTargetFile = v } }),
        Text("test-target", r => r.Sequence.TestTargetFile, (r, v) => r with { Sequence = r.Sequence with { TestTargetFile = v } }),
        Whole("beams", r => r.Sequence.Beams, (r, v) => r with { Sequence = r.Sequence with { Beams = (int)v } }, 1, 1000),
        Text("time", r => r.Sequence.Time, (r, v) => r with { Sequence = r.Sequence with { Time = v } }),
        Text("group", r => r.Sequence.Group, (r, v) => r with { Sequence = r.Sequence with { Group = v } }),
        Whole("horizon", r => r.Sequence.Horizon, (r, v) => r with { Sequence = r.Sequence with { Horizon = (int)v } }, 1, 1 << 20),
        Whole("window", r => r.Sequence.Window, (r, v) => r with { Sequence = r.Sequence with { Window = (int)v } }, 2, 1 << 20),
        Whole("season", r => r.Sequence.Season, (r, v) => r with { Sequence = r.Sequence with { Season = (int)v } }, 1, 1 << 20),
        Text("nsp", r => r.Sequence.NextSentence switch { true => "yes", false => "no", null => null }, (r, v) => r with { Sequence = r.Sequence with { NextSentence = YesNo(v) } }),
        Text("region", r => r.Region, (r, v) => r with { Region = v }),
    ];

    // Thirty thousand years: what TimeSpan holds.
    private const double LongestSeconds = 9e11;

    private static readonly string[] DeviceNames = ["auto", "cpu", "cuda", "mps"];

    private static string Device(string name) =>
        DeviceNames.Contains(name) || (name.StartsWith("cuda:", StringComparison.Ordinal) && name.Length > 5 && name.AsSpan(5).IndexOfAnyExceptInRange('0', '9') < 0) ? name
            : throw new FormatException($"got '{name}'; one of auto, cpu, cuda, cuda:N, mps was needed.{NearestName.Hint(name, DeviceNames)}");

    private static bool YesNo(string text) => text switch
    {
        "yes" or "true" => true,
        "no" or "false" => false,
        _ => throw new FormatException($"got '{text}'; yes or no was needed."),
    };

    private static RecipeKey Text(string name, Func<TrainRequest, string?> get, Func<TrainRequest, string, TrainRequest> set) =>
        new(name, r => get(r) is { } text ? Quoted(text) : null, (r, v) => set(r, Scalar(v, "a text")));

    private static RecipeKey Choice(string name, IReadOnlyList<string> allowed, Func<TrainRequest, string?> get, Func<TrainRequest, string, TrainRequest> set) =>
        Text(name, get, (r, v) => allowed.Contains(v) ? set(r, v)
            : throw new FormatException($"got '{v}'; one of {string.Join(", ", allowed)} was needed.{NearestName.Hint(v, allowed)}"));

    private static RecipeKey Whole(string name, Func<TrainRequest, long?> get, Func<TrainRequest, long, TrainRequest> set, long min, long max) =>
        new(name, r => get(r) is { } n ? Plain(n.ToString(CultureInfo.InvariantCulture)) : null, (r, v) => set(r, ReadWhole(v, min, max)));

    private static RecipeKey Number(string name, Func<TrainRequest, double?> get, Func<TrainRequest, double, TrainRequest> set, double below = double.PositiveInfinity) =>
        new(name, r => get(r) is { } n ? Plain(n.ToString("R", CultureInfo.InvariantCulture)) : null, (r, v) => set(r, ReadNumber(v, below)));

    private static RecipeKey One<T>(string name, Func<TrainRequest, T> get, Func<TrainRequest, T, TrainRequest> set)
        where T : struct, Enum => new(name, r => Plain(Name(get(r))), (r, v) => set(r, ReadOne<T>(Scalar(v, "a name"))));

    private static RecipeKey Texts(string name, Func<TrainRequest, IReadOnlyList<string>?> get, Func<TrainRequest, IReadOnlyList<string>, TrainRequest> set) =>
        new(name, r => get(r) is { } items ? List(items.Select(Quoted)) : null, (r, v) => set(r, [.. Items(v).Select(i => Scalar(i, "a text"))])) { FromText = Separated };

    private static RecipeKey Wholes(string name, Func<TrainRequest, IReadOnlyList<int>?> get, Func<TrainRequest, IReadOnlyList<int>, TrainRequest> set) =>
        new(name, r => get(r) is { } items ? List(items.Select(n => Plain(n.ToString(CultureInfo.InvariantCulture)))) : null,
            (r, v) => set(r, [.. Items(v).Select(i => (int)ReadWhole(i, 1, int.MaxValue))]))
        { FromText = text => Separated(text == "none" ? "" : text) };

    // A plain number is a share of the rows, anything else a file (quoted if its name looks like a number).
    private static RecipeKey Part(string name, Func<TrainRequest, string?> file, Func<TrainRequest, double?> share, Func<TrainRequest, string?, double?, TrainRequest> set) =>
        new(name, r => file(r) is { } path ? Quoted(path) : share(r) is { } part ? Plain(part.ToString("R", CultureInfo.InvariantCulture)) : null,
            (r, v) => v is YamlScalarNode { Style: ScalarStyle.Plain } s && double.TryParse(s.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double x)
                ? x is >= 0 and < 1 ? set(r, null, x) : throw new FormatException($"got {s.Value}; a share of the rows from 0 to below 1, or a file, was needed.")
                : set(r, Scalar(v, "a file or a share of the rows"), null));

    private static YamlMappingNode Map(IReadOnlyDictionary<string, ColumnKind> kinds)
    {
        var map = new YamlMappingNode();
        foreach (var (column, kind) in kinds)
            map.Add(Quoted(column), Plain(Name(kind)));
        return map;
    }

    private static Dictionary<string, ColumnKind> Kinds(IReadOnlyDictionary<string, ColumnKind> before, YamlNode node)
    {
        if (node is not YamlMappingNode map)
            throw new FormatException("a mapping of column to kind was needed, such as `type: {zip: category}`.");
        var kinds = new Dictionary<string, ColumnKind>(before);
        foreach (var (column, kind) in map.Children)
            kinds[Scalar(column, "a column")] = ReadOne<ColumnKind>(Scalar(kind, "a kind"));
        return kinds;
    }

    private static Dictionary<string, ColumnKind> Kinds(IReadOnlyDictionary<string, ColumnKind> before, IReadOnlyDictionary<string, ColumnKind> more)
    {
        var kinds = new Dictionary<string, ColumnKind>(before);
        foreach (var (column, kind) in more)
            kinds[column] = kind;
        return kinds;
    }

    // On the command line marks are added to those there are, as the error about a bad cell advises; `none` drops them.
    private static TrainRequest MoreMarks(TrainRequest request, IReadOnlyList<string> texts)
    {
        IEnumerable<string> marks = request.Table.MissingMarks;
        foreach (string mark in texts.SelectMany(t => t.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)))
            marks = mark == "none" ? [] : marks.Append(mark);
        return request with { Table = request.Table with { MissingMarks = [.. marks.Distinct()] } };
    }

    private static YamlSequenceNode Separated(string text) => List(text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(Quoted));

    private static YamlMappingNode OneKind(string text)
    {
        int split = text.LastIndexOf('=');
        return split > 0 ? new YamlMappingNode { { Quoted(text[..split]), Plain(text[(split + 1)..]) } }
            : throw new FormatException($"got '{text}'; COLUMN=KIND was needed, for example zip=category.");
    }

    private static string Name<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    private static T ReadOne<T>(string text)
        where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
            if (string.Equals(Name(value), text, StringComparison.OrdinalIgnoreCase))
                return value;
        var names = Enum.GetValues<T>().Select(Name).ToList();
        throw new FormatException($"got '{text}'; one of {string.Join(", ", names)} was needed.{NearestName.Hint(text, names)}");
    }

    private static long ReadWhole(YamlNode node, long min, long max)
    {
        string text = Scalar(node, "a whole number");
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long n) && n >= min && n <= max ? n
            : throw new FormatException($"got '{text}'; a whole number of at least {min} was needed.");
    }

    private static double ReadNumber(YamlNode node, double below)
    {
        string text = Scalar(node, "a number");
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double n) && n >= 0 && n < below ? n
            : throw new FormatException($"got '{text}'; a number of at least 0{(double.IsFinite(below) ? $" and below {below.ToString("R", CultureInfo.InvariantCulture)}" : "")} was needed.");
    }

    private static string Scalar(YamlNode node, string needed) => (node as YamlScalarNode)?.Value ?? throw new FormatException($"got {Kind(node)}; {needed} was needed.");

    private static IEnumerable<YamlNode> Items(YamlNode node) => node is YamlSequenceNode list ? list.Children
        : throw new FormatException($"got {Kind(node)}; a list was needed, such as `[a, b]`.");

    private static string Kind(YamlNode node) => node is YamlMappingNode ? "a mapping" : node is YamlSequenceNode ? "a list" : $"'{node}'";

    private static YamlSequenceNode List(IEnumerable<YamlScalarNode> items) => new(items) { Style = YamlDotNet.Core.Events.SequenceStyle.Flow };

    private static YamlScalarNode Plain(string text) => new(text) { Style = ScalarStyle.Plain };

    // Words and paths stay plain; what YAML (or a share) could take for something else is quoted.
    private static YamlScalarNode Quoted(string text) => new(text)
    {
        Style = text.Length > 0 && char.IsAsciiLetter(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/')
            && text.ToLowerInvariant() is not ("null" or "true" or "false" or "yes" or "no" or "on" or "off" or "nan" or "infinity")
                ? ScalarStyle.Plain : ScalarStyle.DoubleQuoted,
    };
}
