using Candela.Data;
using Candela.Experiments;
using Candela.Models;
using Candela.Runs;
using Candela.Tests.Experiments;

namespace Candela.Tests.Runs;

public class RunFolderFaultTests
{
    [Fact]
    [Trait("Kind", "fault")]
    public void Open_AnyFileCutOrFlipped_IsRefusedWithTheFileNamedOrRecovered()
    {
        using var folder = new TemporaryFolder();
        IModelFamily[] families = [new StepFamily("steps")];
        string run = folder.File("run");
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 200), Target = "kind" };
        float[] expected;
        using var table = Table.Load(request.Data, cancellation: TestContext.Current.CancellationToken);
        using (var whole = Job.Train(request, run, families))
            expected = whole.Predictor.Score(table.ReadChunk(0));
        File.WriteAllText(Path.Combine(run, "report.html"), "<!doctype html><title>r</title>" + new string('x', 500));

        var rng = new Rng(8);
        foreach (string file in Directory.GetFiles(run))
        {
            byte[] good = File.ReadAllBytes(file);
            bool needed = Path.GetFileName(file) is "run.json" or "config.json" or "model.safetensors" or "preprocessing.json" or "recipe.yaml";
            for (int i = 0; i < 70; i++)
            {
                byte[] bad = i < 20 ? good[..(i * good.Length / 20)] : (byte[])good.Clone();
                if (i >= 20)
                    bad[rng.Next(bad.Length)] ^= (byte)(1 + rng.Next(255));
                File.WriteAllBytes(file, bad);
                if (needed)
                {
                    Assert.Equal(file, Assert.Throws<FileFormatException>(() => Run.Open(run, families)).Path);
                    continue;
                }

                // Logs, curves and the report are not needed to predict.
                using var opened = Run.Open(run, families);
                Assert.Equal(expected, opened.Predictor.Score(table.ReadChunk(0)));
                if (Path.GetFileName(file) == "events.jsonl" && i < 20)
                    Assert.Equal(bad.Length > 0 && bad[^1] != '\n', EventLog.Read(file).TornLine is not null);
            }

            File.WriteAllBytes(file, good);
        }

        foreach (string file in Directory.GetFiles(run).Where(f => Path.GetFileName(f) is "config.json" or "model.safetensors" or "preprocessing.json" or "recipe.yaml"))
        {
            File.Move(file, file + ".away");
            var error = Assert.Throws<FileFormatException>(() => Run.Open(run, families));
            Assert.Equal((file, Fault.Missing), (error.Path, error.Fault));
            File.Move(file + ".away", file);
        }

        Run.Open(run, families).Dispose();
        Assert.Contains("'steps'", Assert.Throws<FileFormatException>(() => Run.Open(run, [new StepFamily("other")])).Message, StringComparison.Ordinal);
        Assert.Equal(Fault.Missing, Assert.Throws<FileFormatException>(() => Run.Open(folder.File("none"), families)).Fault);
    }

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("../secret.txt")]
    [InlineData("a/../../secret.txt")]
    [InlineData("ROOT/secret.txt")]
    public void Verify_NameOutsideTheFolder_IsRefused(string name)
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("run/a"));
        File.WriteAllText(folder.File("secret.txt"), "secret");
        string hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("secret"u8));
        var record = RunRecordFileTests.Example with { Files = new Dictionary<string, string> { [name.Replace("ROOT", folder.Path, StringComparison.Ordinal)] = hash } };
        var error = Assert.Throws<FileFormatException>(() => new RunFolder(folder.File("run")).Verify(record));
        Assert.Contains("not inside the run folder", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Verify_DeviceInPlaceOfAFile_IsRefusedWithoutReadingIt()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "devices are POSIX");
        using var folder = new TemporaryFolder();
        File.CreateSymbolicLink(folder.File("config.json"), "/dev/zero");
        var record = RunRecordFileTests.Example with { Files = new Dictionary<string, string> { ["config.json"] = "00" } };
        Assert.Equal(Fault.Corrupt, Assert.Throws<FileFormatException>(() => new RunFolder(folder.Path).Verify(record)).Fault);
    }

    [Fact]
    public void Score_FromSeveralThreads_GivesTheSameAsOne()
    {
        using var folder = new TemporaryFolder();
        var request = new TrainRequest { Data = SampleFiles.Classes(folder, 400), Target = "kind" };
        using var run = Job.Train(request, folder.File("run"), [new StepFamily("steps")]);
        using var table = Table.Load(request.Data, cancellation: TestContext.Current.CancellationToken);
        var chunk = table.ReadChunk(0);
        float[] expected = run.Predictor.Score(chunk);
        Parallel.For(0, 16, _ => Assert.Equal(expected, run.Predictor.Score(chunk)));

        // Rows are scored one by one as in a batch; extra columns do not matter, a missing one is named.
        for (int i = 0; i < 5; i++)
            Assert.Equal(expected.AsSpan(i * 3, 3).ToArray(), run.Predictor.Score(chunk.Take([i])));
        var lacking = new TableChunk(new TableSchema([.. chunk.Schema.Columns.Skip(1)]), [.. chunk.Columns.Skip(1)]);
        Assert.Contains("'a'", Assert.Throws<DataException>(() => run.Predictor.Score(lacking)).Message, StringComparison.Ordinal);
    }
}
