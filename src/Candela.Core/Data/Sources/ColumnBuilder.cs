using System.Runtime.InteropServices;
using System.Text;

namespace Candela.Data;

/// <summary>Why a cell was not taken.</summary>
internal enum CellFault
{
    None,

    /// <summary>The cell is wrong: the user must act.</summary>
    Bad,

    /// <summary>The column's kind was guessed too narrowly: look at more rows and guess again.</summary>
    Surprise,
}

/// <summary>Collects the cells of one column for one chunk.</summary>
internal abstract class ColumnBuilder
{
    public abstract CellFault Add(ReadOnlySpan<char> cell);

    /// <summary>The cells so far as a column of their own. With <paramref name="lend"/> the arrays stay the builder's where their length allows, and are overwritten by the next chunk.</summary>
    public abstract TableColumn Complete(bool lend);

    /// <summary>Memory the cells so far need beyond 4 bytes each.</summary>
    public virtual long TextBytes => 0;

    /// <param name="plan">The column.</param>
    /// <param name="missing">Marks of missing cells.</param>
    /// <param name="capacity">Rows of a chunk.</param>
    /// <param name="packed">Give texts as <see cref="PackedTextColumn"/>.</param>
    public static ColumnBuilder For(ColumnPlan plan, MissingMarks missing, int capacity, bool packed) => plan.Kind switch
    {
        ColumnKind.Number or ColumnKind.Integer => new NumberBuilder(missing, capacity, wholeOnly: plan is { Kind: ColumnKind.Integer, Given: true, Open: false }),
        ColumnKind.Date => new DateBuilder(plan, missing, capacity),
        ColumnKind.Category or ColumnKind.Boolean or ColumnKind.Constant => new NameBuilder(plan, missing, capacity),
        ColumnKind.Text or ColumnKind.Identifier => new TextBuilder(plan, missing, capacity, packed),
        _ => throw new UsageException($"Column '{plan.Name}' cannot be of kind {plan.Kind}: text files hold no images."),
    };
}

/// <summary>Numbers and whole numbers.</summary>
internal class NumberBuilder(MissingMarks missing, int capacity, bool wholeOnly = false) : ColumnBuilder
{
    private float[] _values = new float[capacity];

    protected int Count { get; private set; }

    public MissingMarks Marks => missing;

    /// <summary>True while every number taken was whole and is exact as a float.</summary>
    public bool AllWhole { get; private set; } = true;

    public override CellFault Add(ReadOnlySpan<char> cell)
    {
        if (missing.LookLikeNumbers && missing.Contains(cell))
            return Append(float.NaN);
        if (!NumberCell.TryParse(cell, out float value))
            return missing.Contains(cell) ? Append(float.NaN) : CellFault.Bad;
        if (float.IsInfinity(value))
            return CellFault.Bad;
        bool whole = value == MathF.Floor(value) || float.IsNaN(value);
        if (wholeOnly && !whole)
            return CellFault.Bad;
        AllWhole &= whole;
        return Append(value);
    }

    public override TableColumn Complete(bool lend)
    {
        float[] values = _values;
        if (Count < values.Length)
            values = values[..Count];
        else if (!lend)
            _values = new float[capacity];
        Count = 0;
        return new NumberColumn(values);
    }

    protected CellFault Append(float value)
    {
        _values[Count++] = value;
        return CellFault.None;
    }
}

/// <summary>Dates, as days since 1970-01-01 UTC.</summary>
internal sealed class DateBuilder(ColumnPlan plan, MissingMarks missing, int capacity) : NumberBuilder(missing, capacity)
{
    public override CellFault Add(ReadOnlySpan<char> cell)
    {
        if (Marks.Contains(cell))
            return Append(float.NaN);
        // In a later file the unmistakable form (that of Parquet, say) may stand for another; 03/04/2024 may not.
        if (!DateCell.TryParse(cell, plan.Date, out double days) && !(plan.Open && DateCell.TryParse(cell, DateForm.Iso, out days)))
            return plan.DateAmbiguous ? CellFault.Surprise : CellFault.Bad;
        return Append((float)days);
    }
}

/// <summary>Categories, booleans and constants.</summary>
internal sealed class NameBuilder : ColumnBuilder
{
    private readonly ColumnPlan _plan;
    private readonly MissingMarks _missing;
    private readonly int _capacity, _limit;
    private int[] _codes;
    private List<string> _names = [];
    private Dictionary<string, int> _index;
    private Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private int _count;

