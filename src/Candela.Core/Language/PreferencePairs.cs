using System.Security.Cryptography;
using System.Text.Json;
using Candela.Data;
using Candela.Templates;

namespace Candela.Language;

/// <summary>Pairs of answers to a prompt, from JSON Lines: objects with <c>prompt</c> (a text, or messages with <c>role</c> and <c>content</c>), <c>chosen</c> and <c>rejected</c> (texts, or one message of the
/// assistant each). Other keys are left alone. The file may be gzip.</summary>
public sealed class PreferencePairs
{
    private const long OrderStream = 0x9f;

    private PreferencePairs(string source, IReadOnlyList<PreferencePair> pairs, string hash) => (Source, Pairs, DataHash) = (source, pairs, hash);

    /// <summary>The file.</summary>
    public string Source { get; }

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<PreferencePair> Pairs { get; }

    /// <summary>SHA-256 of the file's bytes, 64 lower-case hex digits.</summary>
    public string DataHash { get; }

    /// <summary>Reads a file.</summary>
    /// <param name="path">JSON Lines.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="FileFormatException">The file is missing, or its gzip data is broken.</exception>
    /// <exception cref="DataException">A line is no such object (named by its number), both answers are the same, or there is no pair.</exception>
    public static PreferencePairs Read(string path, CancellationToken cancellation = default)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var pairs = new List<PreferencePair>();
        using (var text = new StrictTextReader(path, hash))
        {
            long number = text.SkippedLines;
            while (text.ReadLine() is { } line)
            {
                cancellation.ThrowIfCancellationRequested();
                number++;
                if (!string.IsNullOrWhiteSpace(line))
                    pairs.Add(Parse(line, $"{path} line {number}"));
            }
        }

        return pairs.Count > 0 ? new PreferencePairs(path, pairs, Convert.ToHexStringLower(hash.GetHashAndReset()))
            : throw new DataException($"{path}: there is no pair in it. Each line is one object with prompt, chosen and rejected.");
    }

    /// <summary>Draws prompts for a held-out part, about a share of them (one at least, and not all), so that no prompt is in both parts.</summary>
    /// <param name="pairs">What is drawn from.</param>
    /// <param name="share">Of the prompts, between 0 and 1.</param>
    /// <param name="seed">The same seed draws the same.</param>
    /// <param name="held">The pairs of the prompts drawn.</param>
    /// <returns>The pairs of the others.</returns>
    /// <exception cref="DataException">There are fewer than two prompts.</exception>
    public static IReadOnlyList<PreferencePair> Split(IReadOnlyList<PreferencePair> pairs, double share, long seed, out IReadOnlyList<PreferencePair> held)
    {
        string[] prompts = [.. pairs.Select(p => p.PromptText).Distinct(StringComparer.Ordinal)];
        if (prompts.Length < 2)
            throw new DataException($"{prompts.Length} different prompt in {pairs.Count} pairs cannot be split; two or more were needed. Give more prompts, or the held-out pairs as files of their own.");
        new Rng(seed, OrderStream).Shuffle(prompts.AsSpan());
        int count = Math.Clamp((int)Math.Round(share * prompts.Length, MidpointRounding.AwayFromZero), 1, prompts.Length - 1);
        HashSet<string> drawn = new(prompts.Take(count), StringComparer.Ordinal);
        held = [.. pairs.Where(p => drawn.Contains(p.PromptText))];
        return [.. pairs.Where(p => !drawn.Contains(p.PromptText))];
    }

    private static PreferencePair Parse(string line, string where)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(line);
            if (json.RootElement.ValueKind != JsonValueKind.Object)
                throw new DataException($"{where}: a JSON {json.RootElement.ValueKind} was found; needed is an object with prompt, chosen and rejected.");
            IReadOnlyList<ChatMessage> prompt = Prompt(Value(json.RootElement, "prompt", where), where);
            string chosen = Answer(json.RootElement, "chosen", where), rejected = Answer(json.RootElement, "rejected", where);
            return chosen != rejected ? new PreferencePair(prompt, chosen, rejected)
                : throw new DataException($"{where}: 'chosen' and 'rejected' are the same answer, which prefers nothing. Leave the line out.");
        }
        catch (JsonException error)
        {
            throw new DataException($"{where}: not JSON ({error.Message.Split(" LineNumber")[0].TrimEnd('.')}). Each line is one object with prompt, chosen and rejected.", error);
        }
        catch (InvalidOperationException error)
        {
            throw new DataException($"{where}: a text has an escape that is no character.", error);
        }
    }

    private static IReadOnlyList<ChatMessage> Prompt(JsonElement prompt, string where) => prompt.ValueKind switch
    {
        JsonValueKind.String => [new ChatMessage("", prompt.GetString())],
        JsonValueKind.Array when prompt.GetArrayLength() > 0 => [.. prompt.EnumerateArray().Select(m => Message(m, "prompt", where))],
        _ => throw new DataException($"{where}: 'prompt' is {Name(prompt)}; a text, or a list of messages with role and content, was needed."),
    };

    private static string Answer(JsonElement row, string key, string where)
    {
        JsonElement answer = Value(row, key, where);
        string text = answer.ValueKind switch
        {
            JsonValueKind.String => answer.GetString()!,
            JsonValueKind.Array when answer.GetArrayLength() == 1 => Message(answer[0], key, where).Content!,
            JsonValueKind.Array => throw new DataException($"{where}: '{key}' has {answer.GetArrayLength()} messages; the assistant's answer alone was needed, with what came before it in 'prompt'."),
            _ => throw new DataException($"{where}: '{key}' is {Name(answer)}; a text, or the assistant's one message, was needed."),
        };
        return text.Length > 0 ? text : throw new DataException($"{where}: '{key}' is empty; an answer was needed.");
    }

    private static ChatMessage Message(JsonElement message, string key, string where) =>
        message.ValueKind == JsonValueKind.Object && message.TryGetProperty("role", out JsonElement role) && role.ValueKind == JsonValueKind.String && role.GetString()!.Length > 0
            && message.TryGetProperty("content", out JsonElement content) && content.ValueKind == JsonValueKind.String ? new ChatMessage(role.GetString()!, content.GetString())
            : throw new DataException($"{where}: '{key}' holds what is no message; objects with the texts role and content were needed.");

    private static JsonElement Value(JsonElement row, string key, string where)
    {
        if (row.TryGetProperty(key, out JsonElement value))
            return value;
        string[] keys = [.. row.EnumerateObject().Select(p => p.Name)];
        throw new DataException($"{where}: there is no key '{key}'.{NearestName.Hint(key, keys)} Keys: {string.Join(", ", keys)}.");
    }

    private static string Name(JsonElement value) => value.ValueKind == JsonValueKind.Array ? "an empty list" : $"a JSON {value.ValueKind.ToString().ToLowerInvariant()}";
}
