namespace Candela.Data;

/// <summary>Turns the cells of one column into dense features. Immutable: one instance may serve several threads.</summary>
internal abstract class ColumnCode(string column)
{
    public string Column { get; } = column;

    /// <summary>Names of the features, in order.</summary>
    public abstract IReadOnlyList<string> Features { get; }

    /// <summary>Codes of a feature of <see cref="FeatureStyle.Raw"/>, 0 for a number.</summary>
    public virtual int Cardinality => 0;

    /// <summary>Writes the features of each of <paramref name="rows"/>: row i at <paramref name="into"/>[i * stride ..].</summary>
    public abstract void Encode(TableColumn cells, ReadOnlySpan<int> rows, Span<float> into, int stride);

    /// <summary>The cells as numbers. A later file may hold the column in another kind (a constant, say), as long as its cells read as numbers.</summary>
    protected float[] Numbers(TableColumn cells)
    {
        if (cells is NumberColumn numbers)
            return numbers.Values;
        var values = new float[cells.Count];
        if (cells is CategoryColumn category)
        {
            var read = new float[category.Names.Count];
            var bad = new bool[read.Length];
            for (int code = 0; code < read.Length; code++)
                bad[code] = !CellText.TryNumber(category.Names[code], out read[code]);
            for (int i = 0; i < values.Length; i++)
            {
                int code = category.Codes[i];
                if (code >= 0 && bad[code])
                    throw NotNumber(category.Names[code], i);
                values[i] = code < 0 ? float.NaN : read[code];
            }
        }
        else if (cells is TextColumn texts)
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = float.NaN;
                if (texts.Values[i] is { } text && !CellText.TryNumber(text, out values[i]))
                    throw NotNumber(text, i);
            }
        }
        else
        {
            throw new DataException($"Column '{Column}' holds images where the model was trained on numbers.");
        }

        return values;
    }

    private DataException NotNumber(string cell, int row) =>
        new($"Column '{Column}', row {row + 1} of the rows given: '{cell}' is not a number, and the model was trained on numbers in this column.");
}
