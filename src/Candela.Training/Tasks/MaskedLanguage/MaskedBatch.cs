using Candela.Data;

namespace Candela.Training.Tasks;

/// <summary>Sequences with hidden tokens, row-major, filled up to the longest.</summary>
internal sealed class MaskedBatch : IBatch
{
    public required int Count { get; init; }

    /// <summary>Tokens of a row, padding included.</summary>
    public required int Steps { get; init; }

    /// <summary>What the net sees.</summary>
    public required long[] Ids { get; init; }

    /// <summary>The text of a pair each token belongs to.</summary>
    public required long[] Types { get; init; }

    /// <summary>1 for tokens, 0 for padding.</summary>
    public required long[] Seen { get; init; }

    /// <summary>Where the hidden tokens are, as row x <see cref="Steps"/> + column, row after row.</summary>
    public required long[] Places { get; init; }

    /// <summary>The hidden tokens.</summary>
    public required long[] Hidden { get; init; }

    /// <summary>Hidden tokens of each row.</summary>
    public required int[] HiddenOf { get; init; }

    /// <summary>1 where the second text does not follow the first, else 0; empty where there are no pairs.</summary>
    public required long[] Unrelated { get; init; }
}
