namespace Candela.Data;

/// <summary>The part of a row as a pure function of seed and row number.</summary>
internal readonly struct ShareHash
{
    private readonly ulong _seed;
    private readonly double _test, _valid;
    private readonly int _folds, _fold;

    public ShareHash(long seed, double test, double valid) => (_seed, _test, _valid) = (Rng.Mix((ulong)seed + 0x51ED270B4F1C0AB5UL), test, valid);

    public ShareHash(long seed, int folds, int fold, double valid)
        : this(seed, 0, valid / (1 - (1.0 / folds))) => (_folds, _fold) = (folds, fold);

    public Part Of(long row)
    {
        ulong bits = Rng.Mix(_seed ^ Rng.Mix((ulong)row + 0x9E3779B97F4A7C15UL));
        double share = (bits >> 11) * (1.0 / (1UL << 53));
        if (_folds == 0)
            return share < _test ? Part.Test : share < _test + _valid ? Part.Valid : Part.Train;
        if ((int)(share * _folds) == _fold)
            return Part.Test;
        double second = (Rng.Mix(bits + (ulong)_fold + 1) >> 11) * (1.0 / (1UL << 53));
        return second < _valid ? Part.Valid : Part.Train;
    }
}
