namespace Candela.Metrics;

/// <summary>Reads spans from tags and writes tags for spans.</summary>
public static class SpanTags
{
    /// <summary>The spans of one sentence, by their start.</summary>
    /// <param name="tags"><c>O</c>, or a prefix (<c>B I E S L U</c>) alone or with a hyphen and a type.</param>
    /// <param name="scheme">How they mark spans.</param>
    /// <exception cref="DataException">A tag is of another form, or its prefix is not of a strict scheme.</exception>
    public static IReadOnlyList<TaggedSpan> Read(IReadOnlyList<string> tags, SpanScheme scheme = SpanScheme.Lenient)
    {
        var spans = new List<TaggedSpan>();
        Check(tags, scheme);
        if (scheme == SpanScheme.Lenient)
            ReadLeniently(tags, spans);
        else
            ReadStrictly(tags, scheme, spans);
        return spans;
    }

    /// <summary>The strict scheme whose prefixes these are: IOB2, IOE2, IOBES or BILOU, in this order of preference.</summary>
    /// <param name="sentences">Tags of all sentences.</param>
    /// <exception cref="DataException">The prefixes together fit none.</exception>
    public static SpanScheme Detect(IEnumerable<IReadOnlyList<string>> sentences)
    {
        var prefixes = new SortedSet<char>();
        foreach (IReadOnlyList<string> tags in sentences)
        {
            Check(tags, SpanScheme.Lenient);
            foreach (string tag in tags)
                prefixes.Add(tag[0]);
        }

        foreach (SpanScheme scheme in (SpanScheme[])[SpanScheme.Iob2, SpanScheme.Ioe2, SpanScheme.Iobes, SpanScheme.Bilou])
            if (prefixes.All(p => Prefixes(scheme).Contains(p)) && prefixes.Any(p => p != 'I' && (p != 'O' || prefixes.Count == 1)))
                return scheme;
        throw new DataException($"The tags begin with {string.Join(", ", prefixes)}; those of IOB2 (B I O), IOE2 (I E O), IOBES (B I E S O) or BILOU (B I L U O) were needed.");
    }

    private static void ReadLeniently(IReadOnlyList<string> tags, List<TaggedSpan> spans)
    {
        int start = -1;
        char before = 'O';
        ReadOnlySpan<char> typeBefore = "";
        for (int i = 0; i <= tags.Count; i++)
        {
            string tag = i < tags.Count ? tags[i] : "O";
            char prefix = tag[0] switch { 'L' => 'E', 'U' => 'S', var p => p };
            ReadOnlySpan<char> type = TypeOf(tag);
            bool begins = prefix != 'O' && (prefix is 'B' or 'S' || before is 'O' or 'E' or 'S' || !type.SequenceEqual(typeBefore));
            if (start >= 0 && (begins || prefix == 'O' || before is 'E' or 'S'))
            {
                spans.Add(new TaggedSpan(typeBefore.ToString(), start, i - start));
                start = -1;
            }

            if (begins)
                start = i;
            before = prefix;
            typeBefore = type;
        }
    }

    private static void ReadStrictly(IReadOnlyList<string> tags, SpanScheme scheme, List<TaggedSpan> spans)
    {
        char last = scheme switch { SpanScheme.Iob2 => 'I', SpanScheme.Bilou => 'L', _ => 'E' };
        for (int i = 0; i < tags.Count;)
        {
            char prefix = tags[i][0];
            int end = i + 1;
            bool whole = prefix is 'S' or 'U' || (scheme == SpanScheme.Iob2 && prefix == 'B') || (scheme == SpanScheme.Ioe2 && prefix == 'E');
            if (prefix == 'B' || (scheme == SpanScheme.Ioe2 && prefix == 'I'))
            {
                while (end < tags.Count && tags[end][0] is 'I' or 'E' or 'L' && TypeOf(tags[end]).SequenceEqual(TypeOf(tags[i])))
                {
                    bool closes = tags[end][0] == last && last != 'I';
                    end++;
                    if (!closes)
                        continue;
                    whole = true;
                    break;
                }
            }

            if (whole)
                spans.Add(new TaggedSpan(TypeOf(tags[i]).ToString(), i, end - i));
            i = end;
        }
    }

    private static ReadOnlySpan<char> TypeOf(string tag) => tag.Length > 2 ? tag.AsSpan(2) : "_";

    private static string Prefixes(SpanScheme scheme) => scheme switch
    {
        SpanScheme.Iob2 => "BIO",
        SpanScheme.Ioe2 => "IEO",
        SpanScheme.Iobes => "BIESO",
        SpanScheme.Bilou => "BILUO",
        _ => "BIESLUO",
    };

    private static void Check(IReadOnlyList<string> tags, SpanScheme scheme)
    {
        string prefixes = Prefixes(scheme);
        for (int i = 0; i < tags.Count; i++)
        {
            string tag = tags[i];
            bool known = tag.Length > 0 && prefixes.Contains(tag[0]) && (tag.Length == 1 || (tag[1] == '-' && tag[0] != 'O'));
            if (!known)
                throw new DataException($"token {i + 1} has the tag '{tag}'; O, or one of {string.Join(" ", prefixes.Where(p => p != 'O'))} with a hyphen and a type (as B-PER), was needed"
                    + (scheme == SpanScheme.Lenient ? ". Tags that mark no spans are scored by accuracy." : $" by {scheme.ToString().ToUpperInvariant()}."));
        }
    }
}
