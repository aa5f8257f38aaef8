using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>SentencePiece's compiled rewriting rules: a double-array trie from UTF-8 keys to places in a block of texts that end in a zero byte.</summary>
internal sealed class PrecompiledNormalizer : Normalizer
{
    private readonly byte[] _charsMap;
    private readonly uint[] _trie;
    private readonly byte[] _texts;
    private readonly bool _longestMatch;

    /// <summary>Reads the rules; <paramref name="longestMatch"/> applies them as SentencePiece does (the longest key at each place), else as Hugging Face's library does (a user-perceived character at a time, its
    /// shortest key first).</summary>
    public PrecompiledNormalizer(byte[] charsMap, bool longestMatch, string file)
    {
        (_charsMap, _longestMatch) = (charsMap, longestMatch);
        int size = charsMap.Length < 4 ? 0 : BinaryPrimitives.ReadInt32LittleEndian(charsMap);
        if (charsMap.Length > 0 && (size < 4 || size % 4 != 0 || size > charsMap.Length - 4))
            throw new FileFormatException(file, Fault.Corrupt, string.Create(CultureInfo.InvariantCulture, $"precompiled_charsmap: its trie says it has {size} bytes of {charsMap.Length}."));
        _trie = new uint[size / 4];
        for (int i = 0; i < _trie.Length; i++)
            _trie[i] = BinaryPrimitives.ReadUInt32LittleEndian(charsMap.AsSpan(4 + i * 4));
        _texts = charsMap.Length == 0 ? [] : charsMap[(4 + size)..];
    }

    public override bool IsIdentity => _trie.Length == 0;

    public override AlignedText Apply(AlignedText text)
    {
        if (IsIdentity)
            return text;
        var builder = new AlignedBuilder(text.Tracked, text.Text.Length);
        for (int at = 0; at < text.Text.Length;)
            at += _longestMatch ? Longest(text, at, builder) : Element(text, at, builder);
        return builder.ToText();
    }

    private int Longest(AlignedText text, int at, AlignedBuilder builder)
    {
        int units = Find(text.Text.AsSpan(at), longest: true, out string? replacement);
        if (replacement is null)
        {
            units = char.IsSurrogatePair(text.Text, at) ? 2 : 1;
            builder.Copy(text, at, units);
        }
        else
        {
            builder.Append(replacement, text, at, at + units);
        }

        return units;
    }

    private int Element(AlignedText text, int at, AlignedBuilder builder)
    {
        int units = StringInfo.GetNextTextElementLength(text.Text, at);
        ReadOnlySpan<char> element = text.Text.AsSpan(at, units);
        if (Encoding.UTF8.GetByteCount(element) < 6 && Find(element, longest: false, out string? whole) > 0 && whole is not null)
        {
            builder.Append(whole, text, at, at + units);
            return units;
        }

        for (int i = 0; i < units;)
        {
            int size = i + 1 < units && char.IsSurrogatePair(element[i], element[i + 1]) ? 2 : 1;
            _ = Find(element.Slice(i, size), longest: false, out string? one);
            if (one is null)
                builder.Copy(text, at + i, size);
            else
                builder.Append(one, text, at + i, at + i + size);
            i += size;
        }

        return units;
    }

    // The units of the key found and its replacement, null for none. The walk ends at a character without a key.
    private int Find(ReadOnlySpan<char> text, bool longest, out string? replacement)
    {
        replacement = null;
        int found = 0, place = -1;
        uint node = Offset(_trie[0]);
        Span<byte> utf8 = stackalloc byte[4];
        for (int at = 0; at < text.Length;)
        {
            _ = Rune.DecodeFromUtf16(text[at..], out Rune rune, out int size);
            int bytes = rune.EncodeToUtf8(utf8);
            at += size;
            for (int i = 0; i < bytes; i++)
            {
                if (utf8[i] == 0)
                    return Done(found, place, ref replacement);
                node ^= utf8[i];
                if (node >= (uint)_trie.Length)
                    return Done(found, place, ref replacement);
                uint unit = _trie[node];
                if ((unit & (1u << 31 | 0xFF)) != utf8[i])
                    return Done(found, place, ref replacement);
                node ^= Offset(unit);
                if ((unit >> 8 & 1) == 0 || node >= (uint)_trie.Length)
                    continue;
                (found, place) = (at, (int)(_trie[node] & 0x7FFFFFFF));
                if (!longest)
                    return Done(found, place, ref replacement);
            }
        }

        return Done(found, place, ref replacement);
    }

    private int Done(int found, int place, ref string? replacement)
    {
        if (place < 0 || place >= _texts.Length)
            return 0;
        ReadOnlySpan<byte> rest = _texts.AsSpan(place);
        int end = rest.IndexOf((byte)0);
        replacement = Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]);
        return found;
    }

    private static uint Offset(uint unit) => unit >> 10 << (int)((unit & 1u << 9) >> 6);

    public static PrecompiledNormalizer Read(JsonPart part)
    {
        string text = part["precompiled_charsmap"].Text("");
        try
        {
            return new PrecompiledNormalizer(Convert.FromBase64String(text), part["longest_match"].Flag(false), part.File);
        }
        catch (FormatException)
        {
            throw part.Corrupt("precompiled_charsmap is not base64");
        }
    }

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Precompiled");
        json.WriteString("precompiled_charsmap", Convert.ToBase64String(_charsMap));
        if (_longestMatch)
            json.WriteBoolean("longest_match", true);
        json.WriteEndObject();
    }
}
