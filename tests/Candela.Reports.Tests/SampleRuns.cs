using Candela.Data;
using Candela.Energy;
using Candela.Evaluation;
using Candela.Metrics;
using Candela.Models;
using Candela.Runs;

namespace Candela.Reports.Tests;

/// <summary>Complete records of made-up runs: scores are drawn, metrics computed from them.</summary>
internal static class SampleRuns
{
    private static readonly Lazy<RunRecord> BinaryRun = new(MakeBinary), TenClasses = new(() => MakeMulticlass(10)), ThirtyClasses = new(() => MakeMulticlass(30)), RegressionRun = new(MakeRegression);

    public static RunRecord Binary() => BinaryRun.Value;

    public static RunRecord Multiclass() => TenClasses.Value;

    public static RunRecord ManyClasses() => ThirtyClasses.Value;

    public static RunRecord Regression() => RegressionRun.Value;

    private static RunRecord MakeBinary()
    {
        var problem = new Problem(TaskKind.Binary, "diagnosis", ["benign", "malignant"]);
        var test = Classified(problem, 114, 3.2, 1);
        return Base("cancer", problem, "boosting") with
        {
            ModelReason = "its accuracy over 5 inner folds, 0.9670, is the highest",
            Parameters = 3_100,
            Summary = "boosting: 100 trees of at most 31 leaves\n  learning rate 0.1, depth up to 6\n  3,100 leaf values",
            Metrics = new Dictionary<string, SplitEvaluation> { ["train"] = Classified(problem, 370, 8, 2), ["valid"] = Classified(problem, 85, 3.4, 3), ["test"] = test },
            Baseline = Baseline.OfClassCounts(problem, [357, 212]).Evaluate(problem, [.. Enumerable.Range(0, 114).Select(i => i % 8 < 3 ? 1 : 0)], null, 0),
            Candidates =
            [
                new CandidateRecord("boosting", 3_100, 0.967, test.Metrics, 0.61, 4.3, "chosen"),
                new CandidateRecord("mlp", 2_177, 0.963, Classified(problem, 114, 3.4, 4).Metrics, 1.9, 15.2, "validation accuracy 0.0040 lower"),
                new CandidateRecord("linear", 31, 0.956, Classified(problem, 114, 3.0, 5).Metrics, 0.08, 0.6, "validation accuracy 0.0110 lower"),
                new CandidateRecord("cnn", 0, null, null, 0, 0, "not tried: needs images"),
            ],
            CrossValidation = CrossValidation.Summarize([.. Enumerable.Range(0, 5).Select(k => Classified(problem, 114, 3.2, 30 + k))]),
            Importance =
            [
                new ColumnImportance("worst concave points", 0.082, 0.071, 0.093),
                new ColumnImportance("worst area", 0.041, 0.033, 0.049),
                new ColumnImportance("mean texture", 0.012, 0.004, 0.020),
                new ColumnImportance("fractal dimension error", -0.002, -0.006, 0.002),
            ],
            History = History(40, 0.69, 0.05),
            Profile = Profile(569, "diagnosis", [new NameCount("benign", 357), new NameCount("malignant", 212)]),
            Warnings = [new Warned("leak-copy-of-target", "Column 'diagnosis_code' is a copy of the target 'diagnosis' and was left out.")],
        };
    }

