using System.Diagnostics.CodeAnalysis;

namespace Candela.Templates;

// Values of a template are null (none), bool, long, double, string, JinjaList, JinjaMap, JinjaNamespace, JinjaFunction and JinjaUndefined.

/// <summary>A variable, attribute or item that is not there. It prints as nothing; anything further asked of it is an error that names it.</summary>
internal sealed record JinjaUndefined(string Name);

/// <summary>A list or tuple; never changed after it is made.</summary>
internal sealed class JinjaList(IReadOnlyList<object?> items, bool tuple = false)
{
    public static readonly JinjaList Empty = new([]);

    public IReadOnlyList<object?> Items { get; } = items;

    public bool Tuple { get; } = tuple;
}

/// <summary>A mapping in the order of its keys' first appearance.</summary>
internal sealed class JinjaMap
{
    private readonly Dictionary<object, int> _index = new(KeyComparer.Instance);
    private readonly List<KeyValuePair<object?, object?>> _items = [];

    public IReadOnlyList<KeyValuePair<object?, object?>> Items => _items;

    public object? this[object? key]
    {
        set
        {
            if (_index.TryGetValue(Key(key), out int at))
            {
                _items[at] = new(_items[at].Key, value);
            }
            else
            {
                _index.Add(Key(key), _items.Count);
                _items.Add(new(key, value));
            }
        }
    }

    public bool TryGet(object? key, [NotNullWhen(true)] out object? value, out bool isNone)
    {
        bool found = _index.TryGetValue(Key(key), out int at);
        value = found ? _items[at].Value : null;
        isNone = found && value is null;
        return found && value is not null;
    }

    public bool Contains(object? key) => _index.ContainsKey(Key(key));

    // 1, 1.0 and true are one key, as in Python.
    private static object Key(object? key) => key switch
    {
        null => DBNull.Value,
        bool b => b ? 1L : 0L,
        double d when d == Math.Floor(d) && Math.Abs(d) < 1e15 => (long)d,
        JinjaMap or JinjaNamespace => throw new JinjaError("a mapping cannot be a key"),
        JinjaList { Tuple: false } => throw new JinjaError("a list cannot be a key"),
        _ => key,
    };

    private sealed class KeyComparer : IEqualityComparer<object>
    {
        public static readonly KeyComparer Instance = new();

        public new bool Equals(object? x, object? y) => x is JinjaList a && y is JinjaList b
            ? a.Items.Count == b.Items.Count && a.Items.Zip(b.Items).All(pair => Equals(Key(pair.First), Key(pair.Second)))
            : object.Equals(x, y);

        public int GetHashCode(object obj) => obj is JinjaList list ? list.Items.Aggregate(17, (hash, item) => (hash * 31) + GetHashCode(Key(item))) : obj.GetHashCode();
    }
}

/// <summary>What <c>namespace()</c> gives: the only value whose attributes can be set.</summary>
internal sealed class JinjaNamespace
{
    public Dictionary<string, object?> Attributes { get; } = new(StringComparer.Ordinal);
}

/// <summary>Something that can be called.</summary>
internal sealed record JinjaFunction(string Name, Func<JinjaArguments, object?> Call);

/// <summary>The arguments of a call.</summary>
internal sealed class JinjaArguments(string callee, IReadOnlyList<object?> positional, IReadOnlyDictionary<string, object?> named)
{
    public IReadOnlyList<object?> Positional { get; } = positional;

    public IReadOnlyDictionary<string, object?> Named { get; } = named;

    public string Callee { get; } = callee;

    public bool Has(int at, string name) => at < Positional.Count || Named.ContainsKey(name);

    public object? Of(int at, string name, object? otherwise = null) => at < Positional.Count ? Positional[at] : Named.TryGetValue(name, out object? value) ? value : otherwise;

    public object? Needed(int at, string name) => Has(at, name) ? Of(at, name) : throw new JinjaError($"'{Callee}' was called without its argument '{name}'");

    public string Text(int at, string name) => Needed(at, name) as string ?? throw new JinjaError($"'{Callee}' got {JinjaText.Kind(Of(at, name))} as '{name}'; a text was needed");

    public string? TextOrNull(int at, string name) => Of(at, name) is null ? null : Text(at, name);

    public long Integer(int at, string name, long? otherwise = null) => Has(at, name) || otherwise is null
        ? Needed(at, name) switch { long n => n, bool b => b ? 1 : 0, var other => throw new JinjaError($"'{Callee}' got {JinjaText.Kind(other)} as '{name}'; an integer was needed") }
        : otherwise.Value;

    public bool Flag(int at, string name, bool otherwise = false) => Has(at, name) ? JinjaText.Truth(Of(at, name)) : otherwise;
}

/// <summary>Counts what an evaluation uses and stops it when it uses too much.</summary>
internal sealed class JinjaBudget(int maxOutput, long maxSteps)
{
    /// <summary>Nested evaluations: macros calling macros, and expressions in them.</summary>
    public const int MaxDepth = 400;

    /// <summary>Elements of one list.</summary>
    public const int MaxItems = 1_000_000;

    private long _steps;
    private int _depth;

    public int MaxOutput { get; } = maxOutput;

    public void Step(long count = 1)
    {
        if ((_steps += count) > maxSteps)
            throw new JinjaError($"the template takes more than {maxSteps} steps; it was stopped", JinjaFault.Unsupported);
    }

    public void Enter()
    {
        if (++_depth > MaxDepth || !System.Runtime.CompilerServices.RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new JinjaError($"the template recurses deeper than {MaxDepth} evaluations; it was stopped", JinjaFault.Unsupported);
    }

    public void Leave() => _depth--;

    public string Text(string text)
    {
        Length(text.Length);
        return text;
    }

    public void Length(long characters)
    {
        if (characters > MaxOutput)
            throw new JinjaError($"the template makes a text of more than {MaxOutput} characters; it was stopped", JinjaFault.Unsupported);
        Step(characters / 64);
    }

    public void Printed(int before, int added)
    {
        if ((long)before + added > MaxOutput)
            Length((long)before + added);
        Step(added / 64);
    }

    public void Items(long count)
    {
        if (count > MaxItems)
            throw new JinjaError($"the template makes a list of more than {MaxItems} elements; it was stopped", JinjaFault.Unsupported);
        Step(count);
    }
}
