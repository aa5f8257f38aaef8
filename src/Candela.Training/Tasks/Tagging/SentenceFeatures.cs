using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Candela.Language;

namespace Candela.Training.Tasks;

/// <summary>What a tagging net reads of a token, as numbers: the word (or character), its neighbours' pairs or its affixes, its shape, and its characters. Numbers come from the training text.</summary>
internal sealed class SentenceFeatures
{
    /// <summary>Number of padding, in every channel.</summary>
    public const int Padding = 0;

    /// <summary>Number of what training has not seen.</summary>
    public const int Unknown = 1;

    /// <summary>Characters read of a word: its first and its last ones.</summary>
    public const int Letters = 16;

    private const double CharacterShare = 0.95;
    private const int FewestLetters = 2;
    private static readonly string[] WordChannels = ["word", "suffix2", "suffix3", "prefix2", "shape"], CharacterChannels = ["character", "pair-before", "pair-after", "shape"];

    private readonly Dictionary<string, int>[] _numbers;
    private readonly Dictionary<string, int> _letters;
    private readonly int[] _counts; // of the first channel's numbers in training

    private SentenceFeatures(bool characters, Dictionary<string, int>[] numbers, int[] counts, Dictionary<string, int> letters, IReadOnlyList<string> tags) =>
        (ByCharacter, _numbers, _counts, _letters, Tags) = (characters, numbers, counts, letters, tags);

    /// <summary>Whether tokens are single characters, as in Chinese text that is not segmented.</summary>
    public bool ByCharacter { get; }

    /// <summary>The tags, in the order of the net's outputs.</summary>
    public IReadOnlyList<string> Tags { get; }

    /// <summary>Channels that each have one number per token; the first is the token itself, the last its shape.</summary>
    public IReadOnlyList<string> Channels => ByCharacter ? CharacterChannels : WordChannels;

    /// <summary>Numbers of a channel, padding and unknown included.</summary>
    public int Size(int channel) => _numbers[channel].Count + 2;

    /// <summary>Numbers of letters, padding and unknown included.</summary>
    public int LetterCount => _letters.Count + 2;

    /// <summary>Numbers per token in all: the channels, and for words their letters.</summary>
    public int Width => Channels.Count + (ByCharacter ? 0 : Letters);

    /// <summary>How often training had the token of a number of the first channel.</summary>
    public int CountOf(long number) => number < 2 ? 0 : _counts[number - 2];

