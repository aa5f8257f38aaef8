using System.Text;
using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>Pipeline parts from the JSON that a tokenizer.json would hold: other formats are read as the pipeline that Hugging Face's converters make of them, so that what is loaded can be saved.</summary>
internal static class PipelineText
{
    /// <summary>What SentencePiece writes for a space.</summary>
    public const string Space = "\u2581";

    public const string ByteLevelDecoder = """{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true}""";

    public const string SpmDecoder = """{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}""";

    public static T Parse<T>(string json, string file, Func<JsonPart, T> read)
    {
        using JsonDocument document = JsonPart.Parse(Encoding.UTF8.GetBytes(json), file);
        return read(new JsonPart(document.RootElement, file, ""));
    }

    public static Normalizer? Normalizer(string json, string file) => Parse(json, file, Tokenization.Normalizer.Parse);

    public static PreTokenizer? PreTokenizer(string json, string file) => Parse(json, file, Tokenization.PreTokenizer.Parse);

    public static TokenDecoder? Decoder(string json, string file) => Parse(json, file, TokenDecoder.Parse);

    public static TokenModel Model(Action<Utf8JsonWriter> write, string file)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
            write(json);
        using JsonDocument document = JsonPart.Parse(stream.ToArray(), file);
        return TokenModel.Parse(new JsonPart(document.RootElement, file, "model"));
    }

    public static string Quoted(string text) => "\"" + JsonEncodedText.Encode(text) + "\"";

    /// <summary>The normalizer of a SentencePiece vocabulary; null when it changes nothing.</summary>
    public static Normalizer? SpmNormalizer(byte[]? charsMap, bool removeExtraSpaces, bool addPrefix, bool escape, string file, bool strip = true)
    {
        string space = escape ? Space : " ";
        var parts = new List<string>();
        if (charsMap is { Length: > 0 })
            parts.Add($$"""{"type":"Precompiled","precompiled_charsmap":"{{Convert.ToBase64String(charsMap)}}"}""");
        if (removeExtraSpaces)
        {
            if (strip)
                parts.Add("""{"type":"Replace","pattern":{"Regex":"\\A +| +\\z"},"content":""}"""); // spaces only: other white space at the ends stays
            parts.Add("""{"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "}""");
        }

        if (addPrefix)
            parts.Add($$"""{"type":"Prepend","prepend":{{Quoted(space)}}}""");
        if (escape)
            parts.Add("""{"type":"Replace","pattern":{"String":" "},"content":"▁"}""");
        return parts.Count == 0 ? null : Normalizer($$"""{"type":"Sequence","normalizers":[{{string.Join(",", parts)}}]}""", file);
    }

    /// <summary>The frame of a text: a token before and one after, each perhaps none.</summary>
    public static PostProcessor? Frame(int? before, int? after, IReadOnlyList<string> tokens, bool between = false)
    {
        if (before is null && after is null)
            return null;
        var specials = new List<TemplatePostProcessor.SpecialToken>();
        var single = new List<TemplatePostProcessor.Part>();
        var pair = new List<TemplatePostProcessor.Part>();
        void Special(int? id, int type, bool inSingle, bool inPair)
        {
            if (id is not { } token)
                return;
            var part = new TemplatePostProcessor.Part(-1, tokens[token], type);
            if (inSingle)
                single.Add(part);
            if (inPair)
                pair.Add(part);
            if (specials.TrueForAll(s => s.Name != tokens[token]))
                specials.Add(new TemplatePostProcessor.SpecialToken(tokens[token], [token], [tokens[token]]));
        }

        Special(before, 0, inSingle: true, inPair: true);
        single.Add(new TemplatePostProcessor.Part(0, null, 0));
        pair.Add(new TemplatePostProcessor.Part(0, null, 0));
        Special(after, 0, inSingle: true, inPair: true);
        Special(between ? null : before, 1, inSingle: false, inPair: true);
        pair.Add(new TemplatePostProcessor.Part(1, null, 1));
        Special(after, 1, inSingle: false, inPair: true);
        return new TemplatePostProcessor(single, pair, specials);
    }
}
