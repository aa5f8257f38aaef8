namespace Candela.Data;

/// <summary>A category: one 0/1 feature per frequent name of the training rows, <c>name=(other)</c> for the rest when there was one, <c>name=(missing)</c>
/// when training had missing cells. A name that is neither is all zeros. Under <see cref="FeatureStyle.Raw"/> one code, by training frequency; NaN for the rest.</summary>
internal sealed class CategoryCode : ColumnCode
{
    private readonly Dictionary<string, int> _index = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>? _anyCase;   // True and true are the same value; A and a may be two names
    private readonly bool _raw;
    private readonly int _others, _missing;
    private CodeMap? _lastMap;   // one reference, replaced whole: safe to race on

    public CategoryCode(string column, CategoryState state, bool raw, bool anyCase = false) : base(column)
    {
        _raw = raw;
        _anyCase = anyCase ? new(StringComparer.OrdinalIgnoreCase) : null;
        List<string> names = [];
        foreach (string name in state.Names)
        {
            if (!_index.TryAdd(name, names.Count))
                throw new DataException($"Column '{column}' lists the name '{name}' twice.");
            _anyCase?.TryAdd(name, names.Count);
            names.Add($"{column}={name}");
        }

        Cardinality = raw ? names.Count : 0;
        _others = _missing = -1;
        if (!raw && state.Other)
        {
            _others = names.Count;
            names.Add($"{column}=(other)");
        }

        if (!raw && state.Missing > 0)
        {
            _missing = names.Count;
            names.Add($"{column}=(missing)");
        }

        if (_others < 0)
            _others = _missing;
        Features = raw ? [column] : names;
    }

    public override IReadOnlyList<string> Features { get; }

    public override int Cardinality { get; }

    public override void Encode(TableColumn cells, ReadOnlySpan<int> rows, Span<float> into, int stride)
    {
        int width = Features.Count;
        int[]? map = cells is CategoryColumn { Names: var names } ? Map(names) : null;
        for (int i = 0; i < rows.Length; i++)
        {
            int row = rows[i];
            int feature = map is null ? Find(Name(cells, row)) : ((CategoryColumn)cells).Codes[row] is >= 0 and var code ? map[code] : _missing;
            if (_raw)
            {
                into[i * stride] = feature < 0 ? float.NaN : feature;
                continue;
            }

            Span<float> features = into.Slice(i * stride, width);
            features.Clear();
            if (feature >= 0)
                features[feature] = 1;
        }
    }

    private int Find(string? name) => name is null ? _missing : _index.TryGetValue(name, out int index) || _anyCase?.TryGetValue(name, out index) == true ? index : _others;

    private string? Name(TableColumn cells, int row) => cells switch
    {
        TextColumn texts => texts.Values[row],
        NumberColumn numbers => float.IsNaN(numbers.Values[row]) ? null : CellText.Of(numbers.Values[row]),
        _ => throw new DataException($"Column '{Column}' holds images where the model was trained on a category."),
    };

    private int[] Map(IReadOnlyList<string> names)
    {
        if (_lastMap is { } last && ReferenceEquals(last.Names, names) && last.Features.Length == names.Count)
            return last.Features;
        var features = new int[names.Count];
        for (int code = 0; code < features.Length; code++)
            features[code] = Find(names[code]);
        _lastMap = new CodeMap(names, features);
        return features;
    }

    private sealed record CodeMap(IReadOnlyList<string> Names, int[] Features);
}
