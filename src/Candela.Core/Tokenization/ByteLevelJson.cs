using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>The object of type ByteLevel, which tokenizer.json spells alike as pre-tokenizer, post-processor and decoder.</summary>
internal static class ByteLevelJson
{
    public static void Write(Utf8JsonWriter json, bool addPrefixSpace, bool trimOffsets, bool useRegex)
    {
        json.WriteStartObject();
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", addPrefixSpace);
        json.WriteBoolean("trim_offsets", trimOffsets);
        json.WriteBoolean("use_regex", useRegex);
        json.WriteEndObject();
    }
}
