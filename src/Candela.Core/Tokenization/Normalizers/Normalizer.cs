using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>Rewrites text before it is cut. Immutable.</summary>
internal abstract class Normalizer
{
    /// <summary>The normalized text, aligned with the original when <paramref name="text"/> is.</summary>
    public abstract AlignedText Apply(AlignedText text);

    /// <summary>Writes the value of "normalizer".</summary>
    public abstract void Write(Utf8JsonWriter json);

    /// <summary>Whether it leaves every text as it is.</summary>
    public virtual bool IsIdentity => false;

    /// <summary>Reads the value of "normalizer"; null for null.</summary>
    public static Normalizer? Parse(JsonPart part)
    {
        if (part.IsNull)
            return null;
        string type = part.Type;
        return type switch
        {
            "Sequence" => new NormalizerSequence([.. part["normalizers"].Items().Select(p => Parse(p) ?? throw p.Corrupt("a normalizer is missing"))]),
            "NFC" => new FormNormalizer(compatible: false, compose: true),
            "NFD" => new FormNormalizer(compatible: false, compose: false),
            "NFKC" => new FormNormalizer(compatible: true, compose: true),
            "NFKD" => new FormNormalizer(compatible: true, compose: false),
            "Lowercase" => new LowercaseNormalizer(),
            "StripAccents" => new StripAccentsNormalizer(),
            "Strip" => new StripNormalizer(part["strip_left"].Flag(true), part["strip_right"].Flag(true)),
            "BertNormalizer" => new BertNormalizer(part["clean_text"].Flag(true), part["handle_chinese_chars"].Flag(true),
                part["strip_accents"].IsNull ? null : part["strip_accents"].Flag(true), part["lowercase"].Flag(true)),
            "Replace" => new ReplaceNormalizer(SplitPattern.Read(part["pattern"]), part["content"].Text("")),
            "Prepend" => new PrependNormalizer(part["prepend"].Text()),
            "Precompiled" => PrecompiledNormalizer.Read(part),
            "ByteLevel" => new ByteLevelNormalizer(),
            "Nmt" => new NmtNormalizer(),
            _ => throw part.Unsupported($"normalizer type \"{type}\" is not supported"),
        };
    }
}

/// <summary>One normalizer after another.</summary>
internal sealed class NormalizerSequence(IReadOnlyList<Normalizer> parts) : Normalizer
{
    public IReadOnlyList<Normalizer> Parts => parts;

    public override bool IsIdentity => parts.All(p => p.IsIdentity);

    public override AlignedText Apply(AlignedText text)
    {
        foreach (Normalizer part in parts)
            text = part.Apply(text);
        return text;
    }

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Sequence");
        json.WriteStartArray("normalizers");
        foreach (Normalizer part in parts)
            part.Write(json);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
