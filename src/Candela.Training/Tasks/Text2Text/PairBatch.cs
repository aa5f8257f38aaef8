using Candela.Data;

namespace Candela.Training.Tasks;

/// <summary>Pairs of token sequences of similar length that are learned from at once. To the training loop a batch is one example, since batches hold about as many tokens rather than pairs.</summary>
internal sealed class PairBatch : IBatch
{
    /// <inheritdoc/>
    public int Count => 1;

    /// <summary>Pairs.</summary>
    public int Pairs => Lengths.Length;

    /// <summary>Tokens of the longest source.</summary>
    public required int SourceSteps { get; init; }

    /// <summary>Tokens of the longest target, its end included.</summary>
    public required int TargetSteps { get; init; }

    /// <summary>Ids of sources, Pairs x SourceSteps, padded.</summary>
    public required long[] Sources { get; init; }

    /// <summary>Tokens of each source.</summary>
    public required int[] Lengths { get; init; }

    /// <summary>What the decoder reads, Pairs x TargetSteps: begin, then all tokens but the end, padded.</summary>
    public required long[] Inputs { get; init; }

    /// <summary>Places of real target tokens in Pairs x TargetSteps, row by row.</summary>
    public required long[] Places { get; init; }

    /// <summary>What is to be written at each place.</summary>
    public required long[] Labels { get; init; }

    /// <summary>Tokens to write in all.</summary>
    public int Tokens => Labels.Length;
}
