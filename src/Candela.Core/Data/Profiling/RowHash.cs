using System.Runtime.InteropServices;

namespace Candela.Data;

/// <summary>A 64-bit hash of chosen columns of each row, equal for equal rows in any chunk or table. A wrong match is a matter of 2^-64 per pair.</summary>
internal sealed class RowHash(IReadOnlyList<string> columns)
{
    private readonly CodeHashes[] _codes = [.. columns.Select(_ => new CodeHashes())];
    private ulong[] _hashes = [];

    /// <summary>One hash per row, valid until the next call.</summary>
    public ReadOnlySpan<ulong> Of(TableChunk chunk)
    {
        if (_hashes.Length < chunk.Rows)
            _hashes = new ulong[chunk.Rows];
        Span<ulong> hashes = _hashes.AsSpan(0, chunk.Rows);
        hashes.Fill(0xA0761D6478BD642FUL);
        for (int column = 0; column < columns.Count; column++)
        {
            switch (chunk.Column(columns[column]))
            {
                case NumberColumn { Values: var values }:
                    for (int i = 0; i < hashes.Length; i++)
                        hashes[i] = Fold(hashes[i], (uint)BitConverter.SingleToInt32Bits(values[i] == 0 ? 0 : values[i]));
                    break;
                case CategoryColumn category:
                    ulong[] ofCode = _codes[column].Of(category.Names);
                    for (int i = 0; i < hashes.Length; i++)
                        hashes[i] = Fold(hashes[i], category.Codes[i] < 0 ? 1 : ofCode[category.Codes[i]]);
                    break;
                case TextColumn { Values: var texts }:
                    for (int i = 0; i < hashes.Length; i++)
                        hashes[i] = Fold(hashes[i], Of(texts[i]));
                    break;
                case ImageColumn images:
                    for (int i = 0; i < hashes.Length; i++)
                        hashes[i] = Fold(hashes[i], Of(images.At(i)));
                    break;
            }
        }

        return hashes;
    }

    public static ulong Of(string? text) => text is null ? 1 : Of(MemoryMarshal.AsBytes(text.AsSpan()));

    public static ulong Of(ReadOnlySpan<byte> bytes)
    {
        ulong hash = 0xE7037ED1A0B428DBUL ^ (ulong)bytes.Length;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (ulong word in words)
            hash = Fold(hash, word);
        foreach (byte rest in bytes[(8 * words.Length)..])
            hash = Fold(hash, rest);
        return hash;
    }

    private static ulong Fold(ulong hash, ulong value) => Rng.Mix((hash * 0x9E3779B97F4A7C15UL) + value + 0x632BE59BD9B4E019UL);

    /// <summary>Hashes of a table's names, computed once per list of names.</summary>
    private sealed class CodeHashes
    {
        private IReadOnlyList<string>? _names;
        private ulong[] _hashes = [];

        public ulong[] Of(IReadOnlyList<string> names)
        {
            if (!ReferenceEquals(names, _names) || names.Count != _hashes.Length)
                (_names, _hashes) = (names, [.. names.Select(name => RowHash.Of(name))]);
            return _hashes;
        }
    }
}
