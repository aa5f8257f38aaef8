using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Candela.Cli.Output;
using Candela.Energy;
using Candela.Experiments;
using Candela.Models;
using Candela.Training;

namespace Candela.Cli.Verbs;

/// <summary><c>candela doctor</c>: what this machine and installation can do; <c>--training RUN</c>: what looks wrong in a run.</summary>
internal static class DoctorVerb
{
    public static Command Build(Func<ParseResult, CommandConsole> consoleOf)
    {
        var command = new Command("doctor", "Show versions, devices, processor features and what was patched; or examine a training run.");
        var training = new Option<string?>("--training") { Description = "Examine a run: leaks, dead or exploding gradients, ascending loss, unscaled inputs, ...", HelpName = "RUN" };
        command.Options.Add(training);
        command.SetAction(parsed =>
        {
            CommandConsole console = consoleOf(parsed);
            return parsed.GetValue(training) is { } run ? Examine(console, run) : Inspect(console);
        });
        return command;
    }

    private static int Examine(CommandConsole console, string run)
    {
        IReadOnlyList<Warned> findings = TrainingDoctor.Examine(run);
        if (console.Json)
        {
            var list = new JsonArray([.. findings.Select(f => new JsonObject { ["code"] = f.Code, ["message"] = f.Message })]);
            console.Out.WriteLine(RunJson.Text(new JsonObject { ["run"] = run, ["findings"] = list }));
            return ExitCode.Done;
        }

        foreach (Warned finding in findings)
            console.Out.WriteLine($"{finding.Code}: {finding.Message}");
        if (findings.Count == 0)
            console.Out.WriteLine($"{run}: nothing found.");
        return ExitCode.Done;
    }

    private static int Inspect(CommandConsole console)
    {
        EngineReport engine = LibTorch.Inspect();
        string meter = EnergyMeters.Start().Read().Method;
        if (console.Json)
        {
            console.Out.WriteLine(RunJson.Text(ToJson(engine, meter)));
            return ExitCode.Done;
        }

        var lines = new List<(string Name, string Value)>
        {
            ("candela", Version),
            (".NET", RuntimeInformation.FrameworkDescription),
            ("system", $"{RuntimeInformation.OSDescription.Trim()} ({engine.Rid})"),
            ("processors", $"{engine.Processors}, {string.Join(' ', engine.ProcessorFeatures)}"),
            ("TorchSharp", engine.TorchSharpVersion),
            ("libtorch", engine.Loaded ? $"{engine.LibTorchVersion} in {engine.LibTorchFolder}, loaded in {engine.LoadTime.TotalMilliseconds:F0} ms, {engine.Threads} threads" : $"not usable: {engine.Problem}"),
            ("C++ runtime", engine.CppRuntimeFile ?? "not looked up"),
            ("patched", engine.Patched.Count == 0 ? "nothing" : $"{string.Join(", ", engine.Patched)}: {engine.PatchReason}; the copy is {engine.BridgeFile}"),
            ("devices", engine.Devices.Count == 0 ? "none" : string.Join(", ", engine.Devices)),
            ("energy", meter == "rapl" ? "measured (RAPL)" : "estimated from CPU time (no readable RAPL counters)"),
        };
        foreach ((string name, string value) in lines)
            console.Out.WriteLine($"{name,-12}  {value}");
        return ExitCode.Done;
    }

    private static JsonObject ToJson(EngineReport engine, string meter) => new()
    {
        ["versions"] = new JsonObject
        {
            ["candela"] = Version,
            ["dotnet"] = RuntimeInformation.FrameworkDescription,
            ["torchSharp"] = engine.TorchSharpVersion,
            ["libtorch"] = engine.LibTorchVersion,
        },
        ["processor"] = new JsonObject
        {
            ["count"] = engine.Processors,
            ["features"] = new JsonArray([.. engine.ProcessorFeatures.Select(f => JsonValue.Create(f))]),
        },
        ["engine"] = new JsonObject
        {
            ["loaded"] = engine.Loaded,
            ["problem"] = engine.Problem,
            ["folder"] = engine.LibTorchFolder,
            ["bridge"] = engine.BridgeFile,
            ["patched"] = new JsonArray([.. engine.Patched.Select(p => JsonValue.Create(p))]),
            ["patchReason"] = engine.PatchReason,
            ["threads"] = engine.Threads,
        },
        ["devices"] = new JsonArray([.. engine.Devices.Select(d => JsonValue.Create(d))]),
        ["energyMethod"] = meter,
    };

    private static string Version => typeof(DoctorVerb).Assembly.GetName().Version!.ToString(3);
}
