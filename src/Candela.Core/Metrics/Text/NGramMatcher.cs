namespace Candela.Metrics;

/// <summary>Counts n-grams of all orders that a hypothesis shares with references, each at most as often as in the reference that has most of it. Kept between segments for its memory; not for several threads.</summary>
internal sealed class NGramMatcher
{
    // A trie of the hypothesis: the root is node 0; a child's key is its parent and its token.
    private readonly Dictionary<long, int> _children = [];
    private readonly List<int> _order = [], _hypothesis = [], _reference = [], _most = [];
    private readonly Dictionary<string, int> _words = [];

    /// <summary>The same number for the same word, for as long as this object lives.</summary>
    public int[] Number(List<string> words)
    {
        var numbers = new int[words.Count];
        for (int i = 0; i < numbers.Length; i++)
        {
            if (!_words.TryGetValue(words[i], out numbers[i]))
                _words[words[i]] = numbers[i] = _words.Count;
        }

        return numbers;
    }

    /// <summary>Writes the matches of orders 1 to <c>matches.Length</c>.</summary>
    public void Match(ReadOnlySpan<int> hypothesis, IReadOnlyList<int[]> references, Span<double> matches)
    {
        matches.Clear();
        _children.Clear();
        _order.Clear();
        _hypothesis.Clear();
        _most.Clear();
        Add(0);
        for (int start = 0; start < hypothesis.Length; start++)
            for (int n = 1, node = 0; n <= matches.Length && start + n <= hypothesis.Length; n++)
            {
                long key = Key(node, hypothesis[start + n - 1]);
                if (!_children.TryGetValue(key, out node))
                {
                    _children[key] = node = _order.Count;
                    Add(n);
                }

                _hypothesis[node]++;
            }

        foreach (int[] reference in references)
            CountIn(reference, matches.Length);
        for (int node = 1; node < _order.Count; node++)
            matches[_order[node] - 1] += Math.Min(_hypothesis[node], _most[node]);
    }

    private void CountIn(int[] reference, int orders)
    {
        _reference.Clear();
        for (int node = 0; node < _order.Count; node++)
            _reference.Add(0);
        for (int start = 0; start < reference.Length; start++)
            for (int n = 1, node = 0; n <= orders && start + n <= reference.Length && _children.TryGetValue(Key(node, reference[start + n - 1]), out node); n++)
                _reference[node]++;
        for (int node = 0; node < _order.Count; node++)
            _most[node] = Math.Max(_most[node], _reference[node]);
    }

    private static long Key(int node, int token) => ((long)node << 32) | (uint)token;

    private void Add(int order)
    {
        _order.Add(order);
        _hypothesis.Add(0);
        _most.Add(0);
    }
}
