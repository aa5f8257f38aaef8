using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Rotary position embedding: pairs (x_i, x_(i + d/2)) of a head's first d numbers turn by position x frequency_i, frequency_i = theta^(-2i/d), stretched as <see cref="RopeScaling"/> says.
/// Sources: Su et al. 2021; pairs and scalings as Hugging Face's Llama has them. It has no parameters; one object serves all layers of a model.</summary>
public sealed class RotaryEmbedding
{
    private readonly RopeScaling _scaling;
    private readonly int _contextLength;
    private readonly double[] _frequencies;
    private float[] _cosines = [], _sines = []; // [positions, d], grown when needed

    /// <summary>Creates it.</summary>
    /// <param name="dimensions">d: how many numbers of a head turn, even.</param>
    /// <param name="theta">Base of the frequencies, above 0. Usually 10,000.</param>
    /// <param name="contextLength">The model's context in tokens.</param>
    /// <param name="scaling">Default none.</param>
    public RotaryEmbedding(int dimensions, double theta, int contextLength, RopeScaling? scaling = null)
    {
        if (dimensions < 2 || dimensions % 2 != 0 || !(theta > 0))
            throw new UsageException($"A rotary embedding needs an even number of dimensions and a base above 0; got {dimensions} and {theta}.");
        (Dimensions, Theta, _contextLength, _scaling) = (dimensions, theta, contextLength, scaling ?? new RopeScaling());
        _frequencies = Frequencies(contextLength);
        AttentionFactor = _scaling.Kind == RopeScalingKind.Yarn ? _scaling.AttentionFactor ?? YarnFactor() : 1;
    }

    /// <summary>How many numbers of a head turn.</summary>
    public int Dimensions { get; }

    /// <summary>Base of the frequencies.</summary>
    public double Theta { get; }

    /// <summary>Factor of the rotated vectors: 1 except with YaRN.</summary>
    public double AttentionFactor { get; }

    private int OriginalLength => _scaling.OriginalContextLength > 0 ? _scaling.OriginalContextLength : _contextLength;

    /// <summary>Radians per position of each pair, [d/2], for a sequence of this many tokens (only the dynamic rule depends on it).</summary>
    public double[] Frequencies(int sequenceLength)
    {
        double theta = Theta, d = Dimensions;
        if (_scaling.Kind == RopeScalingKind.Dynamic && sequenceLength > OriginalLength)
            theta *= Math.Pow((_scaling.Factor * sequenceLength / OriginalLength) - (_scaling.Factor - 1), d / (d - 2));
        var result = new double[Dimensions / 2];
        for (int i = 0; i < result.Length; i++)
        {
            double plain = Math.Pow(theta, -2 * i / d);
            result[i] = _scaling.Kind switch
            {
                RopeScalingKind.Linear => plain / _scaling.Factor,
                RopeScalingKind.Llama3 => Llama3(plain),
                RopeScalingKind.Yarn => Yarn(plain, i),
                _ => plain,
            };
        }

        return result;
    }

    /// <summary>Turns heads: [B, H, T, D] at positions start to start + T -> the same, where D is at least <see cref="Dimensions"/> and numbers beyond it stay.</summary>
    internal static Tensor Rotate(Tensor heads, Tensor cosines, Tensor sines)
    {
        long turning = cosines.size(-1), all = heads.size(-1);
        if (turning == all)
            return Turn(heads, cosines, sines);
        using Tensor first = heads.narrow(-1, 0, turning), rest = heads.narrow(-1, turning, all - turning), turned = Turn(first, cosines, sines);
        return cat([turned, rest], -1);
    }

    /// <summary>Cosines and signed sines of some positions, [T, d] each: the tensors <see cref="Rotate"/> takes.</summary>
    internal Tensor[] Tables(int start, int count, ScalarType type, Device device)
    {
        int d = Dimensions, end = start + count;
        float[] cosines, sines;
        int from = start * d;
        if (type == ScalarType.Float64)
            return DoubleTables(start, count, device);
        if (_scaling.Kind == RopeScalingKind.Dynamic && end > OriginalLength)
        {
            (cosines, sines, from) = (new float[count * d], new float[count * d], 0);
            Fill(cosines, sines, start, Frequencies(end));
        }
        else
        {
            Grow(end);
            (cosines, sines) = (_cosines, _sines);
        }

        Tensor c = TensorMemory.FromSingles(cosines.AsSpan(from, count * d), count, d), s = TensorMemory.FromSingles(sines.AsSpan(from, count * d), count, d);
        return type == ScalarType.Float32 && device.type == TorchSharp.DeviceType.CPU ? [c, s] : [c.to(type, device, disposeAfter: true), s.to(type, device, disposeAfter: true)];
    }

