namespace Candela.Tokenization;

/// <summary>A SentencePiece BPE vocabulary (tokens with scores, no merges) as merges by rank. SentencePiece joins the neighbouring pair whose joined token has the highest score;
/// so each way to split a token into two tokens is a merge, ranked by the token's score; among equals the leftmost pair is joined. (A tokenizer.json, and Hugging Face's converter,
/// must give each merge a rank of its own: there, ways to split one token rank by the ids of their parts.)</summary>
internal static class ScoredMerges
{
    /// <param name="tokens">By id, each once.</param>
    /// <param name="scores">By id.</param>
    /// <param name="takesPart">Whether a token can come of a merge or go into one: not control, unknown and byte tokens.</param>
    /// <param name="options">Of the model that is made.</param>
    /// <param name="file">For messages.</param>
    public static BytePairModel Model(IReadOnlyList<string> tokens, IReadOnlyList<float> scores, Func<int, bool> takesPart, BytePairOptions options, string file)
    {
        var vocabulary = Vocabulary.FromList(tokens, file);
        var merges = new List<(float Score, int Id, int Left, int Right)>();
        for (int id = 0; id < tokens.Count; id++)
        {
            string token = tokens[id];
            if (!takesPart(id))
                continue;
            for (int cut = 1; cut < token.Length; cut++)
            {
                if (char.IsLowSurrogate(token[cut]) || !vocabulary.TryGet(token.AsSpan(0, cut), out int left) || !vocabulary.TryGet(token.AsSpan(cut), out int right))
                    continue;
                if (takesPart(left) && takesPart(right))
                    merges.Add((scores[id], id, left, right));
            }
        }

        (float Score, int Id, int Left, int Right)[] ordered = [.. merges.OrderByDescending(m => m.Score).ThenBy(m => m.Id).ThenBy(m => m.Left).ThenBy(m => m.Right)];
        int[] ranks = new int[ordered.Length];
        for (int i = 1; i < ranks.Length; i++)
            ranks[i] = ranks[i - 1] + (ordered[i].Score == ordered[i - 1].Score ? 0 : 1);
        return new BytePairModel(vocabulary, [.. ordered.Select(m => (tokens[m.Left], tokens[m.Right]))], options, file, ranks);
    }
}
