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

    private const int FewestLetters = 2;
    private const string WordStart = "\u0002", WordEnd = "\u0003";
    private static readonly string[] WordChannels = ["word", "suffix1", "suffix2", "suffix3", "prefix1", "prefix2", "shape"], CharacterChannels = ["character", "pair-before", "pair-after", "shape"];

    private readonly Dictionary<string, int>[] _numbers;
    private readonly Dictionary<string, int> _letters;
    private readonly int[] _counts; // of the first channel's numbers in training
    private readonly Dictionary<ulong, int> _wide = []; // the number of a written-down feature, from 1, by its hash

    private SentenceFeatures(bool characters, Dictionary<string, int>[] numbers, int[] counts, Dictionary<string, int> letters, TaggedPairs pairs, IReadOnlyList<string> tags)
    {
        (ByCharacter, _numbers, _counts, _letters, Pairs, Tags) = (characters, numbers, counts, letters, pairs, tags);
        for (int i = 0; i < pairs.Hashes.Length; i++)
            _wide[pairs.Hashes[i]] = i + 1;
    }

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

    /// <summary>The written-down features and the tags they were seen with.</summary>
    public TaggedPairs Pairs { get; }

    /// <summary>Where a token's written-down features begin.</summary>
    public int WideStart => Channels.Count + (ByCharacter ? 0 : Letters);

    /// <summary>Numbers per token in all: the channels, for words their letters, and the written-down features.</summary>
    public int Width => WideStart + TokenFeatures.Most;

    /// <summary>How often training had the token of a number of the first channel.</summary>
    public int CountOf(long number) => number < 2 ? 0 : _counts[number - 2];

    /// <summary>The features of training sentences.</summary>
    public static SentenceFeatures Of(IReadOnlyList<TaggedSentence> sentences)
    {
        bool characters = TokenFeatures.Choose(sentences.Select(s => s.Tokens)) == TokenTemplates.Characters;
        string[] channels = characters ? CharacterChannels : WordChannels;
        Dictionary<string, int>[] counted = [.. channels.Select(_ => new Dictionary<string, int>(StringComparer.Ordinal))];
        var letters = new Dictionary<string, int>(StringComparer.Ordinal);
        string[] tags = [.. sentences.SelectMany(s => s.Tags).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        var pairs = new HashSet<(ulong Feature, int Tag)>();
        foreach (TaggedSentence sentence in sentences)
        {
            var written = new List<ulong>();
            int[][] at = TokenFeatures.Of(sentence.Tokens, Templates(characters), name =>
            {
                written.Add(Hash(name));
                return written.Count - 1;
            });
            for (int i = 0; i < at.Length; i++)
                foreach (int feature in at[i])
                    pairs.Add((written[feature], Array.BinarySearch(tags, sentence.Tags[i], StringComparer.Ordinal)));
            for (int i = 0; i < sentence.Tokens.Count; i++)
            {
                string[] values = Values(sentence.Tokens, i, characters);
                for (int c = 0; c < values.Length; c++)
                    counted[c][values[c]] = counted[c].GetValueOrDefault(values[c]) + 1;
                foreach (string letter in characters ? [] : LettersOf(sentence.Tokens[i]))
                    letters[letter] = letters.GetValueOrDefault(letter) + 1;
            }
        }

        // A pair or affix seen once says little; a word seen once is kept, for training hides it half of the time.
        Dictionary<string, int>[] numbers = [.. counted.Select((c, channel) => Number(c, channel == 0 ? 1 : 2))];
        return new SentenceFeatures(characters, numbers, [.. numbers[0].Keys.Select(k => counted[0][k])], Number(letters, FewestLetters),
            TaggedPairs.Of(pairs), tags);
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

        int[][] wide = TokenFeatures.Of(tokens, Templates(ByCharacter), name => _wide.GetValueOrDefault(Hash(name), -1));
        for (int i = 0; i < tokens.Count; i++)
        {
            Span<long> at = into.Slice((i * Width) + WideStart, TokenFeatures.Most);
            for (int f = 0; f < wide[i].Length; f++)
                at[f] = wide[i][f];
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
            ["features"] = Pairs.ToJson(),
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
        return new SentenceFeatures(characters, numbers, counts, Numbered(List(json, "letters", path)), TaggedPairs.Read(json["features"], tags.Count, path), tags);
    }

    private static string[] Values(IReadOnlyList<string> tokens, int i, bool characters)
    {
        string token = tokens[i], shape = Shape(token);
        if (characters)
            return [token, (i == 0 ? "" : tokens[i - 1]) + token, token + (i + 1 == tokens.Count ? "" : tokens[i + 1]), shape];
        string lower = token.ToLowerInvariant();
        return [lower, Last(lower, 1), Last(lower, 2), Last(lower, 3), First(lower, 1), First(lower, 2), shape];
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

    // Affixes never part a surrogate pair: half of one cannot be written to a file.
    private static string First(string text, int length)
    {
        int end = Math.Min(length, text.Length);
        return text[..(end < text.Length && end > 0 && char.IsHighSurrogate(text[end - 1]) ? end + 1 : end)];
    }

    private static string Last(string text, int length)
    {
        int start = Math.Max(0, text.Length - length);
        return text[(start > 0 && char.IsLowSurrogate(text[start]) ? start - 1 : start)..];
    }

    private static TokenTemplates Templates(bool characters) => characters ? TokenTemplates.Characters : TokenTemplates.Words;

    // FNV-1a over the UTF-16 units, then mixed: at a million features two of them share a hash with a probability of 3e-8.
    private static ulong Hash(ReadOnlySpan<char> name)
    {
        ulong hash = 14695981039346656037;
        foreach (char c in name)
            hash = (hash ^ c) * 1099511628211;
        return Rng.Mix(hash);
    }

    private static IEnumerable<string> LettersOf(string token) => [WordStart, .. token.EnumerateRunes().Select(r => r.ToString()), WordEnd];

    private void WriteLetters(string token, Span<long> into)
    {
        into.Clear();
        string[] letters = [.. LettersOf(token)];
        for (int i = 0; i < Math.Min(Letters, letters.Length); i++)
            into[i] = _letters.GetValueOrDefault(letters.Length <= Letters || i < Letters / 2 ? letters[i] : letters[letters.Length - Letters + i], Unknown);
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
