using System.Numerics.Tensors;

namespace Candela.Decoding;

/// <summary>The tokens that may be drawn, with their logits: at first every token that is not banned, in the order of ids; filters remove some. Memory is taken once, for the vocabulary. One thread at a time.</summary>
public sealed class TokenCandidates
{
    private readonly int[] _ids, _identity;
    private readonly float[] _logits, _weights, _scratch;
    private ulong[] _keys = [];
    private int _count;

    /// <summary>Takes memory for a vocabulary of this size: about 20 bytes an id.</summary>
    public TokenCandidates(int vocabularySize)
    {
        (_ids, _identity) = (new int[vocabularySize], new int[vocabularySize]);
        (_logits, _weights, _scratch) = (new float[vocabularySize], new float[vocabularySize], new float[vocabularySize]);
        for (int i = 0; i < vocabularySize; i++)
            _identity[i] = i;
    }

    /// <summary>How many candidates there are.</summary>
    public int Count => _count;

    /// <summary>Their ids.</summary>
    public Span<int> Ids => _ids.AsSpan(0, _count);

    /// <summary>Their logits, beside <see cref="Ids"/>; whoever changes them keeps <see cref="Largest"/> and <see cref="IsSorted"/> true.</summary>
    public Span<float> Logits => _logits.AsSpan(0, _count);

    /// <summary>The largest logit.</summary>
    public float Largest { get; set; }

    /// <summary>True when the candidates are in falling order of logits, equals by rising id.</summary>
    public bool IsSorted { get; private set; }

    /// <summary>Memory as long as the candidates, for a filter's own use until it returns.</summary>
    internal Span<float> Scratch => _scratch.AsSpan(0, _count);

    /// <summary>Starts from the logits of the whole vocabulary; negative infinity is left out.</summary>
    /// <exception cref="EngineException">A logit is NaN or positive infinity.</exception>
    /// <exception cref="UsageException">All are banned.</exception>
    public void Load(ReadOnlySpan<float> logits)
    {
        float smallest = TensorPrimitives.Min(logits);
        Largest = TensorPrimitives.Max(logits);
        LogProbability.RequireFinite(Largest);
        IsSorted = false;
        if (float.IsFinite(smallest))
        {
            _count = logits.Length;
            logits.CopyTo(_logits);
            _identity.AsSpan(0, _count).CopyTo(_ids);
            return;
        }

        _count = 0;
        for (int i = 0; i < logits.Length; i++)
            if (logits[i] != float.NegativeInfinity)
                (_ids[_count], _logits[_count++]) = (i, logits[i]);
    }

    /// <summary>exp(logit - largest) of each candidate, and their sum: probabilities but for that factor. Valid until the candidates change.</summary>
    public Span<float> Weights(out double total)
    {
        Span<float> weights = _weights.AsSpan(0, _count);
        TensorPrimitives.Subtract(Logits, Largest, weights);
        TensorPrimitives.Exp(weights, weights);
        total = LogProbability.Sum(weights);
        return weights;
    }

    /// <summary>Keeps the k with the largest logits, of equals the lowest ids, and sorts them. O(n) for small k.</summary>
    public void KeepTop(int k)
    {
        if (k >= _count)
            return;
        if (IsSorted)
        {
            _count = k;
            return;
        }

        if (k > _count / 8)
        {
            Sort();
            _count = k;
            return;
        }

        Span<ulong> keys = Keys(k);
        TokenOrder.SelectTop(Logits, Ids, keys);
        Take(keys);
    }

    /// <summary>Sorts by falling logit, equals by rising id.</summary>
    public void Sort()
    {
        if (IsSorted)
            return;
        Span<ulong> keys = Keys(_count);
        for (int i = 0; i < keys.Length; i++)
            keys[i] = TokenOrder.Key(_logits[i], _ids[i]);
        keys.Sort();
        Take(keys);
    }

    /// <summary>Drops all after the first <paramref name="count"/>.</summary>
    public void Truncate(int count) => _count = Math.Clamp(count, 1, _count);

    /// <summary>After <see cref="Weights"/>: keeps those of at least this weight, and the largest always.</summary>
    internal void KeepHeavier(double weight)
    {
        int kept = 0;
        for (int i = 0; i < _count; i++)
            if (_weights[i] >= weight || _logits[i] == Largest)
                (_ids[kept], _logits[kept++]) = (_ids[i], _logits[i]);
        _count = kept;
    }

    /// <summary>Keeps those whose key is at most <paramref name="last"/>.</summary>
    internal void KeepUpTo(ReadOnlySpan<ulong> keys, ulong last)
    {
        int kept = 0;
        float largest = float.NegativeInfinity;
        for (int i = 0; i < _count; i++)
            if (keys[i] <= last)
            {
                largest = Math.Max(largest, _logits[i]);
                (_ids[kept], _logits[kept++]) = (_ids[i], _logits[i]);
            }

        (_count, Largest) = (kept, largest);
    }

    private Span<ulong> Keys(int count)
    {
        if (_keys.Length < count)
            _keys = new ulong[count];
        return _keys.AsSpan(0, count);
    }

    private void Take(ReadOnlySpan<ulong> sortedKeys)
    {
        for (int i = 0; i < sortedKeys.Length; i++)
            (_ids[i], _logits[i]) = (TokenOrder.IdOf(sortedKeys[i]), TokenOrder.LogitOf(sortedKeys[i]));
        (_count, IsSorted) = (sortedKeys.Length, true);
    }
}
