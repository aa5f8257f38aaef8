using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Candela.Training;

// Map: IUpdateRule (what one lane does) - Run (the pass over a block) - SumOfSquares, SoftThreshold, ScaledSoftThreshold - the rules: Sgd, Adagrad, Rmsprop, Adam, Lion.
// Multiplications and additions are kept apart (no fused multiply-add): every lane then rounds as plain scalar code does, so a run has the
// same bits with 4, 8 or 16 lanes, and the twin in UpdateReference is equal bit for bit. The pass is memory bound; FMA would not make it faster.

/// <summary>What an optimiser does to one vector of parameters. Implementations are structs, so the JIT makes one loop per rule.</summary>
internal interface IUpdateRule
{
    /// <summary>Moment buffers used, 0..3.</summary>
    int Moments { get; }

    /// <summary>The new parameters from the old ones, their (scaled) gradients and moments; moments are replaced.</summary>
    Vector<float> Apply(Vector<float> p, Vector<float> g, ref Vector<float> a, ref Vector<float> b, ref Vector<float> c);
}

/// <summary>The vectorised passes of the fused optimisers. Twin: <see cref="Reference.UpdateReference"/>.</summary>
internal static class UpdateKernels
{
    /// <summary>Applies a rule to one block; returns the sum of squares of the scaled gradients. Lanes: Vector&lt;float&gt;.Count; the tail is one
    /// padded vector (pads are 0 and never written back).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Run<TRule>(TRule rule, Span<float> parameters, ReadOnlySpan<float> gradients, Span<float> a, Span<float> b, Span<float> c, float scale)
        where TRule : struct, IUpdateRule
    {
        int whole = parameters.Length - (parameters.Length % Vector<float>.Count);
        float squares = Whole(rule, parameters[..whole], gradients, a, b, c, scale);
        return whole == parameters.Length ? squares : squares + Tail(rule, parameters[whole..], gradients[whole..], Rest(a, whole), Rest(b, whole), Rest(c, whole), scale);
    }

