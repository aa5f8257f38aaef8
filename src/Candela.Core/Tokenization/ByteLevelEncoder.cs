using System.Runtime.InteropServices;
using System.Text;

namespace Candela.Tokenization;

/// <summary>The fast path of byte-level BPE with a well-known split: scanner, then a cache from pre-token to ids, then merges over bytes. No allocation per pre-token. Immutable but for the spare scratch.</summary>
internal sealed class ByteLevelEncoder
{
    private readonly Scanner? _scanner;
    private readonly PreTokenizer[] _splits; // used when there is no scanner
    private readonly BytePairModel _model;
    private readonly int[] _byteIds = new int[256];
    private PieceCache? _spare, _secondSpare;

    private ByteLevelEncoder(Scanner? scanner, PreTokenizer[] splits, BytePairModel model)
    {
        (_scanner, _splits, _model) = (scanner, splits, model);
        for (int b = 0; b < 256; b++)
            _byteIds[b] = model.SingleId(ByteAlphabet.Of((byte)b));
    }

    /// <summary>The fast path of a pipeline, or null when the pipeline is another one.</summary>
    public static ByteLevelEncoder? Create(TokenizerParts parts)
    {
        if (parts.Normalizer is { IsIdentity: false } || parts.Model is not BytePairModel { Plain: true } model)
            return null;
        Scanner? scanner = parts.PreTokenizer switch
        {
            ByteLevelPreTokenizer { UseRegex: true, AddPrefixSpace: false } => Gpt2Scanner.Instance,
            // Where matches leave no gaps, dropping the gaps is isolating the matches.
            PreTokenizerSequence { Parts: [SplitPreTokenizer split, ByteLevelPreTokenizer { UseRegex: false, AddPrefixSpace: false }] }
                when split.Pattern.Regex is { } pattern && (split.Matches == SplitBehavior.Isolated || split is { Matches: SplitBehavior.Removed, Invert: true }) => Scanner.Of(pattern),
            _ => null,
        };
        // Any other splits run as they are; the mapping to stand-ins is spared and pre-tokens are cached all the same.
        PreTokenizer[] splits = scanner is null && parts.PreTokenizer is PreTokenizerSequence { Parts: var all } && all is [_, .., ByteLevelPreTokenizer { UseRegex: false, AddPrefixSpace: false }]
            && all.SkipLast(1).All(p => p is SplitPreTokenizer or DigitsPreTokenizer or PunctuationPreTokenizer) ? [.. all.SkipLast(1)] : [];
        if (scanner is null && splits.Length == 0)
            return null;
        var encoder = new ByteLevelEncoder(scanner, splits, model);
        return Array.TrueForAll(encoder._byteIds, id => id >= 0) ? encoder : null;
    }

    /// <summary>Appends the ids of a text without added tokens.</summary>
    public void Encode(ReadOnlySpan<char> text, List<int> into)
    {
        PieceCache cache = Interlocked.Exchange(ref _spare, null) ?? Interlocked.Exchange(ref _secondSpare, null) ?? new PieceCache();
        if (_scanner is null)
        {
            EncodeSplit(text, into, cache);
        }
        else
        {
            int count = 0;
            for (int start = 0; start < text.Length;)
            {
                int end = _scanner.End(text, start);
                EncodeCached(text[start..end], into, cache, ref count);
                start = end;
            }

            into.AddRange(cache.Output.AsSpan(0, count));
        }

        if (Interlocked.CompareExchange(ref _spare, cache, null) is not null)
            Interlocked.CompareExchange(ref _secondSpare, cache, null);
    }

    private void EncodeSplit(ReadOnlySpan<char> text, List<int> into, PieceCache cache)
    {
        List<Piece> pieces = [new Piece(new AlignedText(text.ToString()))], next = [];
        foreach (PreTokenizer split in _splits)
        {
            foreach (Piece piece in pieces)
                split.Split(piece, first: false, next);
            (pieces, next) = (next, pieces);
            next.Clear();
        }

        int count = 0;
        foreach (Piece piece in pieces)
            EncodeCached(piece.Span, into, cache, ref count);
        into.AddRange(cache.Output.AsSpan(0, count));
    }

    // Ids gather in the cache's output and go to the list when that is nearly full.
    private void EncodeCached(ReadOnlySpan<char> piece, List<int> into, PieceCache cache, ref int count)
    {
        int[] output = cache.Output;
        if (output.Length - count < PieceCache.LongestIds || piece.Length > PieceCache.LongestKey)
        {
            into.AddRange(output.AsSpan(0, count));
            count = 0;
        }

        if (piece.Length > PieceCache.LongestKey)
        {
            EncodeLong(piece, into);
            return;
        }

        ulong hash = PieceCache.Hash(piece);
        if (cache.TryGet(piece, hash, output, ref count))
            return;
        int found = EncodePiece(piece, output.AsSpan(count));
        cache.Add(piece, hash, output.AsSpan(count, found));
        count += found;
    }

