using System.Text.Json;

namespace Candela.Language;

/// <summary>Reads few-shot examples from JSON lines: <c>question</c> (or <c>prompt</c>), <c>context</c> if any, <c>answer</c> (a text, several, or the place of the right choice from 0) and, for multiple choice, <c>choices</c>.</summary>
public static class FewShotFile
{
    /// <summary>All examples of a file.</summary>
    /// <exception cref="DataException">A line is not such an object; the message names the line and the field.</exception>
    public static IReadOnlyList<FewShotExample> Read(string path, FewShotTask task)
    {
        var examples = new List<FewShotExample>();
        int number = 0;
        foreach (string line in File.ReadLines(path))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
                continue;
            string where = $"{path}, line {number}";
            try
            {
                using JsonDocument json = JsonDocument.Parse(line);
                examples.Add(Parse(json.RootElement, task, where));
            }
            catch (JsonException exception)
            {
                throw new DataException($"{where}: not JSON ({exception.Message}); each line is one object.", exception);
            }
        }

        return examples.Count > 0 ? examples : throw new DataException($"{path}: no example; each line is one JSON object with question and answer.");
    }

    private static FewShotExample Parse(JsonElement json, FewShotTask task, string where)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new DataException($"{where}: a JSON {json.ValueKind} was found; needed is an object with question and answer.");
        string question = Text(json, "question") ?? Text(json, "prompt") ?? throw new DataException($"{where}: no text in 'question' (or 'prompt').");
        string? context = Text(json, "context");
        if (!json.TryGetProperty("answer", out JsonElement answer) && !json.TryGetProperty("answers", out answer))
            throw new DataException($"{where}: no 'answer'.");
        if (task != FewShotTask.MultipleChoice)
        {
            string[] answers = answer.ValueKind == JsonValueKind.Array ? Texts(answer) : answer.ValueKind is JsonValueKind.String or JsonValueKind.Number ? [answer.ToString()] : [];
            return answers.Length > 0 ? new FewShotExample(question, answers) { Context = context } : throw new DataException($"{where}: 'answer' is a JSON {answer.ValueKind}; needed is a text or a list of texts.");
        }

        string[] choices = json.TryGetProperty("choices", out JsonElement list) && list.ValueKind == JsonValueKind.Array ? Texts(list) : [];
        if (choices.Length < 2)
            throw new DataException($"{where}: {choices.Length} texts in 'choices'; needed are at least 2.");
        int right = answer.ValueKind == JsonValueKind.Number && answer.TryGetInt32(out int place) ? place : answer.ValueKind == JsonValueKind.String ? Array.IndexOf(choices, answer.GetString()) : -1;
        if ((uint)right >= (uint)choices.Length)
            throw new DataException($"{where}: 'answer' {answer.GetRawText()} is neither one of the choices nor a place from 0 to {choices.Length - 1}.");
        return new FewShotExample(question, [choices[right]]) { Context = context, Choices = choices, Answer = right };
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string[] Texts(JsonElement list) => [.. list.EnumerateArray().Where(e => e.ValueKind is JsonValueKind.String or JsonValueKind.Number).Select(e => e.ToString())];
}
