using Candela.Data;
using Candela.Language;
using Candela.Tokenization;

namespace Candela.Training.Tasks;

/// <summary>One part of a text as tokens: a long row in a file, or documents in memory of which pairs are made.</summary>
internal sealed class MaskedCorpus : IDisposable
{
    private readonly TokenStore? _row;
    private readonly IReadOnlyList<IReadOnlyList<int[]>> _documents = [];
    private readonly MaskedFrames _frames;
    private readonly int _block;
    private readonly long _seed;

    private MaskedCorpus(TokenStore? row, IReadOnlyList<IReadOnlyList<int[]>> documents, MaskedFrames frames, int block, long seed) =>
        (_row, _documents, _frames, _block, _seed) = (row, documents, frames, block, seed);

    /// <summary>Encodes a part.</summary>
    /// <param name="pieces">Its text.</param>
    /// <param name="tokenizer">Encodes.</param>
    /// <param name="frames">Frames and hides.</param>
    /// <param name="pairs">Whether pairs are made.</param>
    /// <param name="block">Tokens of a sequence at the most, its frame included.</param>
    /// <param name="seed">Of what is hidden where the order is fixed.</param>
    /// <param name="path">Where a long row is kept; replaced.</param>
    /// <param name="cancellation">Ends it.</param>
    public static MaskedCorpus Write(IEnumerable<CorpusPiece> pieces, Tokenizer tokenizer, MaskedFrames frames, bool pairs, int block, long seed, string path, CancellationToken cancellation)
    {
        if (!pairs)
        {
            _ = CorpusTokens.Write(path, pieces, tokenizer, cancellation);
            return new MaskedCorpus(TokenStore.Open(path), [], frames, block, seed);
        }

        var documents = new List<IReadOnlyList<int[]>>();
        foreach (IReadOnlyList<string> document in TextDocuments.Read(pieces))
        {
            cancellation.ThrowIfCancellationRequested();
            int[][] sentences = [.. document.Select(s => tokenizer.Encode(s, addSpecialTokens: false)).Where(s => s.Length > 0)];
            if (sentences.Length > 0)
                documents.Add(sentences);
        }

        return new MaskedCorpus(null, documents, frames, block, seed);
    }

    /// <summary>Number of tokens.</summary>
    public long Tokens => _row?.Length ?? _documents.Sum(d => d.Sum(s => (long)s.Length));

    /// <summary>Sequences of one pass, about.</summary>
    public long PerPass => _row is null ? new SentencePairs(_documents, _frames, _block, _seed).PairsPerPass : new TokenBlocks(_row, _block - MaskedFrames.OfOne, perEpoch: 1).BlocksPerPass;

    /// <summary>The sequences: in a fixed order with fixed masks, or shuffled and dealt out so many an epoch.</summary>
    public IBatchSource<MaskedBatch> Sequences(long? perEpoch = null) =>
        _row is null ? new SentencePairs(_documents, _frames, _block, _seed, perEpoch) : new MaskedBlocks(new TokenBlocks(_row, _block - MaskedFrames.OfOne, perEpoch), _frames, _seed);

    /// <summary>How often each ordinary id occurs.</summary>
    public long[] Counts(int vocabulary)
    {
        var counts = new long[vocabulary];
        foreach (int id in Ids().Where(id => !_frames.IsSpecial(id)))
            counts[id]++;
        return counts;
    }

    public void Dispose() => _row?.Dispose();

    private IEnumerable<int> Ids()
    {
        if (_row is null)
        {
            foreach (int id in _documents.SelectMany(d => d).SelectMany(s => s))
                yield return id;
            yield break;
        }

        int[] ids = new int[4096];
        bool[] learned = new bool[ids.Length];
        for (long at = 0; at < _row.Length; at += ids.Length)
        {
            int count = (int)Math.Min(ids.Length, _row.Length - at);
            _row.Read(at, ids.AsSpan(0, count), learned.AsSpan(0, count));
            for (int i = 0; i < count; i++)
                yield return ids[i];
        }
    }
}
