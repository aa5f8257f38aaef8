namespace Candela.Data;

/// <summary>Finds out whether a column is the target under other names: every value stands for one class and every class for one value. A column merely
/// informative, or one that splits a class into several values (a key, a finer code), is no copy.</summary>
internal sealed class TargetCopy
{
    /// <summary>Share of rows, within each value and within each class, that must follow the mapping.</summary>
    public const double Purity = 0.995;

    /// <summary>Rows needed in all, and in each of the two largest classes: on fewer, chance and honest small samples look alike.</summary>
    public const int LeastRows = 30, LeastClassRows = 10;

    private const int MissingValue = 0;
    private readonly Dictionary<int, int> _ofNumber = [];
    private readonly Dictionary<string, int> _ofName = new(StringComparer.Ordinal);
    private readonly Dictionary<long, long> _pairs = [];
    private readonly int _classes;
    private IReadOnlyList<string>? _names;
    private int[] _ofCode = [];
    private int _values = 1;

    /// <param name="classes">Classes of the target at the most.</param>
    public TargetCopy(int classes) => _classes = classes;

    /// <summary>False once the column is known to be no copy; it need not be read further.</summary>
    public bool Possible { get; private set; } = true;

    public void Add(TableColumn cells, ReadOnlySpan<int> labels)
    {
        if (!Possible)
            return;
        if (cells is NumberColumn { Values: var values })
        {
            for (int i = 0; i < values.Length && Possible; i++)
                Count(float.IsNaN(values[i]) ? MissingValue : Id(_ofNumber, BitConverter.SingleToInt32Bits(values[i] == 0 ? 0 : values[i])), labels[i]);
        }
        else if (cells is CategoryColumn category)
        {
            if (!ReferenceEquals(_names, category.Names) || _ofCode.Length != category.Names.Count)
            {
                (_names, _ofCode) = (category.Names, new int[category.Names.Count]);
                Array.Fill(_ofCode, -1);
            }

            for (int i = 0; i < category.Codes.Length && Possible; i++)
            {
                int code = category.Codes[i];
                if (code >= 0 && _ofCode[code] < 0)
                    _ofCode[code] = Id(_ofName, category.Names[code]);
                Count(code < 0 ? MissingValue : _ofCode[code], labels[i]);
            }
        }
        else
        {
            Possible = false;
        }
    }

    /// <summary>Whether it is a copy of a target of that many classes, with missing cells left out (then at least half must be there) or read as one more value.</summary>
    public bool Holds(int classes) => Possible && (IsBijection(classes, withMissing: false) || IsBijection(classes, withMissing: true));

    private bool IsBijection(int classes, bool withMissing)
    {
        var ofValue = new long[_values];
        var bestOfValue = new long[_values];
        var classOfValue = new int[_values];
        var ofClass = new long[_classes];
        var bestOfClass = new long[_classes];
        long missing = 0, all = 0;
        foreach (var (pair, count) in _pairs)
        {
            int value = (int)(pair / _classes), label = (int)(pair % _classes);
            all += count;
            if (value == MissingValue && !withMissing)
            {
                missing += count;
                continue;
            }

            ofValue[value] += count;
            ofClass[label] += count;
            bestOfClass[label] = Math.Max(bestOfClass[label], count);
            if (count > bestOfValue[value])
                (bestOfValue[value], classOfValue[value]) = (count, label);
        }

        long[] largest = [.. ofClass.OrderDescending().Take(2)];
        int[] values = [.. Enumerable.Range(0, _values).Where(v => ofValue[v] > 0)];
        return all - missing >= Math.Max(LeastRows, all / 2) && largest[^1] >= LeastClassRows
            && values.Length == ofClass.Count(count => count > 0) && values.Length == classes
            && values.All(v => bestOfValue[v] >= Purity * ofValue[v])
            && Enumerable.Range(0, _classes).All(c => bestOfClass[c] >= Purity * ofClass[c])
            && values.Select(v => classOfValue[v]).Distinct().Count() == values.Length;
    }

    private int Id<T>(Dictionary<T, int> ids, T key) where T : notnull
    {
        if (ids.TryGetValue(key, out int id))
            return id;
        ids[key] = _values;
        if (_values > _classes)
            Possible = false;   // more values than classes
        return _values++;
    }

    private void Count(int value, int label)
    {
        long pair = ((long)value * _classes) + label;
        System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_pairs, pair, out bool known)++;
        if (!known && _pairs.Count > (3 * _classes) + 16)
            Possible = false;   // far from one pair per class
    }
}

/// <summary>Streaming correlation of a number with the target (Welford's update for covariances).</summary>
internal struct TargetCorrelation
{
    private double _meanX, _meanY, _xx, _yy, _xy;

    public long Count { get; private set; }

    /// <summary>1 - r^2, computed without cancellation worse than the data's own; 1 when either is constant.</summary>
    public readonly double Unexplained => _xx > 0 && _yy > 0 ? Math.Max(0, 1 - (_xy / _xx * (_xy / _yy))) : 1;

    public void Add(ReadOnlySpan<float> xs, ReadOnlySpan<float> ys)
    {
        for (int i = 0; i < xs.Length; i++)
        {
            double x = xs[i], y = ys[i];
            if (!double.IsFinite(x))
                continue;
            double n = ++Count, dx = x - _meanX, dy = y - _meanY;
            _meanX += dx / n;
            _meanY += dy / n;
            double rest = y - _meanY;
            _xx += dx * (x - _meanX);
            _yy += dy * rest;
            _xy += dx * rest;
        }
    }
}
