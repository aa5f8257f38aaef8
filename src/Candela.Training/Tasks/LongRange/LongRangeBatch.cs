using Candela.Data;

namespace Candela.Training.Tasks;

/// <summary>Sequences of a <see cref="LongRangeProblem"/>.</summary>
internal sealed class LongRangeBatch : IBatch
{
    /// <inheritdoc/>
    public required int Count { get; init; }

    /// <summary>Steps of each sequence.</summary>
    public required int Steps { get; init; }

    /// <summary>Count x Steps x width of the problem.</summary>
    public required float[] Inputs { get; init; }

    /// <summary>Adding: the sums, one each.</summary>
    public float[] Sums { get; init; } = [];

    /// <summary>Copy: the symbols, <see cref="LongRangeSource.Symbols"/> each.</summary>
    public long[] Recalled { get; init; } = [];
}

/// <summary>Fresh sequences, batch after batch, each a pure function of the seed, the epoch and its number.</summary>
internal sealed class LongRangeSource(LongRangeProblem problem, int shortest, int longest, long count, long seed) : IBatchSource<LongRangeBatch>
{
    /// <summary>Symbols to be remembered, kinds of them, and with blank and mark the width of a copy problem's inputs.</summary>
    public const int Symbols = 10, Kinds = 8, CopyWidth = Kinds + 2;

    /// <inheritdoc/>
    public long Count => count;

    /// <summary>Numbers per step.</summary>
    public static int WidthOf(LongRangeProblem problem) => problem == LongRangeProblem.Adding ? 2 : CopyWidth;

    /// <inheritdoc/>
    public IEnumerable<LongRangeBatch> Batches(BatchPlan plan)
    {
        for (long b = plan.Skip; b * plan.BatchSize < count; b++)
        {
            var rng = new Rng(seed, (plan.Epoch * 1_000_003L) + b);
            int rows = (int)Math.Min(plan.BatchSize, count - (b * plan.BatchSize)), length = shortest + rng.Next(longest - shortest + 1);
            yield return problem == LongRangeProblem.Adding ? Adding(rows, length, rng) : Copy(rows, length, rng);
        }
    }

    private static LongRangeBatch Adding(int rows, int length, Rng rng)
    {
        var (inputs, sums) = (new float[rows * length * 2], new float[rows]);
        for (int n = 0; n < rows; n++)
        {
            int at = n * length;
            for (int t = 0; t < length; t++)
                inputs[2 * (at + t)] = (float)rng.NextDouble();
            int half = length / 2, first = rng.Next(half), second = half + rng.Next(length - half);
            inputs[(2 * (at + first)) + 1] = inputs[(2 * (at + second)) + 1] = 1;
            sums[n] = inputs[2 * (at + first)] + inputs[2 * (at + second)];
        }

        return new LongRangeBatch { Count = rows, Steps = length, Inputs = inputs, Sums = sums };
    }

    private static LongRangeBatch Copy(int rows, int blanks, Rng rng)
    {
        const int Blank = Kinds, Mark = Kinds + 1;
        int steps = blanks + (2 * Symbols);
        var (inputs, recalled) = (new float[rows * steps * CopyWidth], new long[rows * Symbols]);
        for (int n = 0; n < rows; n++)
        {
            for (int t = 0; t < steps; t++)
            {
                int symbol = t < Symbols ? rng.Next(Kinds) : t == Symbols + blanks - 1 ? Mark : Blank;
                inputs[(((n * steps) + t) * CopyWidth) + symbol] = 1;
                if (t < Symbols)
                    recalled[(n * Symbols) + t] = symbol;
            }
        }

        return new LongRangeBatch { Count = rows, Steps = steps, Inputs = inputs, Recalled = recalled };
    }
}
