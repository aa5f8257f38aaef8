using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>Cuts text into the pieces that the model sees one by one. Immutable.</summary>
internal abstract class PreTokenizer
{
    /// <summary>Cuts one piece and appends what it becomes; <paramref name="first"/> when it begins where the original text begins.</summary>
    public abstract void Split(Piece piece, bool first, List<Piece> into);

    /// <summary>Writes the value of "pre_tokenizer".</summary>
    public abstract void Write(Utf8JsonWriter json);

    /// <summary>Reads the value of "pre_tokenizer"; null for null.</summary>
    public static PreTokenizer? Parse(JsonPart part)
    {
        if (part.IsNull)
            return null;
        string type = part.Type;
        return type switch
        {
            "Sequence" => new PreTokenizerSequence([.. part["pretokenizers"].Items().Select(p => Parse(p) ?? throw p.Corrupt("a pre-tokenizer is missing"))]),
            "ByteLevel" => new ByteLevelPreTokenizer(part["add_prefix_space"].Flag(true), part["trim_offsets"].Flag(true), part["use_regex"].Flag(true)),
            "Split" => SplitPreTokenizer.Read(part),
            "Whitespace" => new WhitespacePreTokenizer(),
            "WhitespaceSplit" => new WhitespaceSplitPreTokenizer(),
            "BertPreTokenizer" => new BertPreTokenizer(),
            "Metaspace" => MetaspacePreTokenizer.Read(part),
            "Punctuation" => new PunctuationPreTokenizer(SplitPreTokenizer.ReadBehavior(part["behavior"], SplitBehavior.Isolated)),
            "Digits" => new DigitsPreTokenizer(part["individual_digits"].Flag(false)),
            "CharDelimiterSplit" => new CharDelimiterPreTokenizer(part["delimiter"].Text()),
            "UnicodeScripts" => new UnicodeScriptsPreTokenizer(),
            "FixedLength" => part["length"].Count(5) is > 0 and int length ? new FixedLengthPreTokenizer(length) : throw part.Corrupt("length: a length of 1 or more was needed, 0 is there"),
            _ => throw part.Unsupported($"pre-tokenizer type \"{type}\" is not supported"),
        };
    }
}

/// <summary>One pre-tokenizer after another, each on the pieces of the one before.</summary>
internal sealed class PreTokenizerSequence(IReadOnlyList<PreTokenizer> parts) : PreTokenizer
{
    public IReadOnlyList<PreTokenizer> Parts => parts;

    public override void Split(Piece piece, bool first, List<Piece> into)
    {
        List<Piece> pieces = [piece];
        foreach (PreTokenizer part in parts)
        {
            var next = new List<Piece>(pieces.Count);
            for (int i = 0; i < pieces.Count; i++)
                part.Split(pieces[i], first && i == 0, next);
            pieces = next;
        }

        into.AddRange(pieces);
    }

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Sequence");
        json.WriteStartArray("pretokenizers");
        foreach (PreTokenizer part in parts)
            part.Write(json);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
