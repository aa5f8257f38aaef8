namespace Candela.Training.Language;

/// <summary>Some tokens hidden for a model to guess. Source: Devlin et al. 2019, section 3.1 and appendix A.1.</summary>
/// <param name="Ids">What the model sees.</param>
/// <param name="Labels">The hidden id where one is to be guessed, <see cref="Ignored"/> elsewhere.</param>
public sealed record MaskedTokens(int[] Ids, int[] Labels)
{
    /// <summary>The label of a token that is not guessed; PyTorch's cross-entropy leaves it out too.</summary>
    public const int Ignored = -100;

    /// <summary>Chooses each ordinary token with a probability; of the chosen, 80 % become the mask token, 10 % a random token, 10 % stay. At least one is chosen where there is one to choose.</summary>
    /// <param name="ids">A sequence with its special tokens.</param>
    /// <param name="isSpecial">True for ids that are never chosen (and never drawn): [CLS], [SEP], padding.</param>
    /// <param name="maskId">The mask token.</param>
    /// <param name="vocabularySize">Random tokens are drawn below this.</param>
    /// <param name="rng">Where the choices come from.</param>
    /// <param name="probability">Of a token, above 0 up to 1. Default 0.15.</param>
    public static MaskedTokens Make(ReadOnlySpan<int> ids, Func<int, bool> isSpecial, int maskId, int vocabularySize, Rng rng, double probability = 0.15)
    {
        if (!(probability > 0 && probability <= 1) || vocabularySize < 1 || (uint)maskId >= (uint)vocabularySize)
            throw new UsageException($"Masking needs a probability above 0 up to 1 and a mask token within the vocabulary; got {probability}, {maskId} and {vocabularySize}.");
        int[] seen = ids.ToArray(), labels = new int[ids.Length];
        Array.Fill(labels, Ignored);
        List<int> ordinary = [.. Enumerable.Range(0, seen.Length).Where(i => !isSpecial(seen[i]))];
        bool any = false;
        foreach (int i in ordinary)
        {
            if (rng.NextDouble() < probability)
            {
                Hide(i);
                any = true;
            }
        }

        if (!any && ordinary.Count > 0)
            Hide(ordinary[rng.Next(ordinary.Count)]);
        return new MaskedTokens(seen, labels);

        void Hide(int i)
        {
            labels[i] = seen[i];
            double choice = rng.NextDouble();
            if (choice < 0.8)
                seen[i] = maskId;
            else if (choice < 0.9)
                seen[i] = Draw(isSpecial, vocabularySize, rng, seen[i]);
        }
    }

    // A random ordinary token; the token itself where a hundred draws find none.
    private static int Draw(Func<int, bool> isSpecial, int vocabularySize, Rng rng, int otherwise)
    {
        for (int i = 0; i < 100; i++)
        {
            int id = rng.Next(vocabularySize);
            if (!isSpecial(id))
                return id;
        }

        return otherwise;
    }
}

/// <summary>Two pieces of text for next-sentence prediction.</summary>
/// <param name="First">Ids of the first, without special tokens.</param>
/// <param name="Second">Ids of the second.</param>
/// <param name="Follows">Whether the second follows the first in its document.</param>
public sealed record SentencePair(int[] First, int[] Second, bool Follows)
{
    /// <summary>Cuts documents into pairs that fill a length: half of the seconds are what follows, half begin in another document. Source: create_pretraining_data.py of the authors, without its short sequences.</summary>
    /// <param name="documents">Each a list of sentences of token ids. Two or more, or every second follows.</param>
    /// <param name="maxTokens">Of both together, at least 2; longer pairs are cut at the end of the longer one.</param>
    /// <param name="seed">Of the choices.</param>
    public static IEnumerable<SentencePair> Make(IReadOnlyList<IReadOnlyList<int[]>> documents, int maxTokens, long seed)
    {
        if (maxTokens < 2)
            throw new UsageException($"Sentence pairs need room for 2 tokens or more; got {maxTokens}.");
        return Pairs(documents, maxTokens, new Rng(seed));
    }

    private static IEnumerable<SentencePair> Pairs(IReadOnlyList<IReadOnlyList<int[]>> documents, int maxTokens, Rng rng)
    {
        for (int d = 0; d < documents.Count; d++)
        {
            IReadOnlyList<int[]> sentences = documents[d];
            for (int at = 0; at < sentences.Count;)
            {
                int end = at, tokens = 0;
                while (end < sentences.Count && (tokens < maxTokens || end < at + 2))
                    tokens += sentences[end++].Length;
                bool enough = end - at >= 2, others = documents.Count > 1;
                if (!enough && !others)
                    yield break;
                int split = enough ? at + 1 + rng.Next(end - at - 1) : at + 1;
                bool follows = enough && (!others || rng.NextDouble() < 0.5);
                int[] first = Join(sentences, at, split), second = follows ? Join(sentences, split, end) : Elsewhere(documents, d, maxTokens - Math.Min(first.Length, maxTokens - 1), rng);
                at = follows ? end : split; // what was not used as second is used again
                if (first.Length > 0 && second.Length > 0)
                    yield return Fit(first, second, follows, maxTokens);
            }
        }
    }

    private static int[] Elsewhere(IReadOnlyList<IReadOnlyList<int[]>> documents, int not, int room, Rng rng)
    {
        int other = rng.Next(documents.Count - 1);
        IReadOnlyList<int[]> sentences = documents[other < not ? other : other + 1];
        if (sentences.Count == 0)
            return [];
        int from = rng.Next(sentences.Count), to = from, tokens = 0;
        while (to < sentences.Count && tokens < room)
            tokens += sentences[to++].Length;
        return Join(sentences, from, to);
    }

    private static SentencePair Fit(int[] first, int[] second, bool follows, int maxTokens)
    {
        int a = first.Length, b = second.Length;
        while (a + b > maxTokens)
            _ = a > b ? a-- : b--;
        return new SentencePair(first[..a], second[..b], follows);
    }

    private static int[] Join(IReadOnlyList<int[]> sentences, int from, int to) => [.. Enumerable.Range(from, to - from).SelectMany(i => sentences[i])];
}
