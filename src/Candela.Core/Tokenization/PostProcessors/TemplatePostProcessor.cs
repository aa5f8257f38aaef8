using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>Frames by a template such as <c>[CLS] $A [SEP] $B:1 [SEP]:1</c>.</summary>
internal sealed class TemplatePostProcessor : PostProcessor
{
    private readonly IReadOnlyList<Part> _single, _pair;
    private readonly IReadOnlyList<SpecialToken> _specials;
    private readonly FramePart[] _singleFrame, _pairFrame;

    /// <summary>A special token of the template, which may stand for several tokens.</summary>
    internal sealed record SpecialToken(string Name, IReadOnlyList<int> Ids, IReadOnlyList<string> Tokens);

    /// <summary>A place in the template: text 0 or 1, or (-1) the named special token.</summary>
    internal readonly record struct Part(int Sequence, string? Special, int TypeId);

    public TemplatePostProcessor(IReadOnlyList<Part> single, IReadOnlyList<Part> pair, IReadOnlyList<SpecialToken> specials)
    {
        (_single, _pair, _specials) = (single, pair, specials);
        _singleFrame = Expand(single);
        _pairFrame = Expand(pair);
    }

    public override IReadOnlyList<FramePart> Frame(bool pair) => pair ? _pairFrame : _singleFrame;

    private FramePart[] Expand(IReadOnlyList<Part> parts)
    {
        var frame = new List<FramePart>();
        foreach (Part part in parts)
        {
            if (part.Special is null)
            {
                frame.Add(FramePart.Text(part.Sequence, part.TypeId));
                continue;
            }

            SpecialToken special = _specials.First(s => s.Name == part.Special);
            for (int i = 0; i < special.Ids.Count; i++)
                frame.Add(FramePart.Special(special.Tokens[i], special.Ids[i], part.TypeId));
        }

        return [.. frame];
    }

    public static TemplatePostProcessor Read(JsonPart part)
    {
        var specials = new List<SpecialToken>();
        foreach ((string name, JsonPart value) in part["special_tokens"].Members())
        {
            int[] ids = [.. value["ids"].Items().Select(i => i.Integer())];
            string[] tokens = [.. value["tokens"].Items().Select(i => i.Text())];
            if (ids.Length != tokens.Length)
                throw value.Corrupt($"{Vocabulary.Quote(name)} has {ids.Length} ids for {tokens.Length} tokens");
            specials.Add(new SpecialToken(name, ids, tokens));
        }

        Part[] single = [.. part["single"].Items().Select(p => ReadPart(p, specials))], pair = [.. part["pair"].Items().Select(p => ReadPart(p, specials))];
        return new TemplatePostProcessor(single, pair, specials);
    }

    private static Part ReadPart(JsonPart part, List<SpecialToken> specials)
    {
        JsonPart special = part["SpecialToken"], sequence = part["Sequence"];
        if (!special.IsNull)
        {
            string name = special["id"].Text();
            if (specials.All(s => s.Name != name))
                throw part.Corrupt($"the template uses {Vocabulary.Quote(name)}, which special_tokens does not define");
            return new Part(-1, name, special["type_id"].Integer(0));
        }

        return sequence["id"].Text() switch
        {
            "A" => new Part(0, null, sequence["type_id"].Integer(0)),
            "B" => new Part(1, null, sequence["type_id"].Integer(0)),
            string other => throw part.Corrupt($"a template has texts A and B, {Vocabulary.Quote(other)} is there"),
        };
    }

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "TemplateProcessing");
        WriteParts(json, "single", _single);
        WriteParts(json, "pair", _pair);
        json.WriteStartObject("special_tokens");
        foreach (SpecialToken special in _specials)
        {
            json.WriteStartObject(special.Name);
            json.WriteString("id", special.Name);
            json.WriteStartArray("ids");
            foreach (int id in special.Ids)
                json.WriteNumberValue(id);
            json.WriteEndArray();
            json.WriteStartArray("tokens");
            foreach (string token in special.Tokens)
                json.WriteStringValue(token);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteParts(Utf8JsonWriter json, string key, IReadOnlyList<Part> parts)
    {
        json.WriteStartArray(key);
        foreach (Part part in parts)
        {
            json.WriteStartObject();
            json.WriteStartObject(part.Special is null ? "Sequence" : "SpecialToken");
            json.WriteString("id", part.Special ?? (part.Sequence == 0 ? "A" : "B"));
            json.WriteNumber("type_id", part.TypeId);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
