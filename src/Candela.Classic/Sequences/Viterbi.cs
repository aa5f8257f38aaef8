namespace Candela.Classic.Sequences;

/// <summary>The tag sequence of the highest total score (Viterbi 1967).</summary>
internal static class Viterbi
{
    /// <param name="emission">[length, tags]: score of each tag at each token.</param>
    /// <param name="transition">[tags + 1, tags]: score of a tag after another one; the last row is for the first token.</param>
    /// <param name="tags">How many tags there are.</param>
    /// <returns>One tag per token; of equal sequences the one whose last differing tag is lowest.</returns>
    public static int[] Best(ReadOnlySpan<double> emission, ReadOnlySpan<double> transition, int tags)
    {
        int length = emission.Length / tags;
        var best = new int[length];
        if (length == 0)
            return best;
        var score = new double[tags];
        var next = new double[tags];
        var from = new int[length * tags];
        for (int t = 0; t < tags; t++)
            score[t] = transition[(tags * tags) + t] + emission[t];
        for (int i = 1; i < length; i++)
        {
            Span<int> back = from.AsSpan(i * tags, tags);
            transition[..tags].CopyTo(next);
            for (int t = 0; t < tags; t++)
                next[t] += score[0];
            for (int s = 1; s < tags; s++)
                for (int t = 0; t < tags; t++)
                    if (score[s] + transition[(s * tags) + t] is var through && through > next[t])
                        (next[t], back[t]) = (through, s);
            for (int t = 0; t < tags; t++)
                next[t] += emission[(i * tags) + t];
            (score, next) = (next, score);
        }

        for (int t = 1; t < tags; t++)
            if (score[t] > score[best[^1]])
                best[^1] = t;
        for (int i = length - 1; i > 0; i--)
            best[i - 1] = from[(i * tags) + best[i]];
        return best;
    }
}
