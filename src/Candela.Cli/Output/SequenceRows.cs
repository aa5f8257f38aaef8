using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Candela.Experiments;

namespace Candela.Cli.Output;

/// <summary>Writes what a model over sequences predicts, as it comes: <c>text</c> is the task's own plain format, the others are as those of rows.</summary>
internal static class SequenceRows
{
    private static readonly JsonSerializerOptions OneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The kinds <c>--format</c> takes.</summary>
    public static readonly string[] Kinds = ["text", "csv", "jsonl", "json"];

    /// <summary>Writes all and says how many they were.</summary>
    public static long Write(TextWriter writer, string kind, string run, IReadOnlyList<string> fields, IEnumerable<SequencePrediction> predictions)
    {
        long count = 0;
        if (kind == "csv")
            writer.WriteLine(string.Join(',', fields.Prepend("row").Select(CsvRows.Quote)));
        else if (kind == "json")
            writer.Write($"{{\"run\": \"{JsonEncodedText.Encode(run)}\", \"predictions\": [");
        foreach (SequencePrediction prediction in predictions)
        {
            switch (kind)
            {
                case "text":
                    writer.WriteLine(prediction.Text);
                    break;
                case "csv":
                    writer.WriteLine(string.Join(',', prediction.Values.Select(Cell).Prepend(count.ToString())));
                    break;
                case "json":
                    writer.WriteLine(count == 0 ? "" : ",");
                    writer.Write("  " + Json(count, fields, prediction.Values));
                    break;
                default:
                    writer.WriteLine(Json(count, fields, prediction.Values));
                    break;
            }

            count++;
        }

        if (kind == "json")
            writer.WriteLine($"{Environment.NewLine}]}}");
        return count;
    }

    // Arrays stand in one cell, their parts with blanks between.
    private static string Cell(JsonNode? value) => CsvRows.Quote(value switch
    {
        null => "",
        JsonArray array => string.Join(' ', array.Select(part => part?.ToString())),
        _ => value.ToString(),
    });

    private static string Json(long row, IReadOnlyList<string> fields, IReadOnlyList<JsonNode?> values)
    {
        var json = new JsonObject { ["row"] = row };
        for (int f = 0; f < fields.Count; f++)
            json[fields[f]] = values[f]?.DeepClone();
        return json.ToJsonString(OneLine);
    }
}
