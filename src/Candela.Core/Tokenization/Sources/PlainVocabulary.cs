using System.Text;
using System.Text.Json.Nodes;
using Candela.Formats;

namespace Candela.Tokenization;

/// <summary>Vocabularies as older model folders have them: BERT's <c>vocab.txt</c>, and <c>vocab.json</c> with <c>merges.txt</c> of GPT-2 and RoBERTa. The pipeline is that of the family.</summary>
internal static class PlainVocabulary
{
    public const string Words = "vocab.txt", Pairs = "vocab.json", Merges = "merges.txt";

    private static readonly string[] Bert = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

    /// <summary>WordPiece: a token per line. <c>do_lower_case</c>, <c>tokenize_chinese_chars</c> and <c>strip_accents</c> of tokenizer_config.json are heeded; letters are made small where it does not say.</summary>
    public static TokenizerParts ReadWords(string file)
    {
        List<string> tokens = Lines(file);
        foreach (string needed in new[] { "[UNK]", "[CLS]", "[SEP]" })
        {
            if (!tokens.Contains(needed))
                throw new FileFormatException(file, Fault.WrongFormat, $"there is no line '{needed}'; a BERT vocabulary has one.");
        }

        JsonObject config = Beside(file);
        return WordPiece(tokens, Flag(config, "do_lower_case") ?? true, Flag(config, "tokenize_chinese_chars") ?? true, Flag(config, "strip_accents"), [.. Bert.Where(tokens.Contains).Select(t => new AddedToken(tokens.IndexOf(t), t))], file);
    }

    /// <summary>WordPiece as BERT has it, over a vocabulary in order of ids.</summary>
    public static TokenizerParts WordPiece(IReadOnlyList<string> tokens, bool lowercase, bool chinese, bool? stripAccents, IReadOnlyList<AddedToken> special, string name)
    {
        List<string> list = [.. tokens];
        return new TokenizerParts
        {
            Name = name,
            Model = PipelineText.Model(
                json =>
                {
                    json.WriteStartObject();
                    json.WriteString("type", "WordPiece");
                    json.WriteString("unk_token", "[UNK]");
                    json.WriteString("continuing_subword_prefix", "##");
                    json.WriteNumber("max_input_chars_per_word", 100);
                    json.WritePropertyName("vocab");
                    Vocabulary.FromList(tokens, name).Write(json);
                    json.WriteEndObject();
                },
                name),
            Normalizer = PipelineText.Normalizer($$"""{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":{{Text(chinese)}},"strip_accents":{{(stripAccents is { } strip ? Text(strip) : "null")}},"lowercase":{{Text(lowercase)}}}""", name),
            PreTokenizer = PipelineText.PreTokenizer("""{"type":"BertPreTokenizer"}""", name),
            PostProcessor = PipelineText.Frame(list.IndexOf("[CLS]"), list.IndexOf("[SEP]"), tokens, between: true),
            Decoder = PipelineText.Decoder("""{"type":"WordPiece","prefix":"##","cleanup":true}""", name),
            AddedTokens = special,
        };
    }

    /// <summary>Byte-level BPE: ids by token, and a merge per line, the most frequent first. A vocabulary with <c>&lt;s&gt;</c> and <c>&lt;/s&gt;</c> frames texts as RoBERTa does.</summary>
    public static TokenizerParts ReadPairs(string file)
    {
        string merges = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, Merges);
        if (!File.Exists(merges))
            throw new FileFormatException(merges, Fault.Missing, $"{Pairs} is there without its {Merges}; byte-pair encoding needs both.");
        JsonObject ids = JsonFile.ReadObject(file);
        TokenModel model = PipelineText.Model(
            json =>
            {
                json.WriteStartObject();
                json.WriteString("type", "BPE");
                json.WritePropertyName("vocab");
                ids.WriteTo(json);
                json.WriteStartArray("merges");
                foreach (string line in Lines(merges).Where(l => l.Length > 0 && !l.StartsWith("#version", StringComparison.Ordinal)))
                    json.WriteStringValue(line);
                json.WriteEndArray();
                json.WriteEndObject();
            },
            file);
        Vocabulary vocabulary = model.Vocabulary;
        bool roberta = vocabulary.IdOf("<s>") is not null && vocabulary.IdOf("</s>") is not null;
        bool prefix = Flag(Beside(file), "add_prefix_space") ?? false;
        string[] special = roberta ? ["<s>", "<pad>", "</s>", "<unk>", "<mask>"] : ["<|endoftext|>"];
        return new TokenizerParts
        {
            Name = file,
            Model = model,
            PreTokenizer = new ByteLevelPreTokenizer(prefix, trimOffsets: true, useRegex: true),
            PostProcessor = !roberta ? null : PipelineText.Parse($$"""{"type":"RobertaProcessing","sep":["</s>",{{vocabulary.IdOf("</s>")}}],"cls":["<s>",{{vocabulary.IdOf("<s>")}}],"trim_offsets":true,"add_prefix_space":{{Text(prefix)}}}""", file, PostProcessor.Parse),
            Decoder = PipelineText.Decoder(PipelineText.ByteLevelDecoder, file),
            AddedTokens = [.. special.Where(t => vocabulary.IdOf(t) is not null).Select(t => new AddedToken(vocabulary.IdOf(t)!.Value, t, LeftStrip: t == "<mask>"))],
        };
    }

    private static List<string> Lines(string file)
    {
        try
        {
            return [.. File.ReadLines(file, new UTF8Encoding(false, throwOnInvalidBytes: true)).Select(line => line.TrimEnd('\r'))];
        }
        catch (DecoderFallbackException error)
        {
            throw new FileFormatException(file, Fault.WrongFormat, "it is not UTF-8 text; a token or a merge per line was needed.", error);
        }
    }

    private static JsonObject Beside(string file)
    {
        string path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, "tokenizer_config.json");
        return File.Exists(path) ? JsonFile.ReadObject(path) : [];
    }

    private static bool? Flag(JsonObject json, string key) => json[key] is JsonValue value && value.TryGetValue(out bool flag) ? flag : null;

    private static string Text(bool flag) => flag ? "true" : "false";
}
