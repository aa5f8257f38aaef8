namespace Candela.Data;

/// <summary>The cells that mean "missing": the empty one and the given marks in any case.</summary>
internal sealed class MissingMarks
{
    private readonly string[] _marks;
    private readonly int _longest;

    public MissingMarks(IReadOnlyList<string> marks)
    {
        _marks = [.. marks.Select(m => m.Trim()).Where(m => m.Length > 0)];
        _longest = _marks.Length == 0 ? 0 : _marks.Max(m => m.Length);
        LookLikeNumbers = _marks.Any(m => NumberCell.TryParse(m, out float value) && !float.IsNaN(value));
    }

    /// <summary>True when a mark such as -999 would also parse as a number, so that marks must be looked at first.</summary>
    public bool LookLikeNumbers { get; }

    /// <summary>True for the empty cell and for a mark; <paramref name="cell"/> is trimmed.</summary>
    public bool Contains(ReadOnlySpan<char> cell)
    {
        if (cell.IsEmpty)
            return true;
        if (cell.Length > _longest)
            return false;
        foreach (string mark in _marks)
            if (cell.Equals(mark, StringComparison.OrdinalIgnoreCase))
                return true;
        return false;
    }
}
