namespace Candela.Data;

/// <summary>The cells of one column for the rows of one <see cref="TableChunk"/>.</summary>
public abstract class TableColumn
{
    /// <summary>Number of rows.</summary>
    public abstract int Count { get; }

    /// <summary>A new column with the given rows, in the given order.</summary>
    public abstract TableColumn Take(ReadOnlySpan<int> rows);
}

/// <summary>Numbers, whole numbers and dates. NaN is a missing cell.</summary>
public sealed class NumberColumn(float[] values) : TableColumn
{
    /// <summary>One value per row.</summary>
    public float[] Values { get; } = values;

    /// <inheritdoc/>
    public override int Count => Values.Length;

    /// <inheritdoc/>
    public override TableColumn Take(ReadOnlySpan<int> rows) => new NumberColumn(ColumnCells.Take(Values, rows));
}

/// <summary>Categories and booleans: an index into a dictionary of names, -1 for a missing cell.</summary>
public sealed class CategoryColumn(int[] codes, IReadOnlyList<string> names) : TableColumn
{
    /// <summary>One index into <see cref="Names"/> per row, or -1.</summary>
    public int[] Codes { get; } = codes;

    /// <summary>The names met so far in the whole table, in order of appearance; shared by the table's chunks. A storage detail:
    /// a fitted vocabulary is the encoder's, made from training rows only.</summary>
    public IReadOnlyList<string> Names { get; } = names;

    /// <inheritdoc/>
    public override int Count => Codes.Length;

    /// <summary>The name in a row, or null when it is missing.</summary>
    public string? NameAt(int row) => Codes[row] < 0 ? null : Names[Codes[row]];

    /// <inheritdoc/>
    public override TableColumn Take(ReadOnlySpan<int> rows) => new CategoryColumn(ColumnCells.Take(Codes, rows), Names);
}

/// <summary>Free text and identifiers; null is a missing cell.</summary>
public sealed class TextColumn(string?[] values) : TableColumn
{
    /// <summary>One text per row, or null.</summary>
    public string?[] Values { get; } = values;

    /// <inheritdoc/>
    public override int Count => Values.Length;

    /// <inheritdoc/>
    public override TableColumn Take(ReadOnlySpan<int> rows) => new TextColumn(ColumnCells.Take(Values, rows));
}

/// <summary>Images of one shape, as bytes 0..255, row after row, each [channels, height, width].</summary>
public sealed class ImageColumn(byte[] pixels, ImageShape shape) : TableColumn
{
    /// <summary>All pixels: Count x Shape.Length bytes.</summary>
    public byte[] Pixels { get; } = pixels;

    /// <summary>The shape of each image.</summary>
    public ImageShape Shape { get; } = shape;

    /// <inheritdoc/>
    public override int Count => Pixels.Length / Shape.Length;

    /// <summary>The bytes of one image.</summary>
    public ReadOnlySpan<byte> At(int row) => Pixels.AsSpan(row * Shape.Length, Shape.Length);

    /// <inheritdoc/>
    public override TableColumn Take(ReadOnlySpan<int> rows)
    {
        var taken = new byte[rows.Length * Shape.Length];
        for (int i = 0; i < rows.Length; i++)
            At(rows[i]).CopyTo(taken.AsSpan(i * Shape.Length));
        return new ImageColumn(taken, Shape);
    }
}

internal static class ColumnCells
{
    public static T[] Take<T>(T[] cells, ReadOnlySpan<int> rows)
    {
        var taken = new T[rows.Length];
        for (int i = 0; i < rows.Length; i++)
            taken[i] = cells[rows[i]];
        return taken;
    }
}
