using Candela.Data;
using Candela.Language;
using Candela.Templates;
using Candela.Tokenization;

namespace Candela.Training.Tasks;

/// <summary>A prompt and an answer as tokens.</summary>
/// <param name="Ids">Prompt, then answer.</param>
/// <param name="AnswerStart">Where the answer begins; at least 1, since the first token of a sequence has nothing before it.</param>
internal sealed record AnswerTokens(int[] Ids, int AnswerStart)
{
    /// <summary>Tokens of the answer that are predicted.</summary>
    public int Answer => Ids.Length - AnswerStart;
}

/// <summary>Pairs of answers as tokens, and in batches.</summary>
internal sealed class PreferenceTokens : IBatchSource<PreferenceBatch>
{
    private const long OrderStream = 0x7b;

    private readonly AnswerTokens[] _chosen, _rejected;

    /// <summary>Encodes pairs. An answer ends with the end-of-text token where the tokenizer has one. What is longer than the block loses the beginning of the prompt, then the end of the answer.</summary>
    /// <param name="pairs">At least one.</param>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="block">Tokens of a sequence at the most, 2 or more.</param>
    public PreferenceTokens(IReadOnlyList<PreferencePair> pairs, Tokenizer tokenizer, int block)
    {
        (_chosen, _rejected) = (new AnswerTokens[pairs.Count], new AnswerTokens[pairs.Count]);
        for (int i = 0; i < pairs.Count; i++)
        {
            (int[] prompt, int[] chosen) = Encode(pairs[i], pairs[i].Chosen, tokenizer);
            (int[] other, int[] rejected) = Encode(pairs[i], pairs[i].Rejected, tokenizer);
            int longest = Math.Max(chosen.Length, rejected.Length);
            Shortened += Math.Max(prompt.Length, other.Length) + longest > block ? 1 : 0;
            (_chosen[i], _rejected[i]) = (Fit(prompt, chosen, longest, block), Fit(other, rejected, longest, block));
        }
    }

    /// <summary>Pairs that did not fit into a block.</summary>
    public int Shortened { get; }

    /// <summary>The preferred answers.</summary>
    public IReadOnlyList<AnswerTokens> Chosen => _chosen;

    /// <summary>The others.</summary>
    public IReadOnlyList<AnswerTokens> Rejected => _rejected;

    /// <summary>The reference model's margin of each pair; set before training.</summary>
    public double[] References { get; set; } = [];

    /// <inheritdoc/>
    public long Count => _chosen.Length;

    /// <inheritdoc/>
    public IEnumerable<PreferenceBatch> Batches(BatchPlan plan)
    {
        int[] order = [.. Enumerable.Range(0, _chosen.Length)];
        if (plan.ShuffleSeed is { } seed)
            new Rng(seed, OrderStream + (1000L * plan.Epoch)).Shuffle(order.AsSpan());
        foreach (int[] rows in order.Chunk(plan.BatchSize).Skip((int)Math.Min(plan.Skip, int.MaxValue)))
            yield return Batch(rows);
    }

    private PreferenceBatch Batch(int[] rows)
    {
        AnswerTokens[] sequences = [.. rows.Select(r => _chosen[r]), .. rows.Select(r => _rejected[r])];
        int length = sequences.Max(s => s.Ids.Length) - 1;
        var batch = new PreferenceBatch
        {
            Count = rows.Length,
            Length = length,
            Inputs = new long[sequences.Length * length],
            Targets = new long[sequences.Length * length],
            References = References.Length == 0 ? [] : [.. rows.Select(r => References[r])],
        };
        Array.Fill(batch.Targets, TokenBatch.Ignored);
        for (int n = 0; n < sequences.Length; n++)
            for (int t = 0; t + 1 < sequences[n].Ids.Length; t++)
            {
                batch.Inputs[(n * length) + t] = sequences[n].Ids[t];
                if (t + 1 >= sequences[n].AnswerStart)
                    batch.Targets[(n * length) + t] = sequences[n].Ids[t + 1];
            }

        return batch;
    }

    private static (int[] Prompt, int[] Answer) Encode(PreferencePair pair, string text, Tokenizer tokenizer)
    {
        int[] prompt, answer;
        if (pair.IsChat)
        {
            // The answer is what its turn adds to the conversation; an earlier turn of the assistant is part of the prompt.
            List<string> turns = [.. CorpusTokens.Turns([.. pair.Prompt, new ChatMessage("assistant", text)], tokenizer).Select(t => t.Text)];
            prompt = tokenizer.Encode(string.Concat(turns.SkipLast(1)), addSpecialTokens: false);
            answer = tokenizer.Encode(turns[^1], addSpecialTokens: false);
        }
        else
        {
            prompt = tokenizer.Encode(pair.PromptText);
            answer = tokenizer.Encode(text, addSpecialTokens: false);
        }

        if (prompt.Length == 0 && (tokenizer.BosId ?? tokenizer.EosId) is { } first)
            prompt = [first];
        if (tokenizer.EosId is { } end && (answer.Length == 0 || answer[^1] != end))
            answer = [.. answer, end];
        return (prompt, answer);
    }

    private static AnswerTokens Fit(int[] prompt, int[] answer, int longest, int block)
    {
        int kept = Math.Clamp(block - longest, Math.Min(1, prompt.Length), prompt.Length);
        int[] ids = [.. prompt[^kept..], .. answer.Take(block - kept)];
        return new AnswerTokens(ids, Math.Max(1, kept));
    }
}
