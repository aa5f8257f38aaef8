using System.Buffers.Binary;
using System.IO.Compression;

namespace Candela.Data;

/// <summary>Hashed n-grams of all text columns as one weighted sparse row: words, word pairs and the first and last 3, 4 and 5 letters of words (so that <c>love</c>,
/// <c>loved</c> and <c>lovely</c> share something, without a stemmer for each language); for scripts without spaces characters, pairs and triples.
/// Weight (1 + ln tf) (ln((1 + n) / (1 + df)) + 1), tf the occurrences in the row and df of n training rows, then divided by the row's Euclidean norm (Salton and
/// Buckley 1988, with the smoothed idf that scikit-learn's TfidfVectorizer uses). Buckets that no training row has are left out.</summary>
internal sealed class NgramCode
{
    public const int DefaultBuckets = 1 << 18;
    public const int MaxBuckets = 1 << 24;
    private const int ShortestAffix = 3, LongestAffix = 5;
    private const ulong PrefixMark = 0xA24BAED4963EE407UL, SuffixMark = 0x9FB21C651E98DF25UL;
    private readonly float[] _idf;   // 0 where no training row has the bucket

    public NgramCode(int buckets, long documents, ReadOnlySpan<int> frequencies)
    {
        _idf = new float[buckets];
        for (int i = 0; i < buckets; i++)
            if (frequencies[i] > 0)
                _idf[i] = (float)(Math.Log((1.0 + documents) / (1.0 + frequencies[i])) + 1);
    }

    public int Width => _idf.Length;

    /// <summary>Counts the n-grams of the units last read into the scratch space.</summary>
    public static void Count(TextUnits text, int column, NgramScratch into)
    {
        ReadOnlySpan<TextUnit> units = text.Units;
        ulong salt = (ulong)column * 0x9E3779B97F4A7C15UL, previous = 0, beforeIt = 0;
        for (int i = 0; i < units.Length; i++)
        {
            ulong hash = Hash(text.Text(units[i])) ^ salt;
            into.Add(hash);
            if (units[i].Kind == UnitKind.Sign)
            {
                if (units[i].Joined)
                {
                    into.Add(Pair(previous, hash));
                    if (units[i - 1].Joined)
                        into.Add(Pair(beforeIt, Pair(previous, hash)));
                }
            }
            else
            {
                if (i > 0 && units[i - 1].Kind != UnitKind.Sign)
                    into.Add(Pair(previous, hash));
                if (units[i].Kind == UnitKind.Word)
                    AddAffixes(text.Text(units[i]), salt, into);
            }

            (beforeIt, previous) = (previous, hash);
        }
    }

    private static void AddAffixes(ReadOnlySpan<char> word, ulong salt, NgramScratch into)
    {
        for (int n = ShortestAffix; n <= LongestAffix && n <= word.Length; n++)
        {
            into.Add(Pair(PrefixMark, Hash(word[..n]) ^ salt));
            into.Add(Pair(SuffixMark, Hash(word[^n..]) ^ salt));
        }
    }

    /// <summary>Appends the weighted row of the n-grams counted in the scratch space, buckets ascending, and clears it.</summary>
    public void Append(NgramScratch counted, FeatureBatch into, int row)
    {
        int start = into.SparseStarts[row], end = start;
        ReadOnlySpan<int> buckets = counted.Sorted();
        if (into.SparseIndices.Length < start + buckets.Length)
        {
            int length = Math.Max(start + buckets.Length, Math.Max(1024, start + (start / 2)));
            int[] indices = new int[length];
            float[] values = new float[length];
            into.SparseIndices.AsSpan(0, start).CopyTo(indices);
            into.SparseValues.AsSpan(0, start).CopyTo(values);
            (into.SparseIndices, into.SparseValues) = (indices, values);
        }

        double squares = 0;
        foreach (int bucket in buckets)
        {
            float idf = _idf[bucket];
            if (idf == 0)
                continue;
            int occurrences = counted[bucket];
            float weight = occurrences == 1 ? idf : (float)((1 + Math.Log(occurrences)) * idf);
            squares += (double)weight * weight;
            into.SparseIndices[end] = bucket;
            into.SparseValues[end++] = weight;
        }

        float scale = squares > 0 ? (float)(1 / Math.Sqrt(squares)) : 0;
        foreach (ref float weight in into.SparseValues.AsSpan(start, end - start))
            weight *= scale;
        into.SparseStarts[row + 1] = end;
        counted.Clear();
    }

    public static byte[] Pack(ReadOnlySpan<int> frequencies)
    {
        var bytes = new byte[4 * frequencies.Length];
        for (int i = 0; i < frequencies.Length; i++)
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4 * i), frequencies[i]);
        using var packed = new MemoryStream();
        using (var deflate = new DeflateStream(packed, CompressionLevel.Optimal))
            deflate.Write(bytes);
        return packed.ToArray();
    }

    /// <exception cref="InvalidDataException">The bytes are not that many frequencies.</exception>
    public static int[] Unpack(byte[] packed, int buckets)
    {
        var bytes = new byte[4 * buckets];
        using var inflate = new DeflateStream(new MemoryStream(packed), CompressionMode.Decompress);
        if (inflate.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) != bytes.Length || inflate.ReadByte() >= 0)
            throw new InvalidDataException($"not {buckets} frequencies");
        var frequencies = new int[buckets];
        for (int i = 0; i < buckets; i++)
            frequencies[i] = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(4 * i));
        return frequencies;
    }

    // FNV-1a over UTF-16 units, scrambled so that the low bits are good buckets.
    private static ulong Hash(ReadOnlySpan<char> text)
    {
        ulong hash = 0xCBF29CE484222325UL;
        foreach (char c in text)
            hash = (hash ^ c) * 0x100000001B3UL;
        return Rng.Mix(hash);
    }

    private static ulong Pair(ulong first, ulong second) => Rng.Mix((first * 3) + second + 0x632BE59BD9B4E019UL);
}

/// <summary>Counts of buckets in one row, clearable in time proportional to the buckets met.</summary>
internal sealed class NgramScratch(int buckets)
{
    private readonly int[] _counts = new int[buckets];
    private int[] _met = new int[256];
    private int _size;

    public int this[int bucket] => _counts[bucket];

    public void Add(ulong hash)
    {
        int bucket = (int)(hash & (ulong)(_counts.Length - 1));
        if (_counts[bucket]++ > 0)
            return;
        if (_size == _met.Length)
            Array.Resize(ref _met, 2 * _size);
        _met[_size++] = bucket;
    }

    public ReadOnlySpan<int> Sorted()
    {
        Array.Sort(_met, 0, _size);
        return _met.AsSpan(0, _size);
    }

    public ReadOnlySpan<int> Met => _met.AsSpan(0, _size);

    public void Clear()
    {
        foreach (int bucket in Met)
            _counts[bucket] = 0;
        _size = 0;
    }
}