    private static RunRecord MakeMulticlass(int classes)
    {
        string[] names = [.. Enumerable.Range(0, classes).Select(i => classes > 10 ? $"class {i:00}" : i.ToString())];
        var problem = new Problem(TaskKind.Multiclass, "digit", names);
        var test = Classified(problem, 1_000, 4.5, 11);
        return Base("digits", problem, "cnn") with
        {
            ModelReason = "it was asked for with --model cnn",
            Parameters = 225_034,
            Summary = "conv2d 32@3x3, relu   [32, 26, 26]   320\nmax-pool 2x2          [32, 13, 13]   0\nconv2d 64@3x3, relu   [64, 11, 11]   18,496\nmax-pool 2x2          [64, 5, 5]     0\nflatten               [1600]         0\ndense 128, relu       [128]          204,928\ndense 10              [10]           1,290\ntotal 225,034 parameters, 4.6 MFLOPs a row",
            Metrics = new Dictionary<string, SplitEvaluation> { ["train"] = Classified(problem, 5_000, 6, 12) with { SplitRows = 8_000 }, ["test"] = test },
            Baseline = Baseline.OfClassCounts(problem, [.. names.Select((_, i) => 100L + i)]).Evaluate(problem, [.. Enumerable.Range(0, 1000).Select(i => i % classes)], null, 0),
            Candidates =
            [
                new CandidateRecord("cnn", 225_034, 0.975, test.Metrics, 95.3, 1_334, "chosen"),
                new CandidateRecord("boosting", 31_000, 0.94, Classified(problem, 1_000, 3.0, 13).Metrics, 31.5, 410, "validation accuracy lower"),
                new CandidateRecord("linear", 7_850, 0.90, Classified(problem, 1_000, 2.3, 14).Metrics, 2.2, 17, "validation accuracy lower"),
            ],
            History = History(10, 2.3, 0.02),
            Profile = new DataProfile(10_000, 12, [new ColumnProfile("image", ColumnKind.Image, 0), new ColumnProfile("digit", ColumnKind.Category, 0) { Role = "target", Distinct = classes, Top = [.. names.Take(12).Select((n, i) => new NameCount(n, 1_000 + i))] }], []),
        };
    }

    private static RunRecord MakeRegression()
    {
        var problem = new Problem(TaskKind.Regression, "median_house_value", []);
        var test = Estimated(4_128, 49_000, 21);
        return Base("housing", problem, "boosting") with
        {
            ModelReason = "its R2 on the validation rows, 0.8245, is the highest",
            Parameters = 12_400,
            Metrics = new Dictionary<string, SplitEvaluation> { ["train"] = Estimated(12_900, 30_000, 22), ["valid"] = Estimated(3_096, 48_500, 23), ["test"] = test },
            Baseline = Baseline.OfMean(206_856).Evaluate(problem, null, Targets(4_128, 21), 0),
            Candidates =
            [
                new CandidateRecord("boosting", 12_400, 0.8245, test.Metrics, 3.4, 41, "chosen"),
                new CandidateRecord("mlp", 18_561, 0.79, Estimated(4_128, 53_500, 24).Metrics, 21.9, 233, "validation R2 0.0345 lower"),
                new CandidateRecord("linear", 14, 0.64, Estimated(4_128, 69_000, 25).Metrics, 0.05, 0.4, "validation R2 0.1845 lower"),
            ],
            Importance = [new ColumnImportance("median_income", 0.61, 0.58, 0.64), new ColumnImportance("longitude", 0.35, 0.34, 0.36), new ColumnImportance("total_rooms", 0.01, 0.008, 0.012)],
            History = History(60, 1.1, 0.15),
            Profile = Profile(20_640, "median_house_value", null),
        };
    }

    /// <summary>The least a record can hold.</summary>
    public static RunRecord Bare() => Base("bare", new Problem(TaskKind.Regression, "y", []), "linear");

    private static RunRecord Base(string name, Problem problem, string model) => new()
    {
        Name = name,
        Started = new DateTimeOffset(2026, 3, 14, 15, 9, 26, TimeSpan.Zero),
        Versions = new Dictionary<string, string> { ["candela"] = "0.1.0", ["dotnet"] = "10.0.1", ["processor"] = "8 cores" },
        Problem = problem,
        Data = $"samples/data/{name}.csv",
        DataHash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        Seed = 42,
        Rows = new Dictionary<string, long> { ["train"] = 370, ["valid"] = 85, ["test"] = 114 },
        Model = model,
        ModelReason = "it was asked for",
        Parameters = 2,
        Summary = "y = 2.9366 x + 2.5581",
        Chosen = new Dictionary<string, string> { ["epochs"] = "40", ["learningRate"] = "0.001", ["optimizer"] = "adamw", ["batchSize"] = "32" },
        StopReason = StopReason.Patience,
        Metrics = new Dictionary<string, SplitEvaluation>(),
        Baseline = new BaselineRecord("mean", "3", new Dictionary<string, MetricValue>()),
        Candidates = [],
        Profile = new DataProfile(3, 0, [], []),
        Seconds = 5.43,
        Energy = new EnergyReading(63.7, 18.2, 182, "cpu-time-model"),
        Carbon = CarbonIntensity.Estimate("eu", 63.7),
        NotExportable = "trees are not written to ONNX",
    };

