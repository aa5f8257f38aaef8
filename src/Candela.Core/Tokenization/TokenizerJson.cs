using System.Text;
using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>Reads and writes tokenizer.json, the format of Hugging Face's tokenizers library, version 1.0.</summary>
internal static class TokenizerJson
{
    public static TokenizerParts Read(ReadOnlyMemory<byte> utf8, string file)
    {
        if (utf8.Span.StartsWith(Encoding.UTF8.Preamble))
            utf8 = utf8[Encoding.UTF8.Preamble.Length..];
        using JsonDocument document = JsonPart.Parse(utf8, file);
        var root = new JsonPart(document.RootElement, file, "");
        if (document.RootElement.ValueKind != JsonValueKind.Object || root["model"].IsNull)
            throw new FileFormatException(file, Fault.WrongFormat, "not a tokenizer.json: an object with the key \"model\" was needed.");
        if (root["version"].OptionalText() is { } version && version != "1.0")
            throw new FileFormatException(file, Fault.Unsupported, $"version {Vocabulary.Quote(version)} of tokenizer.json is not known; 1.0 is.");
        return new TokenizerParts
        {
            Name = file,
            Model = TokenModel.Parse(root["model"]),
            Normalizer = Normalizer.Parse(root["normalizer"]),
            PreTokenizer = PreTokenizer.Parse(root["pre_tokenizer"]),
            PostProcessor = PostProcessor.Parse(root["post_processor"]),
            Decoder = TokenDecoder.Parse(root["decoder"]),
            AddedTokens = [.. root["added_tokens"].Items().Select(p => ReadAddedToken(p))],
            Truncation = ReadTruncation(root["truncation"]),
            Padding = ReadPadding(root["padding"]),
        };
    }

    /// <summary>An element of "added_tokens".</summary>
    public static AddedToken ReadAddedToken(JsonPart part) => ReadAddedToken(part, part["id"].Integer());

    /// <summary>An added token whose id stands elsewhere.</summary>
    public static AddedToken ReadAddedToken(JsonPart part, int id)
    {
        bool special = part["special"].Flag(false);
        if (id is < 0 or >= Vocabulary.IdLimit)
            throw part.Corrupt($"id {id} is out of range");
        return new AddedToken(id, part["content"].Text(), special, part["normalized"].Flag(!special), part["single_word"].Flag(false), part["lstrip"].Flag(false), part["rstrip"].Flag(false));
    }

    private static TruncationOptions? ReadTruncation(JsonPart part)
    {
        if (part.IsNull)
            return null;
        string strategy = part["strategy"].Text("LongestFirst"), direction = part["direction"].Text("Right");
        if (strategy is not ("LongestFirst" or "OnlyFirst" or "OnlySecond"))
            throw part.Unsupported($"truncation strategy {Vocabulary.Quote(strategy)} is not known");
        if (direction is not ("Left" or "Right"))
            throw part.Unsupported($"truncation direction {Vocabulary.Quote(direction)} is not known");
        return new TruncationOptions(part["max_length"].Count(0), part["stride"].Count(0), strategy, direction);
    }

    private static PaddingOptions? ReadPadding(JsonPart part)
    {
        if (part.IsNull)
            return null;
        string direction = part["direction"].Text("Right");
        if (direction is not ("Left" or "Right"))
            throw part.Unsupported($"padding direction {Vocabulary.Quote(direction)} is not known");
        JsonPart strategy = part["strategy"], multiple = part["pad_to_multiple_of"];
        int? length = strategy.Element.ValueKind == JsonValueKind.Object ? strategy["Fixed"].Count(0) : null;
        return new PaddingOptions(length, direction, multiple.IsNull ? null : multiple.Count(0), part["pad_id"].Integer(0), part["pad_type_id"].Integer(0), part["pad_token"].Text("[PAD]"));
    }

    public static void Write(TokenizerParts parts, Stream stream)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteString("version", "1.0");
        json.WritePropertyName("truncation");
        WriteTruncation(json, parts.Truncation);
        json.WritePropertyName("padding");
        WritePadding(json, parts.Padding);
        json.WriteStartArray("added_tokens");
        foreach (AddedToken token in parts.AddedTokens.OrderBy(t => t.Id))
        {
            json.WriteStartObject();
            json.WriteNumber("id", token.Id);
            json.WriteString("content", token.Content);
            json.WriteBoolean("single_word", token.SingleWord);
            json.WriteBoolean("lstrip", token.LeftStrip);
            json.WriteBoolean("rstrip", token.RightStrip);
            json.WriteBoolean("normalized", token.Normalized);
            json.WriteBoolean("special", token.Special);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteOr(json, "normalizer", parts.Normalizer is null ? null : parts.Normalizer.Write);
        WriteOr(json, "pre_tokenizer", parts.PreTokenizer is null ? null : parts.PreTokenizer.Write);
        WriteOr(json, "post_processor", parts.PostProcessor is null ? null : parts.PostProcessor.Write);
        WriteOr(json, "decoder", parts.Decoder is null ? null : parts.Decoder.Write);
        WriteOr(json, "model", parts.Model.Write);
        json.WriteEndObject();
    }

    private static void WriteOr(Utf8JsonWriter json, string key, Action<Utf8JsonWriter>? write)
    {
        json.WritePropertyName(key);
        if (write is null)
            json.WriteNullValue();
        else
            write(json);
    }

    private static void WriteTruncation(Utf8JsonWriter json, TruncationOptions? truncation)
    {
        if (truncation is null)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartObject();
        json.WriteString("direction", truncation.Direction);
        json.WriteNumber("max_length", truncation.MaxLength);
        json.WriteString("strategy", truncation.Strategy);
        json.WriteNumber("stride", truncation.Stride);
        json.WriteEndObject();
    }

    private static void WritePadding(Utf8JsonWriter json, PaddingOptions? padding)
    {
        if (padding is null)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartObject();
        json.WritePropertyName("strategy");
        if (padding.Length is { } length)
        {
            json.WriteStartObject();
            json.WriteNumber("Fixed", length);
            json.WriteEndObject();
        }
        else
        {
            json.WriteStringValue("BatchLongest");
        }

        json.WriteString("direction", padding.Direction);
        if (padding.MultipleOf is { } multiple)
            json.WriteNumber("pad_to_multiple_of", multiple);
        else
            json.WriteNull("pad_to_multiple_of");
        json.WriteNumber("pad_id", padding.PadId);
        json.WriteNumber("pad_type_id", padding.PadTypeId);
        json.WriteString("pad_token", padding.PadToken);
        json.WriteEndObject();
    }
}
