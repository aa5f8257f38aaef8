using Candela.Data;

namespace Candela.Training.Tasks;

/// <summary>Pairs of answers as token sequences, padded behind their ends: the sequences of the preferred answers, then those of the others.</summary>
internal sealed class PreferenceBatch : IBatch
{
    /// <summary>Pairs.</summary>
    public required int Count { get; init; }

    /// <summary>Tokens of the longest sequence but for its last.</summary>
    public required int Length { get; init; }

    /// <summary>2 Count x Length ids.</summary>
    public required long[] Inputs { get; init; }

    /// <summary>What follows each: a token of the answer, or <see cref="TokenBatch.Ignored"/>.</summary>
    public required long[] Targets { get; init; }

    /// <summary>Of each pair, by how much the reference model's log-probability of the preferred answer is above that of the other, in nats; empty while it is not known.</summary>
    public required double[] References { get; init; }
}
