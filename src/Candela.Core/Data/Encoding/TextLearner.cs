namespace Candela.Data;

/// <summary>Gathers n-gram frequencies and the token vocabulary of all text columns over the training rows.</summary>
internal sealed class TextLearner
{
    // A vocabulary beyond this many distinct units is pruned of the rarest (lossy counting, Manku and Motwani 2002): memory stays bounded on any file.
    private const int MaxCounted = 500_000;

    private readonly int[]? _frequencies;
    private readonly NgramScratch? _scratch;
    private readonly Dictionary<string, int>? _tokens;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly Reservoir _lengths = new(100_000, 11);
    private readonly TextUnits _units = new();
    private int _pruned;
    private long _documents;

    public TextLearner(FeatureRequest request)
    {
        if (request.TextAsNgrams)
            (_frequencies, _scratch) = (new int[NgramCode.DefaultBuckets], new NgramScratch(NgramCode.DefaultBuckets));
        if (request.TextAsTokens)
        {
            _tokens = new Dictionary<string, int>(StringComparer.Ordinal);
            _lookup = _tokens.GetAlternateLookup<ReadOnlySpan<char>>();
        }
    }

    public void Add(IReadOnlyList<TableColumn> columns, ReadOnlySpan<int> rows)
    {
        foreach (int row in rows)
        {
            _documents++;
            int length = 0;
            for (int column = 0; column < columns.Count; column++)
            {
                _units.Read(((TextColumn)columns[column]).Values[row]);
                length += _units.Count;
                if (_scratch is not null)
                    NgramCode.Count(_units, column, _scratch);
                if (_tokens is not null)
                    CountTokens();
            }

            if (_tokens is not null)
                _lengths.Add(length);
            if (_scratch is null)
                continue;
            foreach (int bucket in _scratch.Met)
                _frequencies![bucket]++;
            _scratch.Clear();
        }
    }

    public NgramState? Ngrams() => _frequencies is null ? null : new NgramState(_frequencies.Length, _documents, NgramCode.Pack(_frequencies));

    public TokenState? Tokens()
    {
        if (_tokens is null)
            return null;
        int least = _documents >= 1000 ? 2 : 1;
        double length = Reservoir.Quantile(_lengths.Sorted(), 0.95);
        return new TokenState(Math.Clamp((int)Math.Ceiling(double.IsNaN(length) ? 1 : length), 1, TokenCode.MaxLength),
            [.. _tokens.Where(pair => pair.Value >= least).OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal)
                .Take(TokenCode.MaxVocabulary - TokenCode.Special).Select(pair => pair.Key)]);
    }

    private void CountTokens()
    {
        foreach (ref readonly TextUnit unit in _units.Units)
        {
            ReadOnlySpan<char> token = _units.Text(unit);
            _lookup[token] = _lookup.TryGetValue(token, out int count) ? count + 1 : 1;
        }

        while (_tokens!.Count > MaxCounted)
        {
            _pruned++;
            foreach (string rare in _tokens.Where(pair => pair.Value <= _pruned).Select(pair => pair.Key).ToArray())
                _tokens.Remove(rare);
        }
    }
}
