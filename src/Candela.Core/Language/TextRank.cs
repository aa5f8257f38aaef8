namespace Candela.Language;

/// <summary>Extractive summaries without training: sentences are ranked by how much they share with the others.</summary>
/// <remarks>
/// Mihalcea and Tarau 2004. The similarity of two sentences is the number of different words they share over <c>log |S1| + log |S2|</c>, lengths in words; the score of a sentence is that of the weighted
/// graph, <c>WS(i) = (1 - d) + d * sum over j of w(j, i) / (sum over k of w(j, k)) * WS(j)</c>. Words are runs of letters and digits in lower case; Chinese and Japanese characters, which are written
/// without spaces, count as overlapping pairs. Verified against solutions by hand.
/// </remarks>
public static class TextRank
{
    private const double Tolerance = 1e-10;
    private const int MostIterations = 1000;

    /// <summary>Summarises a text.</summary>
    /// <param name="text">English or Chinese.</param>
    /// <param name="options">Length and damping; null for the defaults.</param>
    /// <returns>The highest-scoring sentences; of equal ones the earlier. All of a text with no more sentences than asked for.</returns>
    /// <exception cref="UsageException">An option is out of its range.</exception>
    public static ExtractiveSummary Summarize(string text, TextRankOptions? options = null)
    {
        options ??= new TextRankOptions();
        NeedLength(options.Sentences);
        IReadOnlyList<string> sentences = SentenceSplitter.Split(text);
        double[] scores = Scores([.. sentences.Select(s => Words(s))], options);
        int[] picked = [.. Enumerable.Range(0, scores.Length).OrderByDescending(i => scores[i]).ThenBy(i => i).Take(options.Sentences).Order()];
        return new ExtractiveSummary([.. picked.Select(i => sentences[i])], picked, scores);
    }

    /// <summary>The first sentences of a text: the baseline that summaries of news seldom beat.</summary>
    /// <param name="text">English or Chinese.</param>
    /// <param name="sentences">How many; 1 or more.</param>
    /// <returns>The sentences; scores are 1 for those picked, 0 for the others.</returns>
    /// <exception cref="UsageException">Fewer than one sentence is asked for.</exception>
    public static ExtractiveSummary Lead(string text, int sentences = 3)
    {
        NeedLength(sentences);
        IReadOnlyList<string> all = SentenceSplitter.Split(text);
        int taken = Math.Min(sentences, all.Count);
        return new ExtractiveSummary([.. all.Take(taken)], [.. Enumerable.Range(0, taken)], [.. all.Select((_, i) => i < taken ? 1.0 : 0)]);
    }

    /// <summary>The score of each sentence.</summary>
    /// <param name="sentences">The words of each.</param>
    /// <param name="options">Damping and stop words; null for the defaults.</param>
    /// <returns>One number per sentence, at least 1 - d, which one that shares nothing has. They add up to the number of sentences when each shares something.</returns>
    /// <exception cref="UsageException">The damping is out of its range.</exception>
    /// <remarks>Takes memory in proportion to the pairs of sentences that share a word, and time to that times the iterations (about 150 at d = 0.85).</remarks>
    public static double[] Scores(IReadOnlyList<IReadOnlyList<string>> sentences, TextRankOptions? options = null)
    {
        options ??= new TextRankOptions();
        double d = options.Damping;
        if (!(d >= 0 && d < 1))
            throw new UsageException($"The damping of TextRank is {d}; a number of at least 0 and below 1 was needed.");
        var (neighbours, weights) = Graph(sentences, options.StopWords);
        double[] sums = Array.ConvertAll(weights, w => w.Sum()), score = new double[sums.Length], next = new double[sums.Length];
        Array.Fill(score, 1);
        for (int iteration = 0; iteration < MostIterations; iteration++)
        {
            double change = 0;
            for (int i = 0; i < score.Length; i++)
            {
                double received = 0;
                for (int k = 0; k < neighbours[i].Length; k++)
                    received += weights[i][k] / sums[neighbours[i][k]] * score[neighbours[i][k]];
                next[i] = 1 - d + (d * received);
                change = Math.Max(change, Math.Abs(next[i] - score[i]));
            }

            (score, next) = (next, score);
            if (change <= Tolerance)
                break;
        }

        return score;
    }

    /// <summary>The words of a sentence as <see cref="Summarize"/> counts them.</summary>
    /// <param name="sentence">English or Chinese.</param>
    public static IReadOnlyList<string> Words(string sentence)
    {
        var words = new List<string>();
        for (int i = 0; i < sentence.Length;)
        {
            int end = i + 1;
            if (IsUnspaced(sentence[i]))
            {
                while (end < sentence.Length && IsUnspaced(sentence[end]))
                    end++;
                if (end == i + 1)
                    words.Add(sentence[i..end]);
                for (int pair = i; pair + 1 < end; pair++)
                    words.Add(sentence.Substring(pair, 2));
            }
            else if (char.IsLetterOrDigit(sentence[i]))
            {
                while (end < sentence.Length && !IsUnspaced(sentence[end]) && (char.IsLetterOrDigit(sentence[end]) || (sentence[end] is '\'' or '’' && end + 1 < sentence.Length && char.IsLetter(sentence[end + 1]))))
                    end++;
                words.Add(sentence[i..end].ToLowerInvariant());
            }

            i = end;
        }

        return words;
    }

    // Neighbours of each sentence, rising, and the similarity to each.
    private static (int[][] Neighbours, double[][] Weights) Graph(IReadOnlyList<IReadOnlyList<string>> sentences, IReadOnlySet<string> stopWords)
    {
        var holders = new Dictionary<string, List<int>>(StringComparer.Ordinal);
        var kept = new string[sentences.Count][];
        for (int i = 0; i < kept.Length; i++)
        {
            kept[i] = [.. sentences[i].Where(word => !stopWords.Contains(word)).Distinct(StringComparer.Ordinal)];
            foreach (string word in kept[i])
                (holders.TryGetValue(word, out List<int>? list) ? list : holders[word] = []).Add(i);
        }

        var (neighbours, weights) = (new int[kept.Length][], new double[kept.Length][]);
        var shared = new int[kept.Length];
        for (int i = 0; i < kept.Length; i++)
        {
            Array.Clear(shared);
            foreach (string word in kept[i])
                foreach (int j in holders[word])
                    shared[j]++;
            shared[i] = 0;
            double Lengths(int j) => Math.Log(sentences[i].Count) + Math.Log(sentences[j].Count);
            neighbours[i] = [.. Enumerable.Range(0, kept.Length).Where(j => shared[j] > 0 && Lengths(j) > 0)]; // two sentences of one word have no similarity
            weights[i] = Array.ConvertAll(neighbours[i], j => shared[j] / Lengths(j));
        }

        return (neighbours, weights);
    }

    // CJK ideographs, kana and compatibility ideographs of the basic plane.
    private static bool IsUnspaced(char c) => c is (>= '\u3400' and <= '\u9FFF') or (>= '\u3041' and <= '\u30FF') or (>= '\uF900' and <= '\uFAFF');

    private static void NeedLength(int sentences)
    {
        if (sentences < 1)
            throw new UsageException($"A summary of {sentences} sentences was asked for; 1 or more were needed.");
    }
}
