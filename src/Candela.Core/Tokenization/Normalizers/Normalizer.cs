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