    private static SplitEvaluation Classified(Problem problem, int rows, double skill, long seed)
    {
        int classes = problem.Classes.Count;
        var rng = new Rng(seed);
        var (scores, labels) = (new float[rows * classes], new int[rows]);
        for (int i = 0; i < rows; i++)
        {
            labels[i] = rng.NextDouble() < 0.2 ? 0 : rng.Next(classes);
            double sum = 0;
            var row = new double[classes];
            for (int c = 0; c < classes; c++)
                sum += row[c] = Math.Exp((1.5 * rng.NextGaussian()) + (c == labels[i] ? skill : 0));
            for (int c = 0; c < classes; c++)
                scores[(i * classes) + c] = (float)(row[c] / sum);
        }

        return Evaluator.Evaluate(problem, scores, labels, null, rows, seed, 200);
    }

    private static float[] Targets(int rows, long seed)
    {
        var rng = new Rng(seed);
        return [.. Enumerable.Range(0, rows).Select(_ => (float)Math.Clamp(206_000 + (115_000 * rng.NextGaussian()), 15_000, 500_001))];
    }

    private static SplitEvaluation Estimated(int rows, double error, long seed)
    {
        float[] actual = Targets(rows, seed);
        var rng = new Rng(seed, stream: 1);
        return Evaluator.Evaluate(new Problem(TaskKind.Regression, "y", []), Array.ConvertAll(actual, a => a + (float)(error * rng.NextGaussian())), null, actual, rows, seed, 200);
    }

    private static EpochEnded[] History(int epochs, double from, double to)
        => [.. Enumerable.Range(0, epochs).Select(e =>
        {
            double loss = to + ((from - to) * Math.Exp(-4.0 * e / epochs));
            return new EpochEnded(e, 20 * (e + 1), loss, (loss * 1.05) + (0.02 * Math.Sin(e)) + 0.02, 0.97 - (0.5 * Math.Exp(-6.0 * e / epochs)) + (0.004 * Math.Sin(3 * e)), 1e-3 * (1 + Math.Cos(Math.PI * e / epochs)) / 2, 0.1 * e);
        })];

    private static DataProfile Profile(long rows, string target, NameCount[]? classes)
        => new(rows, 3,
            [
                classes is null
                    ? new ColumnProfile(target, ColumnKind.Number, 0) { Role = "target", Distinct = 3_842, Mean = 206_856, Deviation = 115_396, Min = 14_999, Median = 179_700, Max = 500_001, Histogram = [120, 900, 2400, 3000, 2900, 2500, 2100, 1700, 1300, 900, 700, 500, 400, 300, 250, 200, 150, 100, 90, 990] }
                    : new ColumnProfile(target, ColumnKind.Category, 0) { Role = "target", Distinct = classes.Length, Top = classes },
                new ColumnProfile("worst concave points", ColumnKind.Number, 0) { Distinct = 492, Mean = 0.1146, Deviation = 0.0657, Min = 0, Median = 0.0999, Max = 0.291, Histogram = [20, 25, 40, 60, 70, 66, 50, 41, 38, 30, 28, 25, 22, 20, 12, 9, 6, 4, 2, 1] },
                new ColumnProfile("worst area", ColumnKind.Number, 4) { Distinct = 544, Mean = 880.6, Deviation = 569.4, Min = 185.2, Median = 686.5, Max = 4254, Histogram = [60, 150, 120, 70, 40, 30, 25, 20, 16, 12, 8, 6, 4, 3, 2, 1, 1, 0, 0, 1] },
                new ColumnProfile("site", ColumnKind.Category, 31) { Distinct = 4, Top = [new NameCount("Leeds", 260), new NameCount("Graz", 180), new NameCount("Ørsted clinic for radiology and others", 90), new NameCount("北京", 8)] },
                new ColumnProfile("patient_id", ColumnKind.Identifier, 0) { Role = "excluded", Distinct = rows, Note = "a different value in every row" },
                new ColumnProfile("smoker", ColumnKind.Boolean, 12) { Distinct = 2, Top = [new NameCount("no", 400), new NameCount("yes", 157)] },
            ],
            [new Finding("identifier-column", "Column 'patient_id' has a different value in every row.", ["patient_id"], true), new Finding("duplicate-rows", "3 rows are copies of an earlier one.", [], false)]);
}
