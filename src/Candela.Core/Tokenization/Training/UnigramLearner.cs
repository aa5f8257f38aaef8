using System.Runtime.InteropServices;

namespace Candela.Tokenization;

/// <summary>Learns the pieces and probabilities of a Unigram model. Source: Kudo, "Subword Regularization" (2018), section 3.2, with the M step of the SentencePiece library
/// (digamma of the expected counts, which lets rare pieces die out).</summary>
internal sealed class UnigramLearner
{
    // A piece expected less often than this is dropped in the M step, as SentencePiece does.
    private const double LeastCount = 0.5;

    private readonly (string Text, double Count)[] _words;
    private readonly HashSet<string> _characters;
    private readonly UnigramTrainingOptions _options;
    private Dictionary<string, int> _index = [];

    public UnigramLearner(List<KeyValuePair<string, long>> words, UnigramTrainingOptions options)
    {
        _options = options;
        _words = [.. words.Select(w => (w.Key, (double)w.Value))];
        _characters = [.. WordCounts.Characters(words).Keys];
        Seed(words);
    }

    /// <summary>A piece with its log probability.</summary>
    public readonly record struct Piece(string Text, double Score);

    /// <summary>The pieces, most probable first.</summary>
    public IReadOnlyList<Piece> Pieces { get; private set; } = [];

    public void Learn(int size)
    {
        while (true)
        {
            for (int i = 0; i < _options.Iterations; i++)
            {
                var expected = new double[Pieces.Count];
                foreach (var (word, count) in _words)
                    Expect(word, count, expected);
                Maximize(expected);
            }

            // as SentencePiece: prune to a little more than wanted, then take the most probable
            int target = Math.Max(size, _characters.Count);
            if (Pieces.Count <= target * 1.1)
                break;
            int before = Pieces.Count;
            Prune(Math.Max((int)(target * 1.1), (int)(_options.ShrinkingFactor * Pieces.Count)));
            if (Pieces.Count == before)
                break;
        }

        Finish(size);
    }

    // Adds the expected number of times each piece is used in a word, over all its segmentations, times `count`.
    private void Expect(string word, double count, double[] expected)
    {
        int n = word.Length;
        var forward = new double[n + 1];
        var backward = new double[n + 1];
        Array.Fill(forward, double.NegativeInfinity, 1, n);
        Array.Fill(backward, double.NegativeInfinity, 0, n);
        var edges = Edges(word);
        foreach (var edge in edges)
            forward[edge.End] = LogSum(forward[edge.End], forward[edge.Start] + Pieces[edge.Piece].Score);
        for (int i = edges.Count - 1; i >= 0; i--)
            backward[edges[i].Start] = LogSum(backward[edges[i].Start], backward[edges[i].End] + Pieces[edges[i].Piece].Score);
        double total = forward[n];
        foreach (var edge in edges)
        {
            double share = forward[edge.Start] + Pieces[edge.Piece].Score + backward[edge.End] - total;
            if (!double.IsNegativeInfinity(share))
                expected[edge.Piece] += count * Math.Exp(share);
        }
    }

    // The most probable segmentation that does not use `without` (-1: any); empty when there is none.
    private List<int> Best(string word, int without = -1)
    {
        var best = new double[word.Length + 1];
        var back = new (int Start, int Piece)[word.Length + 1];
        Array.Fill(best, double.NegativeInfinity, 1, word.Length);
        foreach (var edge in Edges(word))
        {
            double score = best[edge.Start] + Pieces[edge.Piece].Score;
            if (edge.Piece != without && score > best[edge.End])
                (best[edge.End], back[edge.End]) = (score, (edge.Start, edge.Piece));
        }

        var path = new List<int>();
        if (double.IsNegativeInfinity(best[word.Length]))
            return path;
        for (int at = word.Length; at > 0; at = back[at].Start)
            path.Add(back[at].Piece);
        path.Reverse();
        return path;
    }

    // Every way a piece lies in the word, by start: the edges of the lattice in topological order.
    private List<(int Start, int End, int Piece)> Edges(string word)
    {
        var edges = new List<(int, int, int)>();
        var lookup = _index.GetAlternateLookup<ReadOnlySpan<char>>();
        for (int start = 0; start < word.Length; start++)
        {
            int last = Math.Min(word.Length, start + Math.Max(_options.MaxTokenLength, 2));
            for (int end = start + 1; end <= last; end++)
            {
                if (lookup.TryGetValue(word.AsSpan(start, end - start), out int piece))
                    edges.Add((start, end, piece));
            }
        }

        return edges;
    }

