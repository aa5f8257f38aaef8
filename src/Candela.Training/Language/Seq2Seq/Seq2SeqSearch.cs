using static TorchSharp.torch;

namespace Candela.Training.Language;

/// <summary>How <see cref="Seq2SeqSearch"/> writes.</summary>
public sealed record Seq2SeqDecoding
{
    /// <summary>Texts kept at each step; 1 takes the likeliest token every time. Default 5.</summary>
    public int Beams { get; init; } = 5;

    /// <summary>Texts are ranked by log-probability / length^this. Default 1.</summary>
    public double LengthPenalty { get; init; } = 1;

    /// <summary>Most tokens written; null (default) for the net's own bound.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Sources worked on at once. Default 32.</summary>
    public int BatchSize { get; init; } = 32;
}

/// <summary>Beam search over many sources at once, by the rules of <see cref="Candela.Decoding.BeamSearch"/>. Sources of similar length go together; a source leaves the batch when its texts are found.</summary>
public static class Seq2SeqSearch
{
    /// <summary>The best text for each source.</summary>
    /// <param name="net">In evaluation mode.</param>
    /// <param name="sources">Ids of each, 1 or more.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <param name="cancellation">Heeded between steps.</param>
    /// <returns>Ids without begin and end, in the order of the sources.</returns>
    /// <exception cref="UsageException">An option is out of range.</exception>
    public static IReadOnlyList<IReadOnlyList<int>> Write(Seq2SeqNetwork net, IReadOnlyList<int[]> sources, Seq2SeqDecoding? options = null, CancellationToken cancellation = default)
    {
        options ??= new Seq2SeqDecoding();
        if (options.Beams < 1 || options.Beams * 2 > net.Config.VocabularySize || options.BatchSize < 1 || options.MaxTokens < 1)
            throw new UsageException($"Beams {options.Beams}, sources at once {options.BatchSize} and most tokens {options.MaxTokens} must be 1 or more, and two tokens for each beam must exist.");
        var written = new IReadOnlyList<int>[sources.Count];
        using IDisposable quiet = no_grad();
        foreach (int[] rows in Enumerable.Range(0, sources.Count).OrderBy(i => sources[i].Length).Chunk(options.BatchSize))
        {
            using var batch = new Batch(net, [.. rows.Select(r => sources[r])], options);
            IReadOnlyList<int>[] texts = batch.Run(cancellation);
            for (int i = 0; i < rows.Length; i++)
                written[rows[i]] = texts[i];
        }

        return written;
    }

    /// <summary>Sources as a padded [N, S] tensor of int64 and their lengths.</summary>
    internal static Tensor Pad(IReadOnlyList<int[]> sources, int padId, out int[] lengths)
    {
        lengths = [.. sources.Select(s => s.Length)];
        int steps = lengths.Max();
        var ids = new long[sources.Count * steps];
        Array.Fill(ids, padId);
        for (int n = 0; n < sources.Count; n++)
            for (int t = 0; t < lengths[n]; t++)
                ids[(n * steps) + t] = sources[n][t];
        return tensor(ids, [sources.Count, steps]);
    }

    /// <summary>A text in the making.</summary>
    private sealed record Text(double Score, IReadOnlyList<int> Tokens);

    /// <summary>A source with its open and finished texts; the open ones are rows Slot x beams and on of the state.</summary>
    private sealed class Search(int number)
    {
        public int Number { get; } = number;

        public double[] Scores { get; set; } = [];

        public List<int>[] Open { get; set; } = [];

        public List<Text> Finished { get; } = [];
    }

    private sealed class Batch : IDisposable
    {
        private readonly Seq2SeqNetwork _net;
        private readonly Seq2SeqDecoding _options;
        private readonly Seq2SeqState _state;
        private readonly int _beams, _most, _count;

        public Batch(Seq2SeqNetwork net, IReadOnlyList<int[]> sources, Seq2SeqDecoding options)
        {
            (_net, _options, _beams, _count) = (net, options, options.Beams, sources.Count);
            _most = Math.Min(options.MaxTokens ?? net.Config.MaxTokens, net.Config.LearnedPositions > 0 ? net.Config.LearnedPositions : int.MaxValue);
            using TensorScope scope = TensorScope.Begin();
            Tensor ids = Pad(sources, net.Config.PadId, out int[] lengths);
            _state = net.Begin(ids.to(net.parameters().First().device), lengths);
        }

