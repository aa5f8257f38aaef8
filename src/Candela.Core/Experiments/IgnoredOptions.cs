using Candela.Data;
using Candela.Models;
using YamlDotNet.RepresentationModel;

namespace Candela.Experiments;

/// <summary>Finds options of training that were given but change nothing, because no family they are meant for heeds them.</summary>
internal static class IgnoredOptions
{
    private static readonly string[] Sequences = ["base", "tokenizer", "vocabulary", "layers", "heads", "width", "block", "evaluate-every", "lora-rank", "lora-alpha", "lora-dropout", "lora-targets", "head-only", "feed-forward", "checkpoint-activations", "precision", "beta", "source", "target-file", "valid-target", "test-target", "beams", "time", "group", "horizon", "window", "season", "nsp"];

    private static readonly string[] Tables = ["header", "skip-lines", "columns", "na", "type", "labels", "memory-budget", "exclude", "keep"];

    /// <summary>One warning <c>option-ignored</c> per option.</summary>
    public static IEnumerable<Warned> Find(TrainRequest request, Problem problem, IReadOnlyList<IModelFamily> rivals)
    {
        var defaults = new TrainRequest { Data = request.Data };
        foreach (var key in RecipeKeys.All.Where(k => FitOptions.Keys.Contains(k.Name)))
        {
            if (key.Get(request) is not { } given || Equal(given, key.Get(defaults)) || rivals.Any(f => Reaches(key, request, f) && Heeds(f, key.Name, request, problem)))
                continue;
            string who = request.Model == "auto" ? "no model that was tried on this data uses it" : $"the model '{request.Model}' does not use it{(OfClasses(key.Name) && !problem.IsClassification ? " for a number" : "")}";
            yield return Ignored(key.Name, who);
        }

        var unheeded = Sequences.Where(key => !rivals.Any(f => f.Heeds.Contains(key))).ToList();
        string others = request.Model == "auto" ? "no model that was tried on this data uses it" : $"the model '{request.Model}' does not use it";
        foreach (var warning in Given(request, unheeded, $"{others}; it is for --task {string.Join(" or ", SequenceTasks.Ids)}"))
            yield return warning;
    }

    /// <summary>The same of a run over sequences: what says how to read a table.</summary>
    public static IEnumerable<Warned> OfTables(TrainRequest request) => request.Task == SequenceTasks.Forecast ? [] : Given(request, Tables, $"--task {request.Task} reads no table");

    /// <summary>What the task does not use of the options of tasks over sequences.</summary>
    public static IEnumerable<Warned> OfTask(TrainRequest request, ISequenceTask task) =>
        task.Heeds is { } heeded ? Given(request, [.. Sequences.Where(key => !heeded.Contains(key))], $"--task {task.Id} does not use it") : [];

    private static IEnumerable<Warned> Given(TrainRequest request, IReadOnlyCollection<string> names, string why)
    {
        var defaults = new TrainRequest { Data = request.Data };
        return RecipeKeys.All.Where(k => names.Contains(k.Name) && k.Get(request) is { } given && !Equal(given, k.Get(defaults))).Select(k => Ignored(k.Name, why));
    }

    private static Warned Ignored(string option, string why) => new("option-ignored", $"--{option} changes nothing: {why}.");

    // Under auto, families that take no steps are not given the options that say how to take them.
    private static bool Reaches(RecipeKey key, TrainRequest request, IModelFamily family) =>
        request.Model != "auto" || family.TakesSteps || Equal(key.Get(request)!, key.Get(request with { Fit = request.Fit.WithoutSteps() }));

    private static bool Heeds(IModelFamily family, string key, TrainRequest request, Problem problem) =>
        key == "device" && request.Fit.Device == "cpu" || (family.Heeds.Contains(key) && (problem.IsClassification || !OfClasses(key)));

    private static bool OfClasses(string key) => key is "class-weights" or "label-smoothing";

    private static bool Equal(YamlNode a, YamlNode? b) => b is not null && a.ToString() == b.ToString();
}
