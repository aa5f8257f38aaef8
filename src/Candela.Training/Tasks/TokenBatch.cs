using Candela.Data;

namespace Candela.Training.Tasks;

/// <summary>Sequences of tokens and what follows each token. The arrays are reused by the source that yields the batch.</summary>
public sealed class TokenBatch : IBatch
{
    /// <summary>A target that is not learned: cross-entropy ignores it.</summary>
    public const int Ignored = -100;

    /// <inheritdoc/>
    public int Count { get; internal set; }

    /// <summary>Tokens per sequence.</summary>
    public int Length { get; internal set; }

    /// <summary>Ids, at least Count x Length, row-major.</summary>
    public long[] Inputs { get; internal set; } = [];

    /// <summary>The id after each input, or <see cref="Ignored"/>.</summary>
    public long[] Targets { get; internal set; } = [];

    /// <summary>Targets that are learned.</summary>
    public int Learned { get; internal set; }
}