        public IReadOnlyList<int>[] Run(CancellationToken cancellation)
        {
            var texts = new IReadOnlyList<int>[_count];
            List<Search> active = [.. Enumerable.Range(0, _count).Select(i => new Search(i) { Scores = [0], Open = [[]] })];
            long[] tokens = [.. Enumerable.Repeat((long)_net.Config.BosId, _count)];
            for (int step = 1; active.Count > 0; step++)
            {
                cancellation.ThrowIfCancellationRequested();
                int wide = active[0].Open.Length;
                Best(tokens, active, wide, out float[] scores, out long[] places);
                var parents = new List<long>();
                var next = new List<long>();
                var left = new List<Search>();
                var slots = new List<long>();
                int kept = scores.Length / active.Count;
                for (int s = 0; s < active.Count; s++)
                {
                    Search search = active[s];
                    if (Advance(search, scores.AsSpan(s * kept, kept), places.AsSpan(s * kept, kept), s * wide, step, parents, next))
                    {
                        left.Add(search);
                        slots.Add(s);
                    }
                    else
                    {
                        texts[search.Number] = search.Finished.Count > 0 ? search.Finished[0].Tokens : [];
                    }
                }

                if (left.Count > 0 && (_beams > 1 || left.Count < active.Count))
                    _state.Select(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(parents), sameSources: left.Count == active.Count && wide == _beams);
                (active, tokens) = (left, [.. next]);
            }

            return texts;
        }

        public void Dispose() => _state.Dispose();

        // The best continuations of each source: kept of them, by sum of log-probabilities; a place is beam x vocabulary + token.
        private void Best(long[] tokens, List<Search> active, int wide, out float[] scores, out long[] places)
        {
            using TensorScope scope = TensorScope.Begin();
            Tensor logits = _state.Step(tokens), logs = logits.log_softmax(-1);
            if (_beams == 1)
            {
                (Tensor value, Tensor index) = logs.max(-1);
                (scores, places) = (TensorMemory.Read(value), index.cpu().data<long>().ToArray());
                for (int i = 0; i < scores.Length; i++)
                    scores[i] += (float)active[i].Scores[0];
                return;
            }

            Tensor before = tensor(active.SelectMany(a => a.Scores).Select(x => (float)x).ToArray(), [active.Count * wide, 1]).to(logs.device);
            (Tensor values, Tensor indices) = (logs + before).view(active.Count, -1).topk(2 * _beams, -1);
            (scores, places) = (TensorMemory.Read(values), indices.cpu().contiguous().data<long>().ToArray());
        }

        // True while the source has open texts, whose rows and last tokens are added.
        private bool Advance(Search search, ReadOnlySpan<float> scores, ReadOnlySpan<long> places, int firstRow, int step, List<long> parents, List<long> tokens)
        {
            int vocabulary = _net.Config.VocabularySize;
            var open = new List<List<int>>();
            var sums = new List<double>();
            int before = parents.Count;
            for (int rank = 0; rank < places.Length && open.Count < _beams; rank++)
            {
                (int parent, int token) = ((int)(places[rank] / vocabulary), (int)(places[rank] % vocabulary));
                if (float.IsNegativeInfinity(scores[rank]))
                    continue;
                if (token == _net.Config.EosId)
                {
                    if (rank < _beams)
                        Finish(search, search.Open[parent], scores[rank], step);
                    continue;
                }

                open.Add([.. search.Open[parent], token]);
                sums.Add(scores[rank]);
                parents.Add(firstRow + parent);
                tokens.Add(token);
            }

            bool goesOn = step < _most && open.Count == _beams
                && !(search.Finished.Count >= _beams && search.Finished[^1].Score >= scores[0] / Math.Pow(step, _options.LengthPenalty));
            if (goesOn)
            {
                (search.Open, search.Scores) = ([.. open], [.. sums]);
                return true;
            }

            if (step == _most)
                for (int i = 0; i < open.Count; i++)
                    Finish(search, open[i], sums[i], step);
            parents.RemoveRange(before, parents.Count - before);
            tokens.RemoveRange(before, tokens.Count - before);
            return false;
        }

        private void Finish(Search search, IReadOnlyList<int> tokens, double sum, int length)
        {
            var text = new Text(sum / Math.Pow(length, _options.LengthPenalty), tokens);
            int at = search.Finished.FindIndex(other => other.Score < text.Score);
            search.Finished.Insert(at < 0 ? search.Finished.Count : at, text);
            if (search.Finished.Count > _beams)
                search.Finished.RemoveAt(_beams);
        }
    }
}
