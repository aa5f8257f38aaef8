using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>Frames as BERT: <c>[CLS] A [SEP]</c> and <c>[CLS] A [SEP] B [SEP]</c>, the second text and its end of type 1.</summary>
internal sealed class BertPostProcessor(NamedToken separator, NamedToken start) : PostProcessor
{
    public override IReadOnlyList<FramePart> Frame(bool pair)
    {
        FramePart head = FramePart.Special(start.Token, start.Id, 0), end = FramePart.Special(separator.Token, separator.Id, 0);
        return pair ? [head, FramePart.Text(0, 0), end, FramePart.Text(1, 1), end with { TypeId = 1 }] : [head, FramePart.Text(0, 0), end];
    }

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "BertProcessing");
        separator.Write(json, "sep");
        start.Write(json, "cls");
        json.WriteEndObject();
    }
}

/// <summary>Frames as RoBERTa: <c>&lt;s&gt; A &lt;/s&gt;</c> and <c>&lt;s&gt; A &lt;/s&gt; &lt;/s&gt; B &lt;/s&gt;</c>, all of type 0.</summary>
internal sealed class RobertaPostProcessor(NamedToken separator, NamedToken start, bool trimOffsets, bool addPrefixSpace) : PostProcessor
{
    public override bool TrimOffsets => trimOffsets;

    public override bool AddPrefixSpace => addPrefixSpace;

    public override IReadOnlyList<FramePart> Frame(bool pair)
    {
        FramePart head = FramePart.Special(start.Token, start.Id, 0), end = FramePart.Special(separator.Token, separator.Id, 0);
        return pair ? [head, FramePart.Text(0, 0), end, end, FramePart.Text(1, 0), end] : [head, FramePart.Text(0, 0), end];
    }

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "RobertaProcessing");
        separator.Write(json, "sep");
        start.Write(json, "cls");
        json.WriteBoolean("trim_offsets", trimOffsets);
        json.WriteBoolean("add_prefix_space", addPrefixSpace);
        json.WriteEndObject();
    }
}

/// <summary>Several post-processors: each frames what the one before framed.</summary>
internal sealed class PostProcessorSequence(IReadOnlyList<PostProcessor> parts) : PostProcessor
{
    public override bool TrimOffsets => parts.Any(p => p.TrimOffsets);

    public override bool AddPrefixSpace => parts.FirstOrDefault(p => p.TrimOffsets)?.AddPrefixSpace ?? false;

    public override IReadOnlyList<FramePart> Frame(bool pair)
    {
        IReadOnlyList<FramePart> frame = pair ? BarePair : Bare;
        foreach (PostProcessor part in parts)
        {
            IReadOnlyList<FramePart> next = part.Frame(pair);
            if (next.All(p => p.Sequence >= 0))
                continue; // adds nothing
            // The texts of the next frame are what the frame so far made of each: special tokens before a text go with it.
            IReadOnlyList<FramePart> so = frame;
            frame = [.. next.SelectMany(p => p.Sequence < 0 ? [p] : Around(so, p))];
        }

        return frame;
    }

    private static IEnumerable<FramePart> Around(IReadOnlyList<FramePart> frame, FramePart text)
    {
        int place = frame.ToList().FindIndex(p => p.Sequence == text.Sequence);
        int start = place;
        while (start > 0 && frame[start - 1].Sequence < 0)
            start--;
        if (text.Sequence == 1)
            start = place; // what lies between the texts ends the first
        int end = place + 1;
        while (end < frame.Count && frame[end].Sequence < 0)
            end++;
        return frame.Skip(start).Take(end - start).Select(p => p.Sequence >= 0 ? text : p);
    }

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Sequence");
        json.WriteStartArray("processors");
        foreach (PostProcessor part in parts)
            part.Write(json);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
