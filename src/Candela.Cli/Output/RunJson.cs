using System.Text.Json;
using System.Text.Json.Nodes;
using Candela.Evaluation;
using Candela.Metrics;
using Candela.Models;
using Candela.Runs;

namespace Candela.Cli.Output;

/// <summary>The stable JSON of <c>train --json</c> and <c>runs --json</c>; documented in docs/guide/json.md.</summary>
internal static class RunJson
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Text(JsonNode node) => node.ToJsonString(Indented);

    public static JsonObject Of(RunRecord record, string folder)
    {
        var json = new JsonObject
        {
            ["run"] = folder,
            ["task"] = MetricText.Task(record.Problem),
            ["target"] = record.Problem.Target,
            ["rows"] = new JsonObject(record.Rows.Select(r => KeyValuePair.Create(r.Key, (JsonNode?)r.Value))),
            ["metrics"] = new JsonObject(record.Metrics.Select(s => KeyValuePair.Create(s.Key, (JsonNode?)Metrics(s.Value.Metrics)))),
            ["baseline"] = new JsonObject
            {
                ["name"] = record.Baseline.Name,
                ["prediction"] = record.Baseline.Prediction,
                ["metrics"] = Metrics(record.Baseline.Metrics),
            },
            ["model"] = record.Model,
            ["modelReason"] = record.ModelReason,
            ["parameters"] = record.Parameters,
            ["candidates"] = new JsonArray([.. record.Candidates.Select(Candidate)]),
            ["seed"] = record.Seed,
            ["seconds"] = Number(record.Seconds),
            ["joules"] = Number(record.Energy.Joules),
            ["joulesLow"] = Number(record.Energy.Low),
            ["joulesHigh"] = Number(record.Energy.High),
            ["joulesMethod"] = record.Energy.Method,
            ["gramsCo2e"] = Number(record.Carbon.Grams),
            ["stopReason"] = Camel(record.StopReason.ToString()),
            ["warnings"] = Warnings(record.Warnings),
        };
        if (record.Samples.Count > 0)
            json["samples"] = new JsonArray([.. record.Samples.Select(s => new JsonObject { ["input"] = s.Input, ["output"] = s.Output, ["expected"] = s.Expected })]);
        if (record.CrossValidation is { } folds)
            json["crossValidation"] = new JsonObject { ["folds"] = folds.Folds, ["metrics"] = Metrics(folds.Metrics) };
        return json;
    }

    public static JsonObject Of(SplitEvaluation evaluation) => new()
    {
        ["rows"] = evaluation.Rows,
        ["metrics"] = Metrics(evaluation.Metrics),
    };

    public static JsonArray Warnings(IReadOnlyList<Warned> warnings) => [.. warnings.Select(w => new JsonObject { ["code"] = w.Code, ["message"] = w.Message })];

    public static JsonNode? Number(double value) => double.IsFinite(value) ? JsonValue.Create(value) : null;

    private static JsonObject Candidate(CandidateRecord candidate) => new()
    {
        ["model"] = candidate.Model,
        ["parameters"] = candidate.Parameters,
        ["validScore"] = candidate.ValidScore is { } score ? Number(score) : null,
        ["test"] = candidate.Test is { } test ? Metrics(test) : null,
        ["seconds"] = Number(candidate.Seconds),
        ["joules"] = Number(candidate.Joules),
        ["note"] = candidate.Note,
    };

    private static JsonObject Metrics(IReadOnlyDictionary<string, MetricValue> metrics) =>
        new(metrics.Select(m => KeyValuePair.Create(m.Key, (JsonNode?)new JsonObject
        {
            ["value"] = Number(m.Value.Value),
            ["low"] = Number(m.Value.Low),
            ["high"] = Number(m.Value.High),
        })));

    private static string Camel(string name) => char.ToLowerInvariant(name[0]) + name[1..];
}
