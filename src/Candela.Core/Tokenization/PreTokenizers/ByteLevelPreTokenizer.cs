using System.Text;
using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>Cuts as GPT-2 does (unless told not to) and writes each byte of the UTF-8 text as a character of <see cref="ByteAlphabet"/>.</summary>
internal sealed class ByteLevelPreTokenizer(bool addPrefixSpace, bool trimOffsets, bool useRegex) : PreTokenizer
{
    public bool AddPrefixSpace => addPrefixSpace;

    public bool UseRegex => useRegex;

    public override void Split(Piece piece, bool first, List<Piece> into)
    {
        if (addPrefixSpace && !piece.Span.StartsWith(' '))
        {
            AlignedText text = piece.ToText();
            var builder = new AlignedBuilder(text.Tracked, text.Text.Length + 1);
            if (text.Text.Length > 0)
                builder.Append(" ", text, 0, 1);
            builder.Copy(text, 0, text.Text.Length);
            piece = new Piece(builder.ToText());
        }

        if (piece.Length == 0)
            return;
        if (!useRegex)
        {
            into.Add(Map(piece));
            return;
        }

        ReadOnlySpan<char> span = piece.Span;
        for (int start = 0; start < span.Length;)
        {
            int end = Gpt2Scanner.Instance.End(span, start);
            into.Add(Map(piece.Part(start, end - start)));
            start = end;
        }
    }

    private static Piece Map(Piece piece)
    {
        var builder = new AlignedBuilder(piece.Source.Tracked, piece.Length + 8);
        Span<byte> utf8 = stackalloc byte[4];
        Span<char> mapped = stackalloc char[4];
        int at = piece.Start, end = piece.Start + piece.Length;
        while (at < end)
        {
            _ = Rune.DecodeFromUtf16(piece.Source.Text.AsSpan(at, end - at), out Rune rune, out int size); // half a pair gives U+FFFD
            int count = rune.EncodeToUtf8(utf8);
            for (int i = 0; i < count; i++)
                mapped[i] = ByteAlphabet.Of(utf8[i]);
            builder.Append(mapped[..count], piece.Source, at, at + size);
            at += size;
        }

        return new Piece(builder.ToText());
    }

    public override void Write(Utf8JsonWriter json) => ByteLevelJson.Write(json, addPrefixSpace, trimOffsets, useRegex);
}