    public NameBuilder(ColumnPlan plan, MissingMarks missing, int capacity)
    {
        (_plan, _missing, _capacity) = (plan, missing, capacity);
        _codes = new int[capacity];
        _limit = plan.Kind switch { _ when plan.Open => int.MaxValue, ColumnKind.Boolean => 2, ColumnKind.Constant when plan.AllMissing => 0, ColumnKind.Constant when !plan.Given => 1, _ => KindInference.DictionaryLimit };
        _index = NewIndex();
        _lookup = _index.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public override CellFault Add(ReadOnlySpan<char> cell)
    {
        if (_missing.Contains(cell))
        {
            _codes[_count++] = -1;
            return CellFault.None;
        }

        if (_plan.Open && _plan.Kind == ColumnKind.Boolean && NumberCell.TryParse(cell, out float open) && open is 0 or 1)
        {
            cell = open == 0 ? "0" : "1";
        }
        else if (_plan.Numeric)
        {
            if (!NumberCell.TryParse(cell, out float value) || value is not (0 or 1))
                return _plan.Given ? CellFault.Bad : CellFault.Surprise;
            cell = value == 0 ? "0" : "1";
        }

        ref int code = ref CollectionsMarshal.GetValueRefOrAddDefault(_lookup, cell, out bool known);
        if (!known)
        {
            if (_names.Count == _limit)
            {
                _lookup.Remove(cell);
                if (_plan is { Given: true, Kind: ColumnKind.Constant })
                {
                    // Said to be constant means: not of interest.
                    _codes[_count++] = -1;
                    return CellFault.None;
                }

                return _plan.Given ? CellFault.Bad : CellFault.Surprise;
            }

            code = _names.Count;
            _names.Add(cell.ToString());
        }

        _codes[_count++] = code;
        return CellFault.None;
    }

    /// <summary>Starts an empty dictionary when the present one is large: a stream of rows may bring names without end.</summary>
    public void Refresh()
    {
        if (_names.Count < KindInference.DictionaryLimit / 2)
            return;
        _names = [];
        _index = NewIndex();
        _lookup = _index.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public override TableColumn Complete(bool lend)
    {
        int[] codes = _codes;
        if (_count < codes.Length)
            codes = codes[.._count];
        else if (!lend)
            _codes = new int[_capacity];
        _count = 0;
        return new CategoryColumn(codes, _names);
    }

    private Dictionary<string, int> NewIndex() => new(_plan.Kind == ColumnKind.Boolean ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
}

/// <summary>Free text and identifiers, collected in UTF-8 so that loading makes no string objects; <paramref name="packed"/> says whether they also leave so.</summary>
internal sealed class TextBuilder(ColumnPlan plan, MissingMarks missing, int capacity, bool packed) : ColumnBuilder
{
    private readonly int[] _lengths = new int[capacity];
    private byte[] _utf8 = new byte[4096];
    private double _last = double.NaN;
    private int _count, _used;

    public override long TextBytes => _used;

    public override CellFault Add(ReadOnlySpan<char> cell)
    {
        // In a text, "none" is a word: only the empty cell is missing.
        bool none = plan.Kind == ColumnKind.Text ? cell.IsEmpty : missing.Contains(cell);
        if (plan.Sequence)
        {
            if (none || !NumberCell.TryParse(cell, out double value) || value != (double.IsNaN(_last) ? value : _last + 1))
                return CellFault.Surprise;
            _last = value;
        }

        if (none)
        {
            _lengths[_count++] = -1;
            return CellFault.None;
        }

        int most = Encoding.UTF8.GetMaxByteCount(cell.Length);
        if (_utf8.Length - _used < most)
            Array.Resize(ref _utf8, Math.Max(2 * _utf8.Length, _used + most));
        int length = Encoding.UTF8.GetBytes(cell, _utf8.AsSpan(_used));
        _lengths[_count++] = length;
        _used += length;
        return CellFault.None;
    }

    public override TableColumn Complete(bool lend)
    {
        var texts = new PackedTextColumn(lend ? _lengths : _lengths[.._count], lend ? _utf8 : _utf8[.._used], _count, _used);
        (_count, _used) = (0, 0);
        return packed ? texts : texts.Unpack();
    }
}
