namespace Candela.Inference.Models;

/// <summary>The sizes of a decoder of the Llama family, whatever file they come from.</summary>
internal sealed record ModelShape
{
    public required int Vocabulary { get; init; }

    public required int Context { get; init; }

    public required int Width { get; init; }

    public required int Hidden { get; init; }

    public required int Layers { get; init; }

    public required int Heads { get; init; }

    /// <summary>Heads of keys and values; each serves Heads / Groups heads of queries.</summary>
    public required int Groups { get; init; }

    public required int HeadWidth { get; init; }

    public required float Epsilon { get; init; }

    /// <summary>Radians per position of each pair of a head.</summary>
    public required float[] Frequencies { get; init; }

    /// <summary>Factor of turned vectors (YaRN); 1 otherwise.</summary>
    public float RotaryFactor { get; init; } = 1;

    /// <summary>Whether pairs are neighbours (GGUF's Llama order) rather than half a head apart.</summary>
    public bool AdjacentPairs { get; init; }

    /// <summary>Tokens back that one sees in layers from <see cref="FirstWindowLayer"/> on; 0 for all.</summary>
    public int Window { get; init; }

    public int FirstWindowLayer { get; init; }

    public int HeadsPerGroup => Heads / Groups;
}
