namespace Candela.Data;

/// <summary>What the looked-at rows say about one column; the ground on which its kind is chosen.</summary>
internal sealed class ColumnSketch(string name, MissingMarks missing)
{
    public const int DistinctLimit = 65_536;
    private const int DateTries = 400;
    private static readonly DateForm[] Forms = Enum.GetValues<DateForm>();

    private readonly HashSet<ulong> _distinct = [];
    private readonly int[] _dateHits = new int[Forms.Length];
    private readonly List<string> _firstValues = [], _oddCells = [];
    private double _previous = double.NaN, _step = double.NaN;
    private int _dateTries;

    public string Name => name;

    public long Rows { get; private set; }

    /// <summary>Empty cells, and cells with a missing mark.</summary>
    public long Missing => Empty + Marked;

    public long Empty { get; private set; }

    public long Marked { get; private set; }

    public long Present => Rows - Missing;

    public long Numbers { get; private set; }

    public long Whole { get; private set; }

    /// <summary>Whole numbers written with leading zeros (01, 007).</summary>
    public long Padded { get; private set; }

    public double Min { get; private set; } = double.PositiveInfinity;

    public double Max { get; private set; } = double.NegativeInfinity;

    /// <summary>True while every cell is the one before plus a fixed step of 1.</summary>
    public bool Sequence { get; private set; } = true;

    public long Characters { get; private set; }

    public long Words { get; private set; }

    /// <summary>Cells with a Chinese, Japanese or Korean character.</summary>
    public long Cjk { get; private set; }

    /// <summary>Cells with white space inside.</summary>
    public long Spaced { get; private set; }

    /// <summary>Cells with a digit, or a hyphen or underscore between characters: codes rather than words.</summary>
    public long CodeLike { get; private set; }

    /// <summary>Different values, up to <see cref="DistinctLimit"/>.</summary>
    public int Distinct => _distinct.Count;

    /// <summary>The first few different values that are not missing.</summary>
    public IReadOnlyList<string> FirstValues => _firstValues;

    /// <summary>The first few cells that are not numbers.</summary>
    public IReadOnlyList<string> OddCells => _oddCells;

    /// <summary>The date form most cells have, with the share of cells that have it, of those tried.</summary>
    public (DateForm Form, double Share, bool Ambiguous) Date
    {
        get
        {
            int best = Array.IndexOf(_dateHits, _dateHits.Max());
            bool ambiguous = _dateHits[(int)DateForm.DayFirst] == _dateHits[(int)DateForm.MonthFirst] && best == (int)DateForm.DayFirst;
            return (ambiguous ? DateForm.MonthFirst : Forms[best], _dateTries == 0 ? 0 : _dateHits[best] / (double)_dateTries, ambiguous);
        }
    }

    public void Add(ReadOnlySpan<char> cell)
    {
        Rows++;
        if (missing.Contains(cell))
        {
            Sequence = false;
            if (cell.IsEmpty)
                Empty++;
            else
                Marked++;
            return;
        }

        if (NumberCell.TryParse(cell, out double value))
        {
            if (double.IsNaN(value))
            {
                Marked++;
                Sequence = false;
                return;
            }

            AddNumber(cell, value);
        }
        else
            AddText(cell);
        if (_dateTries < DateTries)
            TryDates(cell);
    }

    private void AddNumber(ReadOnlySpan<char> cell, double value)
    {
        Numbers++;
        Min = Math.Min(Min, value);
        Max = Math.Max(Max, value);
        bool whole = value == Math.Floor(value) && !double.IsInfinity(value);
        if (whole)
        {
            Whole++;
            if (cell.Length > 1 && cell[0] == '0' && char.IsAsciiDigit(cell[1]))
                Padded++;
        }

        if (!double.IsNaN(_previous))
        {
            _step = value - _previous;
            if (_step != 1)
                Sequence = false;
        }

        _previous = value;
        Sequence &= whole;
        // A column of fractions is a number whatever its count of values.
        if (Whole == Numbers ? _distinct.Count < DistinctLimit : _distinct.Count < 100)
            Note(cell, BitConverter.DoubleToUInt64Bits(value == 0 ? 0 : value) * 0x9e3779b97f4a7c15);
    }

    private void AddText(ReadOnlySpan<char> cell)
    {
        Sequence = false;
        if (_oddCells.Count < 3 && !_oddCells.Contains(cell.ToString()))
            _oddCells.Add(cell.ToString());
        Characters += cell.Length;
        bool inWord = false, cjk = false, spaced = false, code = false;
        ulong hash = 14695981039346656037;
        foreach (char c in cell)
        {
            hash = (hash ^ c) * 1099511628211;
            if (c == ' ' || char.IsWhiteSpace(c))
            {
                (inWord, spaced) = (false, true);
                continue;
            }

            if (!inWord)
                Words++;
            inWord = true;
            cjk |= c is >= '\u3040' and <= '\u9fff' or >= '\uac00' and <= '\ud7a3';
            code |= char.IsAsciiDigit(c) || c == '_';
        }

        Cjk += cjk ? 1 : 0;
        Spaced += spaced ? 1 : 0;
        CodeLike += code && !spaced ? 1 : 0;
        if (_distinct.Count < DistinctLimit)
            Note(cell, hash ^ (hash >> 29));
    }

    private void Note(ReadOnlySpan<char> cell, ulong hash)
    {
        if (_distinct.Add(hash) && _firstValues.Count < 6)
            _firstValues.Add(cell.ToString());
    }

    private void TryDates(ReadOnlySpan<char> cell)
    {
        _dateTries++;
        if (!DateCell.Plausible(cell))
            return;
        foreach (DateForm form in Forms)
            if (DateCell.TryParse(cell, form, out _))
                _dateHits[(int)form]++;
    }
}
