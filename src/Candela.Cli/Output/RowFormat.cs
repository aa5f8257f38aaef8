using System.Globalization;
using System.Numerics.Tensors;
using System.Text;
using System.Text.Json;
using Candela.Data;

namespace Candela.Cli.Output;

/// <summary>How predictions are written, row by row, so that nothing is held. <paramref name="kept"/> are the columns of the input that are carried along.</summary>
internal abstract class RowFormat(Problem problem, IReadOnlyList<string> kept)
{
    protected Problem Problem { get; } = problem;

    protected IReadOnlyList<string> Kept { get; } = kept;

    /// <summary>The kinds <c>--format</c> takes.</summary>
    public static string[] Kinds => ["csv", "jsonl", "json"];

    public static RowFormat Of(string kind, string run, Problem problem, IReadOnlyList<string> kept) => kind switch
    {
        "jsonl" => new JsonLineRows(problem, kept),
        "json" => new JsonDocumentRows(run, problem, kept),
        _ => new CsvRows(problem, kept),
    };

    public virtual void Begin(TextWriter writer) { }

    /// <summary>One row; <paramref name="cells"/> are those of the kept columns.</summary>
    public abstract void Write(TextWriter writer, long row, IReadOnlyList<string> cells, ReadOnlySpan<float> scores);

    public virtual void End(TextWriter writer) { }

    /// <summary>The class with the highest probability, or the value.</summary>
    protected string Prediction(ReadOnlySpan<float> scores) =>
        Problem.IsClassification ? Problem.Classes[TensorPrimitives.IndexOfMax(scores)] : scores[0].ToString("G7", CultureInfo.InvariantCulture);

    /// <summary>One row as a JSON object; a number that is not finite is null.</summary>
    protected string Json(long row, IReadOnlyList<string> cells, ReadOnlySpan<float> scores)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteNumber("row", row);
            if (Kept.Count > 0)
            {
                json.WriteStartObject("kept");
                for (int k = 0; k < Kept.Count; k++)
                    json.WriteString(Kept[k], cells[k]);
                json.WriteEndObject();
            }

            if (Problem.IsClassification)
            {
                json.WriteString("prediction", Prediction(scores));
                json.WriteStartObject("probabilities");
                for (int c = 0; c < scores.Length; c++)
                    Number(json, Problem.Classes[c], scores[c]);
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

/// <summary>A header, then <c>row,KEPT,...,prediction,p_CLASS,...</c>. A kept column that bears one of our names is called <c>data_NAME</c>.</summary>
internal sealed class CsvRows(Problem problem, IReadOnlyList<string> kept) : RowFormat(problem, kept)
{
    public override void Begin(TextWriter writer)
    {
        string[] scores = [.. Problem.Classes.Select(c => $"p_{c}").Prepend("prediction")];
        var taken = scores.Append("row").ToHashSet();
        var names = new List<string> { "row" };
        foreach (string name in Kept)
        {
            string free = name;
            while (!taken.Add(free))
                free = "data_" + free;
            names.Add(free);
        }

        writer.WriteLine(string.Join(',', names.Concat(scores).Select(Quote)));
    }

    public override void Write(TextWriter writer, long row, IReadOnlyList<string> cells, ReadOnlySpan<float> scores)
    {
        writer.Write(row);
        writer.Write(',');
        foreach (string cell in cells)
        {
            writer.Write(Quote(cell));
            writer.Write(',');
        }

        writer.Write(Quote(Prediction(scores)));
        if (Problem.IsClassification)
        {
            foreach (float p in scores)
            {
                writer.Write(',');
                writer.Write(p.ToString("G7", CultureInfo.InvariantCulture));
            }
        }

        writer.WriteLine();
    }

    internal static string Quote(string cell) => cell.AsSpan().ContainsAny(",\"\r\n") ? $"\"{cell.Replace("\"", "\"\"")}\"" : cell;
}

/// <summary>One JSON object a line.</summary>
internal sealed class JsonLineRows(Problem problem, IReadOnlyList<string> kept) : RowFormat(problem, kept)
{
    public override void Write(TextWriter writer, long row, IReadOnlyList<string> cells, ReadOnlySpan<float> scores) => writer.WriteLine(Json(row, cells, scores));
}

/// <summary>One JSON document: <c>{"run": ..., "predictions": [...]}</c>, written as it is computed.</summary>
internal sealed class JsonDocumentRows(string run, Problem problem, IReadOnlyList<string> kept) : RowFormat(problem, kept)
{
    public override void Begin(TextWriter writer) => writer.Write($"{{\"run\": \"{JsonEncodedText.Encode(run)}\", \"predictions\": [");

    public override void Write(TextWriter writer, long row, IReadOnlyList<string> cells, ReadOnlySpan<float> scores)
    {
        writer.WriteLine(row == 0 ? "" : ",");
        writer.Write("  " + Json(row, cells, scores));
    }

    public override void End(TextWriter writer) => writer.WriteLine($"{Environment.NewLine}]}}");
}
