using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>Adds the tokens that frame one text or two. Immutable.</summary>
internal abstract class PostProcessor
{
    /// <summary>What to put together, in order: special tokens, text 0 and text 1, each with a type id.</summary>
    /// <param name="pair">Whether there are two texts.</param>
    public abstract IReadOnlyList<FramePart> Frame(bool pair);

    /// <summary>Whether offsets leave out the white space around tokens.</summary>
    public virtual bool TrimOffsets => false;

    /// <summary>Whether a trimmed offset keeps one leading space of the first token, which the pre-tokenizer put there.</summary>
    public virtual bool AddPrefixSpace => false;

    /// <summary>Writes the value of "post_processor".</summary>
    public abstract void Write(Utf8JsonWriter json);

    /// <summary>The tokens of one text and of two without any frame.</summary>
    internal static readonly FramePart[] Bare = [FramePart.Text(0, 0)], BarePair = [FramePart.Text(0, 0), FramePart.Text(1, 1)];

    /// <summary>Reads the value of "post_processor"; null for null.</summary>
    public static PostProcessor? Parse(JsonPart part)
    {
        if (part.IsNull)
            return null;
        string type = part.Type;
        return type switch
        {
            "ByteLevel" => new ByteLevelPostProcessor(part["add_prefix_space"].Flag(true), part["trim_offsets"].Flag(true), part["use_regex"].Flag(true)),
            "TemplateProcessing" => TemplatePostProcessor.Read(part),
            "BertProcessing" => new BertPostProcessor(ReadToken(part["sep"]), ReadToken(part["cls"])),
            "RobertaProcessing" => new RobertaPostProcessor(ReadToken(part["sep"]), ReadToken(part["cls"]), part["trim_offsets"].Flag(true), part["add_prefix_space"].Flag(true)),
            "Sequence" => new PostProcessorSequence([.. part["processors"].Items().Select(p => Parse(p) ?? throw p.Corrupt("a post-processor is missing"))]),
            _ => throw part.Unsupported($"post-processor type \"{type}\" is not supported"),
        };
    }

    // ["[SEP]", 102]
    private static NamedToken ReadToken(JsonPart part)
    {
        JsonPart[] items = [.. part.Items()];
        return items.Length == 2 ? new NamedToken(items[0].Text(), items[1].Integer()) : throw part.Corrupt("a token and its id were needed");
    }
}

/// <summary>A token with its id, as BERT's and RoBERTa's processors name theirs.</summary>
internal readonly record struct NamedToken(string Token, int Id)
{
    public void Write(Utf8JsonWriter json, string key)
    {
        json.WriteStartArray(key);
        json.WriteStringValue(Token);
        json.WriteNumberValue(Id);
        json.WriteEndArray();
    }
}

/// <summary>A part of a frame: text <paramref name="Sequence"/> (0 or 1), or, when it is -1, a special token.</summary>
internal readonly record struct FramePart(int Sequence, int Id, string? Token, int TypeId)
{
    public static FramePart Text(int sequence, int typeId) => new(sequence, -1, null, typeId);

    public static FramePart Special(string token, int id, int typeId) => new(-1, id, token, typeId);
}

/// <summary>Adds nothing; sets whether offsets leave out white space.</summary>
internal sealed class ByteLevelPostProcessor(bool addPrefixSpace, bool trimOffsets, bool useRegex) : PostProcessor
{
    public override bool TrimOffsets => trimOffsets;

    public override bool AddPrefixSpace => addPrefixSpace;

    public override IReadOnlyList<FramePart> Frame(bool pair) => pair ? BarePair : Bare;

    public override void Write(Utf8JsonWriter json) => ByteLevelJson.Write(json, addPrefixSpace, trimOffsets, useRegex);
}