    private Tensor[] DoubleTables(int start, int count, Device device)
    {
        int d = Dimensions, half = d / 2;
        double[] frequencies = Frequencies(start + count), cosines = new double[count * d], sines = new double[count * d];
        for (int t = 0; t < count; t++)
        {
            for (int i = 0; i < half; i++)
            {
                double angle = (start + t) * frequencies[i];
                cosines[(t * d) + i] = cosines[(t * d) + half + i] = Math.Cos(angle) * AttentionFactor;
                sines[(t * d) + half + i] = Math.Sin(angle) * AttentionFactor;
                sines[(t * d) + i] = -sines[(t * d) + half + i];
            }
        }

        return [tensor(cosines, [count, d], device: device), tensor(sines, [count, d], device: device)];
    }

    // x cos + (x with its halves swapped) sin, where sin carries the minus sign of the first half.
    private static Tensor Turn(Tensor x, Tensor cosines, Tensor sines)
    {
        using Tensor swapped = x.roll(x.size(-1) / 2, -1), straight = x.mul(cosines);
        return straight.addcmul(swapped, sines, 1);
    }

    private void Grow(int positions)
    {
        int d = Dimensions, have = _cosines.Length / d;
        if (positions <= have)
            return;
        int want = Math.Max(positions, Math.Min(2 * have, _contextLength));
        var cosines = new float[want * d];
        var sines = new float[want * d];
        _cosines.CopyTo(cosines, 0);
        _sines.CopyTo(sines, 0);
        Fill(cosines.AsSpan(have * d), sines.AsSpan(have * d), have, _frequencies);
        (_cosines, _sines) = (cosines, sines);
    }

    private void Fill(Span<float> cosines, Span<float> sines, int start, double[] frequencies)
    {
        int d = Dimensions, half = d / 2;
        for (int t = 0; t < cosines.Length / d; t++)
        {
            for (int i = 0; i < half; i++)
            {
                (double sine, double cosine) = Math.SinCos((start + t) * frequencies[i]);
                cosines[(t * d) + i] = cosines[(t * d) + half + i] = (float)(cosine * AttentionFactor);
                sines[(t * d) + half + i] = (float)(sine * AttentionFactor);
                sines[(t * d) + i] = -sines[(t * d) + half + i];
            }
        }
    }

    private double Llama3(double frequency)
    {
        double wave = 2 * Math.PI / frequency, longest = OriginalLength / _scaling.LowFrequencyFactor, shortest = OriginalLength / _scaling.HighFrequencyFactor;
        if (wave < shortest)
            return frequency;
        if (wave > longest)
            return frequency / _scaling.Factor;
        double smooth = ((OriginalLength / wave) - _scaling.LowFrequencyFactor) / (_scaling.HighFrequencyFactor - _scaling.LowFrequencyFactor);
        return ((1 - smooth) * frequency / _scaling.Factor) + (smooth * frequency);
    }

    private double Yarn(double frequency, int i)
    {
        double low = Dimension(_scaling.BetaFast), high = Dimension(_scaling.BetaSlow);
        if (_scaling.Truncate)
            (low, high) = (Math.Floor(low), Math.Ceiling(high));
        (low, high) = (Math.Max(low, 0), Math.Min(high, Dimensions - 1));
        if (low == high)
            high += 0.001;
        double kept = 1 - Math.Clamp((i - low) / (high - low), 0, 1);
        return (frequency / _scaling.Factor * (1 - kept)) + (frequency * kept);

        double Dimension(double turns) => Dimensions * Math.Log(OriginalLength / (turns * 2 * Math.PI)) / (2 * Math.Log(Theta));
    }

    private double YarnFactor()
    {
        return _scaling.MScale > 0 && _scaling.MScaleAllDimensions > 0 ? Scale(_scaling.MScale) / Scale(_scaling.MScaleAllDimensions) : Scale(1);

        double Scale(double m) => _scaling.Factor <= 1 ? 1 : (0.1 * m * Math.Log(_scaling.Factor)) + 1;
    }
}
