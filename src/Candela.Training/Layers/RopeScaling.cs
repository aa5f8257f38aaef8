namespace Candela.Training;

/// <summary>How rotary frequencies are stretched for contexts longer than the model was first trained on.</summary>
public enum RopeScalingKind
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>All divided by the factor (Chen et al. 2023).</summary>
    Linear,

    /// <summary>The base grows with the length of the sequence once it exceeds the original context (dynamic NTK).</summary>
    Dynamic,

    /// <summary>Llama 3.1's: long waves divided by the factor, short ones kept, a smooth step between.</summary>
    Llama3,

    /// <summary>YaRN: interpolation by wavelength and a temperature (Peng et al. 2023).</summary>
    Yarn,
}

/// <summary>The <c>rope_scaling</c> of a config.json.</summary>
public sealed record RopeScaling
{
    /// <summary>Which rule.</summary>
    public RopeScalingKind Kind { get; init; }

    /// <summary>How many times longer the context became, 1 or more.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>Positions of the original training; 0 means the model's context length.</summary>
    public int OriginalContextLength { get; init; }

    /// <summary>Llama 3: waves longer than the original context divided by this are fully stretched. Default 1.</summary>
    public double LowFrequencyFactor { get; init; } = 1;

    /// <summary>Llama 3: waves shorter than the original context divided by this are kept. Default 4.</summary>
    public double HighFrequencyFactor { get; init; } = 4;

    /// <summary>YaRN: turns within the original context above which a frequency is kept. Default 32.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>YaRN: turns below which a frequency is fully stretched. Default 1.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>YaRN: factor of the rotated vectors; null (default) computes 0.1 ln(factor) + 1, or the ratio of the two mscales where both are given.</summary>
    public double? AttentionFactor { get; init; }

    /// <summary>YaRN as DeepSeek writes it: numerator of the attention factor; 0 (default) when absent.</summary>
    public double MScale { get; init; }

    /// <summary>YaRN as DeepSeek writes it: denominator of the attention factor; 0 (default) when absent.</summary>
    public double MScaleAllDimensions { get; init; }

    /// <summary>YaRN: whether the ends of the ramp are rounded to whole dimensions. Default true.</summary>
    public bool Truncate { get; init; } = true;
}