    // No calls in here: a call would make the JIT keep the sums and constants in memory instead of registers, three times slower.
    // AggressiveOptimization: full code at the first call, not after 30 slow ones.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Whole<TRule>(TRule rule, Span<float> parameters, ReadOnlySpan<float> gradients, Span<float> a, Span<float> b, Span<float> c, float scale)
        where TRule : struct, IUpdateRule
    {
        ref float p0 = ref MemoryMarshal.GetReference(parameters), a0 = ref MemoryMarshal.GetReference(a), b0 = ref MemoryMarshal.GetReference(b), c0 = ref MemoryMarshal.GetReference(c);
        ref float g0 = ref MemoryMarshal.GetReference(gradients);
        var scales = new Vector<float>(scale);
        Vector<float> squares = Vector<float>.Zero, va = default, vb = default, vc = default;
        nuint length = (nuint)parameters.Length;
        for (nuint at = 0; at < length; at += (nuint)Vector<float>.Count)
        {
            Vector<float> g = Vector.LoadUnsafe(ref g0, at) * scales;
            squares += g * g;
            if (rule.Moments > 0)
                va = Vector.LoadUnsafe(ref a0, at);
            if (rule.Moments > 1)
                vb = Vector.LoadUnsafe(ref b0, at);
            if (rule.Moments > 2)
                vc = Vector.LoadUnsafe(ref c0, at);
            rule.Apply(Vector.LoadUnsafe(ref p0, at), g, ref va, ref vb, ref vc).StoreUnsafe(ref p0, at);
            if (rule.Moments > 0)
                va.StoreUnsafe(ref a0, at);
            if (rule.Moments > 1)
                vb.StoreUnsafe(ref b0, at);
            if (rule.Moments > 2)
                vc.StoreUnsafe(ref c0, at);
        }

        return Vector.Sum(squares);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float Tail<TRule>(TRule rule, Span<float> parameters, ReadOnlySpan<float> gradients, Span<float> a, Span<float> b, Span<float> c, float scale)
        where TRule : struct, IUpdateRule
    {
        int left = parameters.Length;
        Vector<float> g = Padded(gradients[..left]) * new Vector<float>(scale), va = default, vb = default, vc = default;
        if (rule.Moments > 0)
            va = Padded(a[..left]);
        if (rule.Moments > 1)
            vb = Padded(b[..left]);
        if (rule.Moments > 2)
            vc = Padded(c[..left]);
        Keep(rule.Apply(Padded(parameters), g, ref va, ref vb, ref vc), parameters);
        if (rule.Moments > 0)
            Keep(va, a[..left]);
        if (rule.Moments > 1)
            Keep(vb, b[..left]);
        if (rule.Moments > 2)
            Keep(vc, c[..left]);
        return Vector.Sum(g * g);
    }

    private static Span<float> Rest(Span<float> moments, int from) => moments.IsEmpty ? default : moments[from..];

    /// <summary>The sum of squares of one block.</summary>
    public static float SumOfSquares(ReadOnlySpan<float> values)
    {
        int whole = values.Length - (values.Length % (2 * Vector<float>.Count));
        float sum = WholeSquares(values[..whole]);
        for (int i = whole; i < values.Length; i++)
            sum += values[i] * values[i];
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float WholeSquares(ReadOnlySpan<float> values)
    {
        ref float first = ref MemoryMarshal.GetReference(values);
        Vector<float> even = Vector<float>.Zero, odd = Vector<float>.Zero;
        nuint length = (nuint)values.Length, lanes = (nuint)Vector<float>.Count;
        for (nuint i = 0; i < length; i += 2 * lanes)
        {
            Vector<float> x = Vector.LoadUnsafe(ref first, i), y = Vector.LoadUnsafe(ref first, i + lanes);
            even += x * x;
            odd += y * y;
        }

        return Vector.Sum(even + odd);
    }

    /// <summary>Moves every number towards 0 by <paramref name="threshold"/> (above 0), stopping at exactly 0: the proximal operator of an L1 penalty.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void SoftThreshold(Span<float> values, float threshold)
    {
        var limit = new Vector<float>(threshold);
        for (int i = 0; i < values.Length; i += Vector<float>.Count)
        {
            Vector<float> x = Padded(values[i..]), shrunk = Vector.Abs(x) - limit;
            Keep(Vector.ConditionalSelect(Vector.GreaterThan(shrunk, Vector<float>.Zero), Vector.CopySign(shrunk, x), Vector<float>.Zero), values[i..]);
        }
    }

    /// <summary>The soft threshold of an adaptive optimiser: each number's threshold is <paramref name="rate"/> / (sqrt(<paramref name="square"/> - <paramref name="mean"/>^2)
    /// <paramref name="unbias"/> + <paramref name="epsilon"/>), as its gradient was divided. An empty mean counts as 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ScaledSoftThreshold(Span<float> values, ReadOnlySpan<float> square, ReadOnlySpan<float> mean, float rate, float unbias, float epsilon)
    {
        Vector<float> rates = new(rate), unbiases = new(unbias), epsilons = new(epsilon);
        for (int i = 0; i < values.Length; i += Vector<float>.Count)
        {
            Vector<float> x = Padded(values[i..]), m = mean.IsEmpty ? Vector<float>.Zero : Padded(mean[i..]), v = Vector.Max(Padded(square[i..]) - (m * m), Vector<float>.Zero);
            Vector<float> shrunk = Vector.Abs(x) - (rates / ((Vector.SquareRoot(v) * unbiases) + epsilons));
            Keep(Vector.ConditionalSelect(Vector.GreaterThan(shrunk, Vector<float>.Zero), Vector.CopySign(shrunk, x), Vector<float>.Zero), values[i..]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Padded(ReadOnlySpan<float> values)
    {
        if (values.Length >= Vector<float>.Count)
            return new Vector<float>(values);
        Span<float> pad = stackalloc float[Vector<float>.Count];
        pad.Clear();
        values.CopyTo(pad);
        return new Vector<float>(pad);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(Vector<float> values, Span<float> into)
    {
        if (into.Length >= Vector<float>.Count)
        {
            values.CopyTo(into);
            return;
        }

        Span<float> pad = stackalloc float[Vector<float>.Count];
        values.CopyTo(pad);
        pad[..into.Length].CopyTo(into);
    }
}

/// <summary>p -= lr (g + l2 p).</summary>
internal readonly struct PlainRule(float rate, float l2) : IUpdateRule
{
    private readonly Vector<float> _rate = new(rate), _l2 = new(l2);

    public int Moments => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Apply(Vector<float> p, Vector<float> g, ref Vector<float> a, ref Vector<float> b, ref Vector<float> c) => p - (_rate * (g + (_l2 * p)));
}

/// <summary>v = momentum v + take d; p -= lr v, or lr (d + momentum v).</summary>
internal readonly struct MomentumRule(float rate, float momentum, float take, bool nesterov, float l2) : IUpdateRule
{
    private readonly Vector<float> _rate = new(rate), _momentum = new(momentum), _take = new(take), _l2 = new(l2);
    private readonly bool _nesterov = nesterov;

    public int Moments => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Apply(Vector<float> p, Vector<float> g, ref Vector<float> a, ref Vector<float> b, ref Vector<float> c)
    {
        Vector<float> d = g + (_l2 * p);
        a = (_momentum * a) + (_take * d);
        return p - (_rate * (_nesterov ? d + (_momentum * a) : a));
    }
}

/// <summary>s += d^2; p -= lr d / (sqrt(s) + eps).</summary>
internal readonly struct AdagradRule(float rate, float epsilon, float l2) : IUpdateRule
{
    private readonly Vector<float> _rate = new(rate), _epsilon = new(epsilon), _l2 = new(l2);

    public int Moments => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Apply(Vector<float> p, Vector<float> g, ref Vector<float> a, ref Vector<float> b, ref Vector<float> c)
    {
        Vector<float> d = g + (_l2 * p);
        a += d * d;
        return p - (_rate * d / (Vector.SquareRoot(a) + _epsilon));
    }
}

/// <summary>RMSprop without options: a mean square.</summary>
internal readonly struct PlainRmspropRule(float rate, float alpha, float rest, float epsilon, float l2) : IUpdateRule
{
    private readonly Vector<float> _rate = new(rate), _alpha = new(alpha), _rest = new(rest), _epsilon = new(epsilon), _l2 = new(l2);

    public int Moments => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Apply(Vector<float> p, Vector<float> g, ref Vector<float> a, ref Vector<float> b, ref Vector<float> c)
    {
        Vector<float> d = g + (_l2 * p);
        a = (_alpha * a) + (_rest * d * d);
        return p - (_rate * (d / (Vector.SquareRoot(a) + _epsilon)));
    }
}

/// <summary>RMSprop: a mean square, b mean (centred), c velocity.</summary>
internal readonly struct RmspropRule(float rate, float alpha, float rest, float epsilon, float momentum, bool centered, float l2) : IUpdateRule
{
    private readonly Vector<float> _rate = new(rate), _alpha = new(alpha), _rest = new(rest), _epsilon = new(epsilon), _momentum = new(momentum), _l2 = new(l2);
    private readonly bool _centered = centered, _moves = momentum > 0;

    public int Moments => 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Apply(Vector<float> p, Vector<float> g, ref Vector<float> a, ref Vector<float> b, ref Vector<float> c)
    {
        Vector<float> d = g + (_l2 * p);
        a = (_alpha * a) + (_rest * d * d);
        Vector<float> square = a;
        if (_centered)
        {
            b = (_alpha * b) + (_rest * d);
            square = Vector.Max(a - (b * b), Vector<float>.Zero); // rounding may give a tiny negative
        }

        Vector<float> u = d / (Vector.SquareRoot(square) + _epsilon);
        if (!_moves)
            return p - (_rate * u);
        c = (_momentum * c) + u;
        return p - (_rate * c);
    }
}

/// <summary>Adam and AdamW: a first, b second moment. <paramref name="rate"/> is lr / (1 - beta1^t), <paramref name="unbias"/> is 1 / sqrt(1 - beta2^t),
/// <paramref name="decay"/> is lr x L2 when decoupled, else 0. The shrinking is p - decay p: 1 - decay in a float would lose most of a small decay.</summary>
internal readonly struct AdamRule(float rate, float unbias, float beta1, float rest1, float beta2, float rest2, float epsilon, float l2, float decay) : IUpdateRule
{
    private readonly Vector<float> _rate = new(rate), _unbias = new(unbias), _beta1 = new(beta1), _rest1 = new(rest1), _beta2 = new(beta2), _rest2 = new(rest2),
        _epsilon = new(epsilon), _l2 = new(l2), _decay = new(decay);

    public int Moments => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Apply(Vector<float> p, Vector<float> g, ref Vector<float> a, ref Vector<float> b, ref Vector<float> c)
    {
        Vector<float> d = g + (_l2 * p);
        a = (_beta1 * a) + (_rest1 * d);
        b = (_beta2 * b) + (_rest2 * d * d);
        return p - (_decay * p) - (_rate * a / ((Vector.SquareRoot(b) * _unbias) + _epsilon));
    }
}

/// <summary>AMSGrad: as <see cref="AdamRule"/>, dividing by the largest second moment so far (c).</summary>
internal readonly struct AmsGradRule(float rate, float unbias, float beta1, float rest1, float beta2, float rest2, float epsilon, float l2, float decay) : IUpdateRule
{
    private readonly Vector<float> _rate = new(rate), _unbias = new(unbias), _beta1 = new(beta1), _rest1 = new(rest1), _beta2 = new(beta2), _rest2 = new(rest2),
        _epsilon = new(epsilon), _l2 = new(l2), _decay = new(decay);

    public int Moments => 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Apply(Vector<float> p, Vector<float> g, ref Vector<float> a, ref Vector<float> b, ref Vector<float> c)
    {
        Vector<float> d = g + (_l2 * p);
        a = (_beta1 * a) + (_rest1 * d);
        b = (_beta2 * b) + (_rest2 * d * d);
        c = Vector.Max(b, c);
        return p - (_decay * p) - (_rate * a / ((Vector.SquareRoot(c) * _unbias) + _epsilon));
    }
}

/// <summary>Lion: a moment. The sign of 0 is 0.</summary>
internal readonly struct LionRule(float rate, float beta1, float rest1, float beta2, float rest2, float decay) : IUpdateRule
{
    private readonly Vector<float> _rate = new(rate), _beta1 = new(beta1), _rest1 = new(rest1), _beta2 = new(beta2), _rest2 = new(rest2), _decay = new(decay);

    public int Moments => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Apply(Vector<float> p, Vector<float> g, ref Vector<float> a, ref Vector<float> b, ref Vector<float> c)
    {
        Vector<float> u = (_beta1 * a) + (_rest1 * g);
        a = (_beta2 * a) + (_rest2 * g);
        Vector<float> move = Vector.ConditionalSelect(Vector.Equals(u, Vector<float>.Zero), Vector<float>.Zero, Vector.CopySign(_rate, u));
        return p - (_decay * p) - move;
    }
}
