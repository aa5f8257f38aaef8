namespace Candela.Metrics;

/// <summary>The edits of TER against one reference: while moving a phrase of the hypothesis shortens the distance, the move that does so most is made. Limits and order of preference are Tercom's as sacreBLEU has them.</summary>
internal sealed class TerShifts(int[] reference)
{
    private const int LongestShift = 10, FarthestShift = 50, Beam = 25, MostCandidates = 1000, Unreached = int.MaxValue / 2;

    private enum Edit : byte
    {
        None,
        Hit,
        Substitution,
        Insertion,
        Deletion,
    }

    // [hypothesis + 1, reference + 1]; insertions are words of the reference that the hypothesis lacks.
    private int[,] _distance = new int[0, 0];
    private Edit[,] _edit = new Edit[0, 0];
    private int[]? _last;
    private int _candidates;

    public int Edits(int[] hypothesis)
    {
        if (reference.Length == 0)
            return hypothesis.Length;
        _distance = new int[hypothesis.Length + 1, reference.Length + 1];
        _edit = new Edit[hypothesis.Length + 1, reference.Length + 1];
        for (int j = 0; j <= reference.Length; j++)
            (_distance[0, j], _edit[0, j]) = (j, Edit.Insertion);
        (_last, _candidates) = (null, 0);
        int shifts = 0;
        while (BestShift(hypothesis) is { } shifted && _candidates < MostCandidates)
        {
            hypothesis = shifted;
            shifts++;
        }

        return shifts + Distance(hypothesis);
    }

    /// <summary>The hypothesis after the best shift; null when none shortens the distance.</summary>
    private int[]? BestShift(int[] hypothesis)
    {
        int before = Distance(hypothesis);
        var (aligned, isReferenceWrong, isHypothesisWrong) = Align(hypothesis.Length);
        (int Gain, int Length, int Start, int Target) best = (int.MinValue, 0, 0, 0);
        int[]? result = null;
        for (int start = 0; start < hypothesis.Length && _candidates < MostCandidates; start++)
            for (int at = 0; at < reference.Length && _candidates < MostCandidates; at++)
            {
                if (Math.Abs(at - start) > FarthestShift)
                    continue;
                int most = Math.Min(LongestShift, Math.Min(hypothesis.Length - start, reference.Length - at));
                for (int length = 1; length <= most && hypothesis[start + length - 1] == reference[at + length - 1] && _candidates < MostCandidates; length++)
                {
                    // Both places must be wrong, and the target outside the phrase.
                    if (!isHypothesisWrong.AsSpan(start, length).Contains(true) || !isReferenceWrong.AsSpan(at, length).Contains(true) || (start <= aligned[at] && aligned[at] < start + length))
                        continue;
                    int previous = -1;
                    for (int offset = -1; offset < length; offset++)
                    {
                        int target = at + offset < 0 ? 0 : aligned[at + offset] + 1;
                        if (target == previous)
                            continue;
                        previous = target;
                        int[] shifted = Shift(hypothesis, start, length, target);
                        (int, int, int, int) candidate = (before - Distance(shifted), length, -start, -target);
                        _candidates++;
                        if (candidate.CompareTo(best) > 0)
                            (best, result) = (candidate, shifted);
                    }
                }
            }

        return best.Gain > 0 ? result : null;
    }

    private static int[] Shift(int[] words, int start, int length, int target)
    {
        int[] phrase = words[start..(start + length)];
        if (target < start)
            return [.. words[..target], .. phrase, .. words[target..start], .. words[(start + length)..]];
        // Behind itself, or within itself: then as many words further on.
        int end = target > start + length ? target : Math.Min(words.Length, length + target);
        return [.. words[..start], .. words[(start + length)..end], .. phrase, .. words[end..]];
    }

    /// <summary>For each word of the reference the last word of the hypothesis up to it, and which words of either are part of an edit.</summary>
    private (int[] Aligned, bool[] IsReferenceWrong, bool[] IsHypothesisWrong) Align(int length)
    {
        var aligned = new int[reference.Length];
        bool[] isReferenceWrong = new bool[reference.Length], isHypothesisWrong = new bool[length];
        for (int i = length, j = reference.Length; i > 0 || j > 0;)
        {
            Edit edit = _edit[i, j];
            if (edit != Edit.Insertion)
                isHypothesisWrong[i - 1] = edit != Edit.Hit;
            if (edit != Edit.Deletion)
            {
                aligned[j - 1] = i - 1;
                isReferenceWrong[j - 1] = edit != Edit.Hit;
                j--;
            }

            if (edit != Edit.Insertion)
                i--;
        }

        return (aligned, isReferenceWrong, isHypothesisWrong);
    }

    private int Distance(int[] hypothesis)
    {
        // Rows of words that are as in the last hypothesis stay.
        int same = _last is null ? 0 : hypothesis.AsSpan().CommonPrefixLength(_last);
        _last = hypothesis;
        double ratio = hypothesis.Length > 0 ? (double)reference.Length / hypothesis.Length : 1;
        int beam = Beam < ratio / 2 ? (int)Math.Ceiling((ratio / 2) + Beam) : Beam;
        for (int i = same + 1; i <= hypothesis.Length; i++)
        {
            for (int j = 0; j <= reference.Length; j++)
                (_distance[i, j], _edit[i, j]) = (Unreached, Edit.None);
            int diagonal = (int)Math.Floor(i * ratio), end = i == hypothesis.Length ? reference.Length + 1 : Math.Min(reference.Length + 1, diagonal + beam);
            for (int j = Math.Max(0, diagonal - beam); j < end; j++)
            {
                // The first of equals: hit or substitution, deletion, insertion.
                if (j > 0)
                {
                    bool isHit = hypothesis[i - 1] == reference[j - 1];
                    Take(i, j, _distance[i - 1, j - 1] + (isHit ? 0 : 1), isHit ? Edit.Hit : Edit.Substitution);
                }

                Take(i, j, _distance[i - 1, j] + 1, Edit.Deletion);
                if (j > 0)
                    Take(i, j, _distance[i, j - 1] + 1, Edit.Insertion);
            }
        }

        return _distance[hypothesis.Length, reference.Length];
    }

    private void Take(int i, int j, int cost, Edit edit)
    {
        if (cost < _distance[i, j])
            (_distance[i, j], _edit[i, j]) = (cost, edit);
    }
}