    /// <summary>The features of training sentences.</summary>
    public static SentenceFeatures Of(IReadOnlyList<TaggedSentence> sentences)
    {
        long single = 0, all = 0;
        foreach (string token in sentences.SelectMany(s => s.Tokens))
        {
            all++;
            single += new StringInfo(token).LengthInTextElements == 1 ? 1 : 0;
        }

        bool characters = single >= CharacterShare * all;
        string[] channels = characters ? CharacterChannels : WordChannels;
        Dictionary<string, int>[] counted = [.. channels.Select(_ => new Dictionary<string, int>(StringComparer.Ordinal))];
        var letters = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (TaggedSentence sentence in sentences)
        {
            for (int i = 0; i < sentence.Tokens.Count; i++)
            {
                string[] values = Values(sentence.Tokens, i, characters);
                for (int c = 0; c < values.Length; c++)
                    counted[c][values[c]] = counted[c].GetValueOrDefault(values[c]) + 1;
                foreach (Rune letter in characters ? default : sentence.Tokens[i].EnumerateRunes())
                    letters[letter.ToString()] = letters.GetValueOrDefault(letter.ToString()) + 1;
            }
        }

        // A pair or affix seen once says little; a word seen once is kept, for training hides it half of the time.
        Dictionary<string, int>[] numbers = [.. counted.Select((c, channel) => Number(c, channel == 0 ? 1 : 2))];
        return new SentenceFeatures(characters, numbers, [.. numbers[0].Keys.Select(k => counted[0][k])], Number(letters, FewestLetters),
            [.. sentences.SelectMany(s => s.Tags).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)]);
    }

    /// <summary>Writes a sentence's numbers, <see cref="Width"/> per token.</summary>
    public void Write(IReadOnlyList<string> tokens, Span<long> into)
    {
        for (int i = 0; i < tokens.Count; i++)
        {
            Span<long> at = into.Slice(i * Width, Width);
            string[] values = Values(tokens, i, ByCharacter);
            for (int c = 0; c < values.Length; c++)
                at[c] = _numbers[c].GetValueOrDefault(values[c], Unknown);
            if (!ByCharacter)
                WriteLetters(tokens[i], at[values.Length..]);
        }
    }

    /// <summary>As config.json holds them.</summary>
    public JsonObject ToJson()
    {
        var channels = new JsonObject();
        for (int c = 0; c < _numbers.Length; c++)
            channels[Channels[c]] = Texts(_numbers[c].Keys);
        return new JsonObject
        {
            ["by_character"] = ByCharacter,
            ["tags"] = Texts(Tags),
            ["channels"] = channels,
            ["counts"] = new JsonArray([.. _counts.Select(c => JsonValue.Create(c))]),
            ["letters"] = Texts(_letters.Keys),
        };
    }

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="FileFormatException">Something is missing or of the wrong kind.</exception>
    public static SentenceFeatures Read(JsonObject json, string path)
    {
        if (json["by_character"] is not JsonValue flag || !flag.TryGetValue(out bool characters) || json["channels"] is not JsonObject channels || json["counts"] is not JsonArray counted)
            throw new FileFormatException(path, Fault.Corrupt, "'by_character', 'channels' or 'counts' is missing or of the wrong kind. The file is damaged: restore it or train again.");
        Dictionary<string, int>[] numbers = [.. (characters ? CharacterChannels : WordChannels).Select(c => Numbered(List(channels, c, path)))];
        int[] counts = [.. counted.Select(n => n is JsonValue value && value.TryGetValue(out int count) ? count : -1)];
        IReadOnlyList<string> tags = List(json, "tags", path);
        if (counts.Length != numbers[0].Count || counts.Any(c => c < 0) || tags.Count == 0)
            throw new FileFormatException(path, Fault.Corrupt, "'counts' does not fit the words, or there are no tags. The file is damaged: restore it or train again.");
        return new SentenceFeatures(characters, numbers, counts, Numbered(List(json, "letters", path)), tags);
    }

    private static string[] Values(IReadOnlyList<string> tokens, int i, bool characters)
    {
        string token = tokens[i], shape = Shape(token);
        if (characters)
            return [token, (i == 0 ? "" : tokens[i - 1]) + token, token + (i + 1 == tokens.Count ? "" : tokens[i + 1]), shape];
        string lower = token.ToLowerInvariant();
        return [lower, lower[Math.Max(0, lower.Length - 2)..], lower[Math.Max(0, lower.Length - 3)..], lower[..Math.Min(2, lower.Length)], shape];
    }

    // Upper and lower case, digits and the rest, runs shortened: "Xx", "d-d", "x'x".
    private static string Shape(string token)
    {
        var shape = new StringBuilder();
        foreach (Rune rune in token.EnumerateRunes())
        {
            char kind = Rune.IsDigit(rune) ? 'd' : Rune.IsUpper(rune) ? 'X' : Rune.IsLower(rune) ? 'x' : Rune.IsLetter(rune) ? 'l' : (char)Math.Min(rune.Value, 0x2FFF);
            if (shape.Length == 0 || shape[^1] != kind)
                shape.Append(kind);
        }

        return shape.ToString();
    }

    private void WriteLetters(string token, Span<long> into)
    {
        into.Clear();
        Rune[] runes = [.. token.EnumerateRunes()];
        for (int i = 0; i < Math.Min(Letters, runes.Length); i++)
        {
            Rune rune = runes.Length <= Letters || i < Letters / 2 ? runes[i] : runes[runes.Length - Letters + i];
            into[i] = _letters.GetValueOrDefault(rune.ToString(), Unknown);
        }
    }

    private static Dictionary<string, int> Number(Dictionary<string, int> counts, int least) =>
        Numbered(counts.Where(c => c.Value >= least).Select(c => c.Key).Order(StringComparer.Ordinal));

    private static Dictionary<string, int> Numbered(IEnumerable<string> texts)
    {
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (string text in texts)
            numbers[text] = numbers.Count + 2;
        return numbers;
    }

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(t => JsonValue.Create(t))]);

    private static IReadOnlyList<string> List(JsonObject json, string key, string path) =>
        json[key] is JsonArray list && list.All(n => n is JsonValue v && v.TryGetValue(out string? _)) ? [.. list.Select(n => n!.GetValue<string>())]
            : throw new FileFormatException(path, Fault.Corrupt, $"'{key}' is missing or not a list of texts. The file is damaged: restore it or train again.");
}
