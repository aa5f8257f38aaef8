using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Candela.Cli.Tests;

/// <summary>What only a real process can show: signals, kills, and which native libraries it maps.</summary>
public class ProcessTests
{
    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("INT", 130)]
    [InlineData("KILL", 137)]
    public void Train_Stopped_ResumesToTheSameWeightsAsAnUninterruptedRun(string signal, int exitCode)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "signals are POSIX");
        using var folder = new Folder();
        string[] train = ["train", folder.Classes(rows: 20_000), "--target", "label", "--model", "mlp", "--epochs", "40", "--patience", "40", "--seed", "2", "--threads", "1", "--checkpoint-seconds", "0", "--quiet"];
        Wait(Start([.. train, "--out", folder.At("whole")]), 0);

        Process stopped = Start([.. train, "--out", folder.At("run")]);
        var clock = Stopwatch.StartNew();
        while (!HasTrainedABit(folder.At("run")) && clock.Elapsed < TimeSpan.FromSeconds(60) && !stopped.HasExited)
            Thread.Sleep(20);
        Assert.False(stopped.HasExited, "the run ended before it could be stopped");
        using (Process kill = Process.Start("kill", [$"-{signal}", $"{stopped.Id}"]))
            kill.WaitForExit();
        Wait(stopped, exitCode);
        Assert.False(File.Exists(Path.Combine(folder.At("run"), "run.json")));

        string log = Path.Combine(folder.At("run"), "events.jsonl");
        int before = File.ReadAllText(log).Count(c => c == '\n');
        Wait(Start(["train", "--resume", folder.At("run"), "--quiet"]), 0);
        JsonNode first = File.ReadLines(log).Skip(before).Select(line => JsonNode.Parse(line)!).First(e => (string?)e["type"] == "epoch");
        Assert.True((int)first["epoch"]! > 0, $"the resumed part began at epoch {first["epoch"]}");
        Assert.Equal(File.ReadAllBytes(Path.Combine(folder.At("whole"), "model.safetensors")), File.ReadAllBytes(Path.Combine(folder.At("run"), "model.safetensors")));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Predict_DiskFull_IsExit1AndAMissingFolderExit2()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "/dev/full is a full disk on Linux");
        using var folder = new Folder();
        string data = folder.Classes();
        folder.Run("train", data, "--target", "label", "--model", "linear", "--out", folder.At("run"), "--quiet").Ok();
        Assert.Equal(1, folder.Run("predict", folder.At("run"), data, "--out", "/dev/full", "--quiet").Code);
        CommandOutcome missing = folder.Run("predict", folder.At("run"), data, "--out", folder.At("none/scores.csv"), "--quiet");
        Assert.Equal(2, missing.Code);
        Assert.Contains(folder.At("none/scores.csv") + " cannot be written", missing.Error);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("train DATA --target label --model mlp --epochs 1 --out OUT --quiet")]
    [InlineData("summary --config CONFIG")]
    [InlineData("predict RUN DATA")]
    public async Task Verb_ThatNeedsNoLibtorch_MapsNone(string arguments)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the loader's log is glibc's");
        using var folder = new Folder();
        string data = folder.Classes();
        if (arguments.Contains("RUN"))
            folder.Run("train", data, "--target", "label", "--model", "mlp", "--epochs", "1", "--out", folder.At("run"), "--quiet").Ok();
        string[] words = [.. arguments.Split(' ').Select(w => w switch { "DATA" => data, "OUT" => folder.At("out"), "RUN" => folder.At("run"), "CONFIG" => folder.Write("config.json", """{"model_type":"gpt2"}"""), _ => w })];
        var start = new ProcessStartInfo(Program, words) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["LD_DEBUG"] = "files";
        start.Environment["LD_DEBUG_OUTPUT"] = folder.At("loader");
        using Process process = Process.Start(start)!;
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        Task<string> error = process.StandardError.ReadToEndAsync(cancellation);
        await process.StandardOutput.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        Assert.True(process.ExitCode == 0, await error);
        string log = string.Concat(Directory.GetFiles(folder.Path, "loader.*").Select(f => File.ReadAllText(f)));
        Assert.Contains("libcoreclr", log);
        Assert.DoesNotContain("libtorch", log);
    }

    private static string Program => Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "candela.exe" : "candela");

    private static bool HasTrainedABit(string run) =>
        Directory.Exists(Path.Combine(run, "checkpoints")) && Directory.EnumerateFiles(Path.Combine(run, "checkpoints"), "*.safetensors", SearchOption.AllDirectories).Any(f => Path.GetFileName(Path.GetDirectoryName(f)) == "fit");

    /// <summary>A test runner started in the background hands its children an ignored SIGINT; `env` gives it back its meaning.</summary>
    private static Process Start(string[] arguments) => Process.Start(OperatingSystem.IsLinux()
        ? new ProcessStartInfo("env", ["--default-signal=INT", Program, .. arguments]) { RedirectStandardError = true }
        : new ProcessStartInfo(Program, arguments) { RedirectStandardError = true })!;

    private static void Wait(Process process, int exitCode)
    {
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == exitCode, $"exit {process.ExitCode}: {error}");
        process.Dispose();
    }
}
