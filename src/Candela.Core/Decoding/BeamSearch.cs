using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Candela.Models;

namespace Candela.Decoding;

/// <summary>Beam search as Hugging Face defines it: at each step the best continuations over all beams; one that ends leaves the beams and is kept among the best <see cref="GenerationOptions.Beams"/> finished texts.
/// Processors change log-probabilities, which are not normalised again. Equals: the earlier beam, then the lower id. Cost a step: one model step a beam, and a fork of the state wherever a beam has two heirs.</summary>
public sealed class BeamSearch(ICausalLm model)
{
    /// <summary>The best texts after a prompt.</summary>
    /// <param name="prompt">At least one id.</param>
    /// <param name="options">Temperature and the filters of sampling are ignored.</param>
    /// <param name="endTokens">Ids that end a text.</param>
    /// <param name="cancellationToken">Heeded between steps.</param>
    /// <returns><see cref="GenerationOptions.BestOfBeams"/> texts, best first; fewer when so few exist.</returns>
    /// <exception cref="UsageException">An option is out of range, or the prompt is empty or fills the context.</exception>
    public IReadOnlyList<BeamHypothesis> Search(ReadOnlySpan<int> prompt, GenerationOptions options, IReadOnlyList<int> endTokens, CancellationToken cancellationToken = default) =>
        Search(prompt, options, endTokens, int.MaxValue, null, cancellationToken);

    /// <param name="prompt">As above.</param>
    /// <param name="options">As above.</param>
    /// <param name="endTokens">As above.</param>
    /// <param name="tokens">Ids from here on have no token.</param>
    /// <param name="isStopped">Whether generated ids hold a stop string.</param>
    /// <param name="cancellationToken">As above.</param>
    internal IReadOnlyList<BeamHypothesis> Search(
        ReadOnlySpan<int> prompt, GenerationOptions options, IReadOnlyList<int> endTokens, int tokens, Func<IReadOnlyList<int>, bool>? isStopped, CancellationToken cancellationToken)
    {
        int steps = PromptRoom.Of(model, prompt, options.MaxTokens), vocabulary = model.VocabularySize;
        var sampler = new TokenSampler(options, vocabulary, endTokens, tokens);
        var finished = new List<BeamHypothesis>();
        var beams = new List<Beam>(options.Beams);
        try
        {
            beams.Add(new Beam(model.Begin(), [.. prompt], 0, new float[vocabulary]));
            beams[0].State.Append(prompt, beams[0].Logits);
            int kept = (int)Math.Min(vocabulary, (1L + Math.Max(1, endTokens.Count)) * options.Beams);
            var keys = new ulong[kept];
            for (int step = 1; ; step++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                List<Heir> heirs = HeirsOf(beams, prompt.Length, sampler, keys);
                var chosen = new List<Heir>(options.Beams);
                for (int rank = 0; rank < heirs.Count && chosen.Count < options.Beams; rank++)
                {
                    Heir heir = heirs[rank];
                    bool ends = endTokens.Contains(heir.Token);
                    if (!ends && !(isStopped is not null && step > options.MinTokens && isStopped([.. beams[heir.Parent].Tokens.Skip(prompt.Length), heir.Token])))
                        chosen.Add(heir);
                    else if (rank < options.Beams)
                        Finish(finished, options, beams[heir.Parent], prompt.Length, ends ? null : heir.Token, heir.Score, step, FinishReason.Stop);
                }

                if (step == steps)
                    foreach (Heir heir in chosen)
                        Finish(finished, options, beams[heir.Parent], prompt.Length, heir.Token, heir.Score, step, FinishReason.Length);
                if (step == steps || chosen.Count == 0 || (heirs.Count > 0 && IsDone(finished, options, heirs[0].Score, step, steps)))
                    break;
                Replace(beams, chosen, vocabulary);
                foreach (Beam beam in beams)
                    beam.State.Append([beam.Tokens[^1]], beam.Logits);
            }
        }
        finally
        {
            foreach (Beam beam in beams)
                beam.State.Dispose();
        }

        if (finished.Count == 0)
            LogProbability.RequireFinite(float.NegativeInfinity);
        return [.. finished.Take(options.BestOfBeams)];
    }