    private void Seed(List<KeyValuePair<string, long>> words)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var lookup = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var (word, count) in words)
        {
            for (int start = 0; start < word.Length; start++)
            {
                if (char.IsLowSurrogate(word[start]))
                    continue;
                for (int end = start + 1; end <= Math.Min(word.Length, start + _options.MaxTokenLength); end++)
                {
                    if (end < word.Length && char.IsLowSurrogate(word[end]))
                        continue;
                    CollectionsMarshal.GetValueRefOrAddDefault(lookup, word.AsSpan(start, end - start), out _) += count;
                }
            }
        }

        foreach (string character in _characters)
            counts.TryAdd(character, 1); // longer than the longest token allowed
        var chosen = counts.Where(c => _characters.Contains(c.Key)).Concat(counts.Where(c => c.Value >= 2 && !_characters.Contains(c.Key))
            .OrderByDescending(c => c.Value * c.Key.Length).ThenBy(c => c.Key, StringComparer.Ordinal).Take(_options.SeedSize)).ToList();
        double sum = chosen.Sum(c => (double)c.Value * c.Key.Length);
        Set(chosen.Select(c => new Piece(c.Key, Math.Log(c.Value * c.Key.Length / sum))));
    }

    private void Maximize(double[] expected)
    {
        var kept = new List<(string Text, double Count)>();
        for (int i = 0; i < expected.Length; i++)
        {
            // a character that is never the best choice must stay all the same, or the word could not be written
            if (expected[i] >= LeastCount || _characters.Contains(Pieces[i].Text))
                kept.Add((Pieces[i].Text, Math.Max(expected[i], LeastCount)));
        }

        double total = Digamma(kept.Sum(p => p.Count));
        Set(kept.Select(p => new Piece(p.Text, Digamma(p.Count) - total)));
    }

    // Keeps the pieces whose removal would cost the most likelihood: all words that use one are written with its own best alternative instead.
    private void Prune(int keep)
    {
        var used = new double[Pieces.Count];
        double all = 0;
        foreach (var (word, count) in _words)
        {
            foreach (int piece in Best(word))
            {
                used[piece] += count;
                all += count;
            }
        }

        var losses = new List<(double Loss, int Piece)>();
        double logAll = Math.Log(all);
        for (int i = 0; i < Pieces.Count; i++)
        {
            string text = Pieces[i].Text;
            if (_characters.Contains(text))
                continue;
            var alternative = Best(text, without: i);
            var own = Best(text);
            if (own is not [var only] || only != i || used[i] == 0)
                continue; // it is not even the best way to write itself: it goes at once
            double without = Math.Log(all + (used[i] * (alternative.Count - 1)));
            double loss = used[i] / all * (Math.Log(used[i]) - logAll - alternative.Sum(other => Math.Log(used[other] + used[i]) - without));
            losses.Add((loss, i));
        }

        var chosen = losses.OrderByDescending(l => l.Loss).ThenBy(l => Pieces[l.Piece].Text, StringComparer.Ordinal).Take(Math.Max(0, keep - _characters.Count)).Select(l => l.Piece).ToHashSet();
        Set(Pieces.Where((piece, i) => chosen.Contains(i) || _characters.Contains(piece.Text)).ToList());
    }

    private void Finish(int size)
    {
        var characters = Pieces.Where(p => _characters.Contains(p.Text)).ToList();
        var others = Pieces.Where(p => !_characters.Contains(p.Text)).OrderByDescending(p => p.Score).ThenBy(p => p.Text, StringComparer.Ordinal).Take(Math.Max(0, size - characters.Count));
        var pieces = characters.Concat(others).OrderByDescending(p => p.Score).ThenBy(p => p.Text, StringComparer.Ordinal).ToList();
        Set(pieces);
    }

    private void Set(IEnumerable<Piece> pieces)
    {
        Pieces = [.. pieces];
        _index = new Dictionary<string, int>(Pieces.Count, StringComparer.Ordinal);
        for (int i = 0; i < Pieces.Count; i++)
            _index.Add(Pieces[i].Text, i);
    }

    private static double LogSum(double a, double b)
    {
        if (double.IsNegativeInfinity(a))
            return b;
        if (double.IsNegativeInfinity(b))
            return a;
        return Math.Max(a, b) + double.LogP1(Math.Exp(-Math.Abs(a - b)));
    }

    // Recurrence up to 7, then the asymptotic series (Abramowitz and Stegun 6.3.5, 6.3.18); error below 1e-9.
    private static double Digamma(double x)
    {
        double result = 0;
        for (; x < 7; x++)
            result -= 1 / x;
        double f = 1 / (x * x);
        return result + Math.Log(x) - (0.5 / x) - (f * ((1.0 / 12) - (f * ((1.0 / 120) - (f * ((1.0 / 252) - (f / 240)))))));
    }
}
