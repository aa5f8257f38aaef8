using System.Text;

namespace Candela.Data;

/// <summary>Texts as they are stored: lengths in bytes (-1 for missing) and the texts one after the other in UTF-8. A table's readers get them as <see cref="TextColumn"/>.</summary>
internal sealed class PackedTextColumn(int[] lengths, byte[] utf8, int count, int bytes) : TableColumn
{
    public ReadOnlySpan<int> Lengths => lengths.AsSpan(0, count);

    public ReadOnlySpan<byte> Utf8 => utf8.AsSpan(0, bytes);

    /// <inheritdoc/>
    public override int Count => count;

    /// <inheritdoc/>
    public override TableColumn Take(ReadOnlySpan<int> rows) => Unpack().Take(rows);

    public TextColumn Unpack() => Unpack(Lengths, Utf8);

    public static TextColumn Unpack(ReadOnlySpan<int> lengths, ReadOnlySpan<byte> utf8)
    {
        var texts = new string?[lengths.Length];
        int at = 0;
        for (int i = 0; i < texts.Length; i++)
        {
            if (lengths[i] < 0)
                continue;
            texts[i] = Encoding.UTF8.GetString(utf8.Slice(at, lengths[i]));
            at += lengths[i];
        }

        return new TextColumn(texts);
    }
}
