namespace Candela.Data;

/// <summary>Reads class indices or target values of chosen rows, refusing what the problem does not know. Not for several threads at once.</summary>
internal sealed class TargetReader
{
    private readonly Problem _problem;
    private readonly Dictionary<string, int> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _anyCase = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<float, int> _byNumber = [];
    private IReadOnlyList<string>? _names;
    private bool _boolean;
    private int[] _labelOfCode = [];
    private float[] _valueOfCode = [];

    public TargetReader(Problem problem)
    {
        _problem = problem;
        for (int i = 0; i < problem.Classes.Count; i++)
        {
            _byName[problem.Classes[i]] = i;
            _anyCase.TryAdd(problem.Classes[i], i);
            if (CellText.TryNumber(problem.Classes[i], out float value))
                _byNumber.TryAdd(value, i);
        }
    }

    /// <summary>Writes the class index of each of <paramref name="rows"/>.</summary>
    public void Labels(TableChunk chunk, ReadOnlySpan<int> rows, Span<int> into)
    {
        switch (chunk.Column(_problem.Target))
        {
            case NumberColumn { Values: var values }:
                for (int i = 0; i < rows.Length; i++)
                {
                    float value = values[rows[i]];
                    if (!_byNumber.TryGetValue(value, out into[i]))
                        throw Unknown(chunk, rows[i], float.IsNaN(value) ? null : CellText.Of(value));
                }

                break;
            case CategoryColumn category:
                Map(category.Names, chunk.Schema.Columns[chunk.Schema.IndexOf(_problem.Target)].Kind == ColumnKind.Boolean);
                for (int i = 0; i < rows.Length; i++)
                {
                    int code = category.Codes[rows[i]], label = code < 0 ? -1 : _labelOfCode[code];
                    if (label < 0)
                        throw Unknown(chunk, rows[i], category.NameAt(rows[i]));
                    into[i] = label;
                }

                break;
            case TextColumn { Values: var texts }:
                for (int i = 0; i < rows.Length; i++)
                    if (texts[rows[i]] is not { } text || !_byName.TryGetValue(text, out into[i]))
                        throw Unknown(chunk, rows[i], texts[rows[i]]);
                break;
            default:
                throw new DataException($"Target '{_problem.Target}' is not a column of classes.");
        }
    }

    /// <summary>Writes the target value of each of <paramref name="rows"/>.</summary>
    public void Values(TableChunk chunk, ReadOnlySpan<int> rows, Span<float> into)
    {
        switch (chunk.Column(_problem.Target))
        {
            case NumberColumn { Values: var values }:
                for (int i = 0; i < rows.Length; i++)
                {
                    into[i] = values[rows[i]];
                    if (!float.IsFinite(into[i]))
                        throw Unknown(chunk, rows[i], float.IsNaN(into[i]) ? null : CellText.Of(into[i]));
                }

                break;
            case CategoryColumn category:
                Map(category.Names, boolean: false);
                for (int i = 0; i < rows.Length; i++)
                {
                    int code = category.Codes[rows[i]];
                    into[i] = code < 0 ? float.NaN : _valueOfCode[code];
                    if (float.IsNaN(into[i]))
                        throw Unknown(chunk, rows[i], category.NameAt(rows[i]));
                }

                break;
            default:
                throw new DataException($"Target '{_problem.Target}' is not a column of numbers.");
        }
    }

    // Chunks of one table share the list of names, which only grows.
    private void Map(IReadOnlyList<string> names, bool boolean)
    {
        if (ReferenceEquals(names, _names) && boolean == _boolean && names.Count == _labelOfCode.Length)
            return;
        (_names, _boolean, _labelOfCode, _valueOfCode) = (names, boolean, new int[names.Count], new float[names.Count]);
        for (int code = 0; code < names.Count; code++)
        {
            bool number = CellText.TryNumber(names[code], out float value);
            _valueOfCode[code] = number ? value : float.NaN;
            _labelOfCode[code] = _byName.TryGetValue(names[code], out int label) || (number && _byNumber.TryGetValue(value, out label)) || (boolean && _anyCase.TryGetValue(names[code], out label)) ? label : -1;
        }
    }

    private DataException Unknown(TableChunk chunk, int row, string? cell)
    {
        string where = $"Target '{_problem.Target}', data row {chunk.FirstRow + row + 1}: ";
        if (cell is null)
            return new DataException(where + "the cell is empty; every row needs a target.");
        return new DataException(_problem.IsClassification
            ? $"{where}'{cell}' is not among the {_problem.Classes.Count} classes ({string.Join(", ", _problem.Classes.Take(12))}{(_problem.Classes.Count > 12 ? ", ..." : "")})."
            : $"{where}'{cell}' is not a finite number.");
    }
}

/// <summary>The row numbers 0, 1, 2, ...: "all rows" where a list of rows is asked for.</summary>
internal static class RowNumbers
{
    private static int[] _all = [];

    public static ReadOnlySpan<int> UpTo(int count)
    {
        int[] all = _all;
        if (all.Length < count)
        {
            all = new int[Math.Max(count, 1024)];
            for (int i = 0; i < all.Length; i++)
                all[i] = i;
            _all = all;
        }

        return all.AsSpan(0, count);
    }
}
