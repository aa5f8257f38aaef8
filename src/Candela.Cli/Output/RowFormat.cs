using System.Globalization;
using System.Numerics.Tensors;
using System.Text;
using System.Text.Json;
using Candela.Data;

namespace Candela.Cli.Output;

/// <summary>How predictions are written, row by row, so that nothing is held.</summary>
internal abstract class RowFormat
{
    public static RowFormat Of(string kind, string run) => kind switch
    {
        "jsonl" => new JsonLineRows(),
        "json" => new JsonDocumentRows(run),
        _ => new CsvRows(),
    };

    public virtual void Begin(TextWriter writer, Problem problem) { }

    public abstract void Write(TextWriter writer, Problem problem, long row, ReadOnlySpan<float> scores);

    public virtual void End(TextWriter writer) { }

    /// <summary>The class with the highest probability, or the value.</summary>
    protected static string Prediction(Problem problem, ReadOnlySpan<float> scores) =>
        problem.IsClassification ? problem.Classes[TensorPrimitives.IndexOfMax(scores)] : scores[0].ToString("G7", CultureInfo.InvariantCulture);

    /// <summary>One row as a JSON object; a number that is not finite is null.</summary>
    protected static string Json(Problem problem, long row, ReadOnlySpan<float> scores)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteNumber("row", row);
            if (problem.IsClassification)
            {
                json.WriteString("prediction", Prediction(problem, scores));
                json.WriteStartObject("probabilities");
                for (int c = 0; c < scores.Length; c++)
                    Number(json, problem.Classes[c], scores[c]);
                json.WriteEndObject();
            }
            else
            {
                Number(json, "prediction", scores[0]);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static void Number(Utf8JsonWriter json, string name, float value)
    {
        if (float.IsFinite(value))
            json.WriteNumber(name, value);
        else
            json.WriteNull(name);
    }
}

/// <summary>A header, then <c>row,prediction,p_CLASS,...</c>.</summary>
internal sealed class CsvRows : RowFormat
{
    public override void Begin(TextWriter writer, Problem problem) =>
        writer.WriteLine(string.Join(',', problem.Classes.Select(c => Quote($"p_{c}")).Prepend("prediction").Prepend("row")));

    public override void Write(TextWriter writer, Problem problem, long row, ReadOnlySpan<float> scores)
    {
        writer.Write(row);
        writer.Write(',');
        writer.Write(Quote(Prediction(problem, scores)));
        if (problem.IsClassification)
        {
            foreach (float p in scores)
            {
                writer.Write(',');
                writer.Write(p.ToString("G7", CultureInfo.InvariantCulture));
            }
        }

        writer.WriteLine();
    }

    private static string Quote(string cell) => cell.AsSpan().ContainsAny(",\"\r\n") ? $"\"{cell.Replace("\"", "\"\"")}\"" : cell;
}

/// <summary>One JSON object a line.</summary>
internal sealed class JsonLineRows : RowFormat
{
    public override void Write(TextWriter writer, Problem problem, long row, ReadOnlySpan<float> scores) => writer.WriteLine(Json(problem, row, scores));
}

/// <summary>One JSON document: <c>{"run": ..., "predictions": [...]}</c>, written as it is computed.</summary>
internal sealed class JsonDocumentRows(string run) : RowFormat
{
    public override void Begin(TextWriter writer, Problem problem) => writer.Write($"{{\"run\": \"{JsonEncodedText.Encode(run)}\", \"predictions\": [");

    public override void Write(TextWriter writer, Problem problem, long row, ReadOnlySpan<float> scores)
    {
        writer.WriteLine(row == 0 ? "" : ",");
        writer.Write("  " + Json(problem, row, scores));
    }

    public override void End(TextWriter writer) => writer.WriteLine($"{Environment.NewLine}]}}");
}
