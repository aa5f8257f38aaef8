namespace Candela.Language;

/// <summary>The lexical baseline of language models: token n-grams with Witten-Bell interpolation (Witten and Bell 1991, method C; Chen and Goodman 1998, section 2.6),
/// P(w | h) = (count(h w) + kinds(h) P(w | h')) / (count(h) + kinds(h)), where h' is h without its first token and the shortest is 1 / vocabulary.</summary>
public sealed class NGramModel
{
    private readonly Dictionary<ulong, int>[] _grams;
    private readonly Dictionary<ulong, History>[] _histories;
    private readonly int _order, _vocabulary;
    private readonly List<int> _window = [];

    /// <summary>An empty model.</summary>
    /// <param name="order">Tokens of the longest n-gram, at least 1.</param>
    /// <param name="vocabulary">Number of tokens there are.</param>
    public NGramModel(int order, int vocabulary)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(order);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vocabulary);
        (_order, _vocabulary) = (order, vocabulary);
        _grams = [.. Enumerable.Range(0, order).Select(_ => new Dictionary<ulong, int>())];
        _histories = [.. Enumerable.Range(0, order).Select(_ => new Dictionary<ulong, History>())];
    }

    /// <summary>Distinct n-grams counted, of all lengths: the model's size.</summary>
    public long Size => _grams.Sum(g => (long)g.Count);

    /// <summary>Counts a token after those added before it.</summary>
    public void Add(int token)
    {
        for (int n = 0; n < _order && n <= _window.Count; n++)
        {
            ulong history = Key(n);
            ulong gram = Rng.Mix(history ^ Rng.Mix((ulong)token + 1));
            ref int count = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_grams[n], gram, out bool known);
            count++;
            ref History seen = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_histories[n], history, out _);
            seen = new History(seen.Count + 1, seen.Kinds + (known ? 0 : 1));
        }

        Shift(token);
    }

    /// <summary>Forgets what came before, as at the start of another text.</summary>
    public void Restart() => _window.Clear();

    /// <summary>The probability of a token after those given before it, which it then joins. The probabilities of all tokens sum to 1.</summary>
    public double Next(int token)
    {
        double probability = 1.0 / _vocabulary;
        for (int n = 0; n < _order && n <= _window.Count; n++)
        {
            ulong history = Key(n);
            if (!_histories[n].TryGetValue(history, out History seen))
                break;
            _grams[n].TryGetValue(Rng.Mix(history ^ Rng.Mix((ulong)token + 1)), out int count);
            probability = (count + (seen.Kinds * probability)) / (seen.Count + seen.Kinds);
        }

        Shift(token);
        return probability;
    }

    // 64-bit hashes of the last n tokens: two histories that share one would share counts; among a billion that is expected 0.03 times.
    private ulong Key(int n)
    {
        ulong key = (ulong)n;
        for (int i = _window.Count - n; i < _window.Count; i++)
            key = Rng.Mix(key ^ Rng.Mix((ulong)_window[i] + 1));
        return key;
    }

    private void Shift(int token)
    {
        _window.Add(token);
        if (_window.Count > _order - 1)
            _window.RemoveRange(0, _window.Count - (_order - 1));
    }

    private readonly record struct History(int Count, int Kinds);
}
