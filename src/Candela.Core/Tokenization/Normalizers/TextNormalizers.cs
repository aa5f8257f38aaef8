using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>A normalization form of Unicode.</summary>
internal sealed class FormNormalizer(bool compatible, bool compose) : Normalizer
{
    public override AlignedText Apply(AlignedText text) => UnicodeForm.Apply(text, compatible, compose);

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "NF" + (compatible ? "K" : "") + (compose ? "C" : "D"));
        json.WriteEndObject();
    }
}

/// <summary>Removes white space at the ends.</summary>
internal sealed class StripNormalizer(bool left, bool right) : Normalizer
{
    public override AlignedText Apply(AlignedText text)
    {
        int start = 0, end = text.Text.Length;
        while (left && start < end && char.IsWhiteSpace(text.Text[start]))
            start++;
        while (right && end > start && char.IsWhiteSpace(text.Text[end - 1]))
            end--;
        return text.Slice(start, end - start);
    }

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Strip");
        json.WriteBoolean("strip_left", left);
        json.WriteBoolean("strip_right", right);
        json.WriteEndObject();
    }
}

/// <summary>Puts a text in front of every text that is not empty.</summary>
internal sealed class PrependNormalizer(string prefix) : Normalizer
{
    public override AlignedText Apply(AlignedText text)
    {
        if (text.Text.Length == 0 || prefix.Length == 0)
            return text;
        var builder = new AlignedBuilder(text.Tracked, text.Text.Length + prefix.Length);
        builder.Append(prefix, text, 0, 1); // stands for the first character, as in the library the format comes from
        builder.Copy(text, 0, text.Text.Length);
        return builder.ToText();
    }

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Prepend");
        json.WriteString("prepend", prefix);
        json.WriteEndObject();
    }
}

/// <summary>Replaces every match of a text or pattern.</summary>
internal sealed class ReplaceNormalizer(SplitPattern pattern, string content) : Normalizer
{
    public override AlignedText Apply(AlignedText text)
    {
        if (!text.Tracked && pattern.Literal is { Length: > 0 } literal)
            return text.Text.Contains(literal, StringComparison.Ordinal) ? new AlignedText(text.Text.Replace(literal, content, StringComparison.Ordinal)) : text;
        var cuts = new List<Cut>();
        pattern.Cut(text.Text, cuts);
        if (!cuts.Exists(c => c.IsMatch))
            return text;
        var builder = new AlignedBuilder(text.Tracked, text.Text.Length);
        foreach (Cut cut in cuts)
        {
            if (cut.IsMatch)
                builder.Append(content, text, cut.Start, cut.Start + cut.Length);
            else
                builder.Copy(text, cut.Start, cut.Length);
        }

        return builder.ToText();
    }

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Replace");
        pattern.Write(json);
        json.WriteString("content", content);
        json.WriteEndObject();
    }
}
