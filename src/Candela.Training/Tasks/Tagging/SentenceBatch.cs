using Candela.Data;

namespace Candela.Training.Tasks;

/// <summary>Sentences as numbers, padded to the longest.</summary>
internal sealed class SentenceBatch : IBatch
{
    /// <inheritdoc/>
    public int Count => Lengths.Length;

    /// <summary>Tokens of each sentence.</summary>
    public required int[] Lengths { get; init; }

    /// <summary>Tokens of the longest.</summary>
    public required int Steps { get; init; }

    /// <summary>Which sentences of the source these are.</summary>
    public required int[] Rows { get; init; }

    /// <summary>Count x Steps x width, row-major.</summary>
    public required long[] Inputs { get; init; }

    /// <summary>Count x Steps; 0 behind the end.</summary>
    public required long[] Tags { get; init; }

    /// <summary>Tokens in all.</summary>
    public int Tokens => Lengths.Sum();
}