    private static List<Heir> HeirsOf(List<Beam> beams, int promptLength, TokenSampler sampler, ulong[] keys)
    {
        var heirs = new List<Heir>();
        for (int b = 0; b < beams.Count; b++)
        {
            Span<float> scores = beams[b].Logits;
            float sum = (float)LogProbability.LogSumExp(scores);
            TensorPrimitives.Subtract(scores, sum, scores);
            sampler.Process(CollectionsMarshal.AsSpan(beams[b].Tokens), promptLength, scores);
            TokenOrder.SelectTop(scores, [], keys);
            foreach (ulong key in keys)
                if (!float.IsNegativeInfinity(TokenOrder.LogitOf(key)))
                    heirs.Add(new Heir(b, TokenOrder.IdOf(key), beams[b].Score + TokenOrder.LogitOf(key)));
        }

        heirs.Sort((x, y) => x.Score != y.Score ? y.Score.CompareTo(x.Score) : x.Parent != y.Parent ? x.Parent.CompareTo(y.Parent) : x.Token.CompareTo(y.Token));
        return heirs;
    }

    private static void Finish(List<BeamHypothesis> finished, GenerationOptions options, Beam beam, int promptLength, int? last, double score, int length, FinishReason reason)
    {
        List<int> tokens = beam.Tokens[promptLength..];
        if (last is { } token)
            tokens.Add(token);
        var text = new BeamHypothesis(tokens, score, score / Math.Pow(length, options.LengthPenalty), reason);
        int at = finished.FindIndex(other => other.Score < text.Score);
        finished.Insert(at < 0 ? finished.Count : at, text);
        if (finished.Count > options.Beams)
            finished.RemoveAt(finished.Count - 1);
    }

    private static bool IsDone(List<BeamHypothesis> finished, GenerationOptions options, double best, int step, int steps)
    {
        if (finished.Count < options.Beams)
            return false;
        int length = options.BeamStopping == BeamStopping.Exact && options.LengthPenalty > 0 ? steps : step;
        return options.BeamStopping == BeamStopping.First || finished[^1].Score >= best / Math.Pow(length, options.LengthPenalty);
    }

    /// <summary>Each state goes to the first heir of its beam; further heirs get forks.</summary>
    private static void Replace(List<Beam> beams, List<Heir> chosen, int vocabulary)
    {
        var old = beams.ToArray();
        var spare = new Stack<float[]>(old.Select(b => b.Logits));
        var heirs = new List<Beam>(chosen.Count);
        var last = new int[old.Length];
        Array.Fill(last, -1);
        for (int i = 0; i < chosen.Count; i++)
            last[chosen[i].Parent] = i;
        try
        {
            for (int i = 0; i < chosen.Count; i++)
            {
                Beam parent = old[chosen[i].Parent];
                ICausalState state = last[chosen[i].Parent] == i ? parent.State : parent.State.Fork();
                heirs.Add(new Beam(state, [.. parent.Tokens, chosen[i].Token], chosen[i].Score, spare.Count > 0 ? spare.Pop() : new float[vocabulary]));
            }
        }
        catch
        {
            foreach (Beam heir in heirs.Where(h => !old.Any(o => ReferenceEquals(o.State, h.State))))
                heir.State.Dispose();
            throw;
        }

        for (int b = 0; b < old.Length; b++)
            if (last[b] < 0)
                old[b].State.Dispose();
        beams.Clear();
        beams.AddRange(heirs);
    }

    private sealed record Beam(ICausalState State, List<int> Tokens, double Score, float[] Logits);

    private readonly record struct Heir(int Parent, int Token, double Score);
}
