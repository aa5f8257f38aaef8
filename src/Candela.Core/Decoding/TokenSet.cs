namespace Candela.Decoding;

/// <summary>A set of ids that is emptied without touching its memory.</summary>
internal struct TokenSet
{
    private int[]? _round;
    private int _now;

    public void Clear(int vocabularySize)
    {
        if (_round is null || _round.Length < vocabularySize || _now == int.MaxValue)
            (_round, _now) = (new int[vocabularySize], 0);
        _now++;
    }

    /// <summary>True when the id was not in the set.</summary>
    public readonly bool Add(int id)
    {
        ref int round = ref _round![id];
        if (round == _now)
            return false;
        round = _now;
        return true;
    }
}
