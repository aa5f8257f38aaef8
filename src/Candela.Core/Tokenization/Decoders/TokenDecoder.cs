using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>Turns tokens back into text. Immutable; the state of one decoding lies in the stages it opens.</summary>
internal abstract class TokenDecoder
{
    /// <summary>A stage that hands what it makes of each token to <paramref name="next"/>.</summary>
    public abstract DecoderStage Open(DecoderStage next);

    /// <summary>Writes the value of "decoder".</summary>
    public abstract void Write(Utf8JsonWriter json);

    /// <summary>Reads the value of "decoder"; null for null.</summary>
    public static TokenDecoder? Parse(JsonPart part)
    {
        if (part.IsNull)
            return null;
        string type = part.Type;
        return type switch
        {
            "Sequence" => new DecoderSequence([.. part["decoders"].Items().Select(p => Parse(p) ?? throw p.Corrupt("a decoder is missing"))]),
            "ByteLevel" => new ByteLevelDecoder(part["add_prefix_space"].Flag(true), part["trim_offsets"].Flag(true), part["use_regex"].Flag(true)),
            "WordPiece" => new WordPieceDecoder(part["prefix"].Text("##"), part["cleanup"].Flag(true)),
            "Metaspace" => MetaspaceDecoder.Read(part),
            "BPEDecoder" => new BpeDecoder(part["suffix"].Text("</w>")),
            "ByteFallback" => new ByteFallbackDecoder(),
            "Fuse" => new FuseDecoder(),
            "Strip" => new StripDecoder(part["content"].Text(" "), part["start"].Count(0), part["stop"].Count(0)),
            "Replace" => new ReplaceDecoder(SplitPattern.Read(part["pattern"]), part["content"].Text("")),
            "CTC" => new CtcDecoder(part["pad_token"].Text("<pad>"), part["word_delimiter_token"].Text("|"), part["cleanup"].Flag(true)),
            _ => throw part.Unsupported($"decoder type \"{type}\" is not supported"),
        };
    }
}

/// <summary>Takes tokens one at a time; hands on what is certain at once and the rest when it is, at the latest at the end.</summary>
internal abstract class DecoderStage
{
    /// <summary>Takes the next token, or, when <paramref name="continues"/>, more of the token before.</summary>
    public abstract void Push(string token, bool continues);

    /// <summary>Hands on what was held back.</summary>
    public abstract void Finish();
}

/// <summary>One decoder after another.</summary>
internal sealed class DecoderSequence(IReadOnlyList<TokenDecoder> parts) : TokenDecoder
{
    public IReadOnlyList<TokenDecoder> Parts => parts;

    public override DecoderStage Open(DecoderStage next)
    {
        for (int i = parts.Count - 1; i >= 0; i--)
            next = parts[i].Open(next);
        return next;
    }

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Sequence");
        json.WriteStartArray("decoders");
        foreach (TokenDecoder part in parts)
            part.Write(json);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