    private int EncodePiece(ReadOnlySpan<char> piece, Span<int> ids)
    {
        Span<byte> utf8 = stackalloc byte[PieceCache.LongestIds];
        Span<int> starts = stackalloc int[PieceCache.LongestIds];
        int count = Encoding.UTF8.GetBytes(piece, utf8);
        return Merge(utf8[..count], ids, starts);
    }

    private void EncodeLong(ReadOnlySpan<char> piece, List<int> into)
    {
        byte[] utf8 = new byte[Encoding.UTF8.GetByteCount(piece)];
        _ = Encoding.UTF8.GetBytes(piece, utf8);
        int[] ids = new int[utf8.Length];
        into.AddRange(ids.AsSpan(0, Merge(utf8, ids, new int[utf8.Length])));
    }

    private int Merge(ReadOnlySpan<byte> utf8, Span<int> ids, Span<int> starts)
    {
        if (_model.Options.IgnoreMerges && Whole(utf8) is int whole && whole >= 0)
        {
            ids[0] = whole;
            return 1;
        }

        for (int i = 0; i < utf8.Length; i++)
            ids[i] = _byteIds[utf8[i]];
        return _model.Table.Merge(ids[..utf8.Length], starts[..utf8.Length]);
    }

    private int Whole(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > _model.Vocabulary.LongestToken)
            return -1;
        Span<char> text = utf8.Length <= PieceCache.LongestIds ? stackalloc char[utf8.Length] : new char[utf8.Length];
        for (int i = 0; i < utf8.Length; i++)
            text[i] = ByteAlphabet.Of(utf8[i]);
        return _model.Vocabulary.TryGet(text, out int id) ? id : -1;
    }

    /// <summary>Ids of pre-tokens seen before: open addressing over a hash of the UTF-16 units. Bounded: it starts over when full. One thread at a time.</summary>
    private sealed class PieceCache
    {
        public const int LongestKey = 64, LongestIds = LongestKey * 3;

        private const int Bits = 16, MostEntries = 3 << (Bits - 2), KeyRoom = 1 << 19, IdRoom = 1 << 18;

        private readonly Entry[] _entries = new Entry[1 << Bits];
        private readonly char[] _keys = new char[KeyRoom];
        private readonly int[] _ids = new int[IdRoom];
        private int _count, _keyCount, _idCount;

        private struct Entry
        {
            public ulong Hash;
            public int Key, Id; // where the key is; the id when there is one, else where the ids are
            public ushort Length, Count; // Length 0 is free
        }

        public int[] Output { get; } = new int[4096];

        public static ulong Hash(ReadOnlySpan<char> piece)
        {
            const ulong Factor = 0x9E3779B97F4A7C15UL;
            ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(piece);
            ulong hash = (ulong)piece.Length;
            if (piece.Length < 4)
            {
                hash |= (ulong)piece[0] << 8 | (ulong)piece[piece.Length >> 1] << 24 | (ulong)piece[^1] << 40;
                return Final(hash * Factor);
            }

            while (bytes.Length > 8)
            {
                hash = (hash ^ MemoryMarshal.Read<ulong>(bytes)) * Factor;
                hash ^= hash >> 29;
                bytes = bytes[8..];
            }

            // The last four units, some of them a second time.
            ReadOnlySpan<byte> last = MemoryMarshal.AsBytes(piece[^4..]);
            return Final((hash ^ MemoryMarshal.Read<ulong>(last)) * Factor);
        }

        public bool TryGet(ReadOnlySpan<char> piece, ulong hash, int[] output, ref int count)
        {
            Entry[] entries = _entries;
            for (int at = (int)(hash >> (64 - Bits)); ; at = (at + 1) & (entries.Length - 1))
            {
                ref Entry entry = ref entries[at];
                if (entry.Length == 0)
                    return false;
                if (entry.Hash != hash || !piece.SequenceEqual(_keys.AsSpan(entry.Key, entry.Length)))
                    continue;
                if (entry.Count == 1)
                {
                    output[count++] = entry.Id;
                    return true;
                }

                _ids.AsSpan(entry.Id, entry.Count).CopyTo(output.AsSpan(count));
                count += entry.Count;
                return true;
            }
        }

        public void Add(ReadOnlySpan<char> piece, ulong hash, ReadOnlySpan<int> ids)
        {
            if (_count >= MostEntries || _keyCount + piece.Length > KeyRoom || _idCount + ids.Length > IdRoom)
            {
                Array.Clear(_entries);
                (_count, _keyCount, _idCount) = (0, 0, 0);
            }

            int at = (int)(hash >> (64 - Bits));
            while (_entries[at].Length != 0)
                at = (at + 1) & (_entries.Length - 1);
            piece.CopyTo(_keys.AsSpan(_keyCount));
            _entries[at] = new Entry { Hash = hash, Key = _keyCount, Length = (ushort)piece.Length, Count = (ushort)ids.Length, Id = ids.Length == 1 ? ids[0] : _idCount };
            _keyCount += piece.Length;
            _count++;
            if (ids.Length == 1)
                return;
            ids.CopyTo(_ids.AsSpan(_idCount));
            _idCount += ids.Length;
        }

        private static ulong Final(ulong hash) => (hash ^ hash >> 32) * 0xD6E8FEB86659FD93UL;
    }
}
