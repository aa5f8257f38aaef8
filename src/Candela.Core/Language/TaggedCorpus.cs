namespace Candela.Language;

/// <summary>Sentences with a tag per token, from a CoNLL column file or from CoNLL-U (Universal Dependencies); either may be gzip, in UTF-8 or in UTF-16 with a byte-order mark.</summary>
/// <remarks>
/// Column files: one token per line; columns are parted by tabs when the first token line has one, else by runs of spaces; an empty line ends a sentence. Lines whose first column is
/// <c>-DOCSTART-</c> are left out, and so are comments: lines that start with <c>#</c> and do not have as many columns as the first token line (a token may be <c>#</c>).
/// CoNLL-U: ten or more columns parted by tabs; comments, multi-word ranges (<c>3-4</c>) and empty nodes (<c>5.1</c>) are left out. Format: universaldependencies.org/format.html.
/// </remarks>
public sealed class TaggedCorpus
{
    /// <summary>Holds sentences that are already read.</summary>
    /// <param name="source">Where they come from, for messages.</param>
    /// <param name="sentences">At least one.</param>
    public TaggedCorpus(string source, IReadOnlyList<TaggedSentence> sentences)
    {
        (Source, Sentences) = (source, sentences);
        Tags = [.. sentences.SelectMany(s => s.Tags).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        TokenCount = sentences.Sum(s => (long)s.Tokens.Count);
    }

    /// <summary>The file.</summary>
    public string Source { get; }

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<TaggedSentence> Sentences { get; }

    /// <summary>The different tags, in ordinal order.</summary>
    public IReadOnlyList<string> Tags { get; }

    /// <summary>Tokens of all sentences.</summary>
    public long TokenCount { get; }

    /// <summary>Reads a file: as CoNLL-U when its name ends in <c>.conllu</c> or <c>.conllu.gz</c>, else as columns.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">Columns and numbering; null for the defaults.</param>
    /// <exception cref="FileFormatException">There is no such file, or its gzip data is broken.</exception>
    /// <exception cref="DataException">A line has too few or too many columns (named by its number), or there is no sentence.</exception>
    /// <exception cref="UsageException">There is no such column.</exception>
    public static TaggedCorpus Read(string path, TaggedCorpusOptions? options = null)
    {
        string name = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path;
        return name.EndsWith(".conllu", StringComparison.OrdinalIgnoreCase) ? ReadConllU(path, options) : ReadColumns(path, options);
    }

    /// <summary>Reads a column file, whatever its name; see <see cref="Read"/> for the errors.</summary>
    public static TaggedCorpus ReadColumns(string path, TaggedCorpusOptions? options = null)
        => new(path, TaggedColumns.Columns(path, options ?? new TaggedCorpusOptions()));

    /// <summary>Reads a CoNLL-U file, whatever its name; see <see cref="Read"/> for the errors.</summary>
    public static TaggedCorpus ReadConllU(string path, TaggedCorpusOptions? options = null)
        => new(path, TaggedColumns.ConllU(path, options ?? new TaggedCorpusOptions()));

    /// <summary>Draws <c>round(share * sentences)</c> sentences, at least one and at most all but one, as the held-out part.</summary>
    /// <param name="share">Of the sentences, between 0 and 1.</param>
    /// <param name="seed">The same seed gives the same parts.</param>
    /// <exception cref="UsageException">The share is not between 0 and 1, or there are fewer than two sentences.</exception>
    public TaggedSplit Split(double share, long seed)
    {
        if (!(share > 0 && share < 1))
            throw new UsageException($"The share of sentences held out is {share}; a number between 0 and 1 was needed.");
        if (Sentences.Count < 2)
            throw new UsageException($"{Source} has {Sentences.Count} sentence; two or more were needed to split it.");
        int[] order = [.. Enumerable.Range(0, Sentences.Count)];
        new Rng(seed).Shuffle(order.AsSpan());
        int held = Math.Clamp((int)Math.Round(share * order.Length, MidpointRounding.AwayFromZero), 1, order.Length - 1);
        TaggedSentence[] Pick(IEnumerable<int> indices) => [.. indices.Order().Select(i => Sentences[i])];
        return new TaggedSplit(Pick(order.Skip(held)), Pick(order.Take(held)));
    }
}
