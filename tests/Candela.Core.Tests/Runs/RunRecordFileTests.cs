using Candela.Data;
using Candela.Evaluation;
using Candela.Metrics;
using Candela.Models;
using Candela.Runs;

namespace Candela.Tests.Runs;

public class RunRecordFileTests
{
    internal static RunRecord Example { get; } = new()
    {
        Name = "iris",
        Started = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
        Versions = new Dictionary<string, string> { ["candela"] = "0.1.0" },
        Problem = new Problem(TaskKind.Multiclass, "species", ["a", "b", "c"]),
        Data = "iris.csv",
        DataHash = "ab",
        Seed = -3,
        Rows = new Dictionary<string, long> { ["train"] = 97, ["test"] = 30 },
        Model = "mlp",
        ModelReason = "best",
        Parameters = 131,
        Summary = "two\nlines",
        Chosen = new Dictionary<string, string> { ["batch-size"] = "32" },
        StopReason = StopReason.GradientNorm,
        Metrics = new Dictionary<string, SplitEvaluation>
        {
            ["test"] = new()
            {
                Rows = 30,
                SplitRows = 30,
                Metrics = new Dictionary<string, MetricValue> { ["accuracy"] = new(0.95, 0.9, double.NaN) },
                Confusion = [[10, 0], [1, 9]],
                Classes = [new("a", 1, 1, 1, 10)],
                Roc = [new("a", [0, 1], [0, 1], 0.5)],
                Calibration = [new(0.9, 0.8, 3)],
                Residuals = [new(1, double.PositiveInfinity)],
            },
        },
        Baseline = new("majority", "a", new Dictionary<string, MetricValue>()),
        Candidates = [new("mlp", 131, 0.96, null, 1.5, 20, "chosen"), new("cnn", 0, null, null, 0, 0, "no image")],
        CrossValidation = new(5, new Dictionary<string, MetricValue> { ["accuracy"] = new(1, 1, 1) }, new Dictionary<string, IReadOnlyList<double>> { ["accuracy"] = [1, 1] }),
        Importance = [new("x", 0.1, 0.05, 0.2)],
        History = [new EpochEnded(0, 10, 0.5, null, 0.9, 0.1, 2)],
        Profile = new(150, 1, [new("x", ColumnKind.Number, 2) { Mean = 3.5, Histogram = [1, 2], Top = [new("q", 3)] }], [new("class-imbalance", "m", ["species"], false)]),
        Warnings = [new("no-seed", "w")],
        Seconds = 3.25,
        Energy = new(90, 60, 120, "cpu-time-model"),
        Carbon = new("world", 480, 0.012),
    };

    [Fact]
    public void Write_ThenRead_GivesTheSameRecord()
    {
        using var folder = new TemporaryFolder();
        RunRecordFile.Write(folder.File("run.json"), Example);
        Assert.Equivalent(Example, RunRecordFile.Read(folder.File("run.json")), strict: true);
        string text = File.ReadAllText(folder.File("run.json"));
        Assert.Contains("\"stopReason\": \"gradientNorm\"", text, StringComparison.Ordinal);
        Assert.Contains("\"high\": \"NaN\"", text, StringComparison.Ordinal);
        Assert.Contains("\"task\": \"multiclass\"", text, StringComparison.Ordinal);
        using var json = System.Text.Json.JsonDocument.Parse(text);
        Assert.Equal(64, json.RootElement.GetProperty("checksum").GetString()!.Length);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Read_CutOrFlippedAnywhere_IsRefusedWithTheFileNamed()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("run.json");
        RunRecordFile.Write(path, Example);
        byte[] good = File.ReadAllBytes(path);
        var rng = new Rng(5);
        for (int i = 0; i < good.Length; i += 3)
        {
            File.WriteAllBytes(path, good[..i]);
            Assert.Equal(path, Assert.Throws<FileFormatException>(() => RunRecordFile.Read(path)).Path);
            byte[] bad = (byte[])good.Clone();
            bad[i] ^= (byte)(1 + rng.Next(255));
            File.WriteAllBytes(path, bad);
            Assert.Equal(path, Assert.Throws<FileFormatException>(() => RunRecordFile.Read(path)).Path);
        }
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Read_NewerFormat_IsRefusedByName()
    {
        using var folder = new TemporaryFolder();
        RunRecordFile.Write(folder.File("run.json"), Example with { FormatVersion = 2 });
        var error = Assert.Throws<FileFormatException>(() => RunRecordFile.Read(folder.File("run.json")));
        Assert.Equal(Fault.Unsupported, error.Fault);
        Assert.Contains("formatVersion is 2", error.Message, StringComparison.Ordinal);
    }
}
