namespace Candela.Language;

/// <summary>Word-by-word translation with the lexical table of IBM Model 1: a classical baseline of translation.</summary>
/// <remarks>
/// Brown et al. 1993, section 4.1: each target word comes from a source word (or the null word) with equal chance, and <c>t(e|f)</c> is found by expectation and maximisation from even chances, so the
/// likelihood of the training pairs never falls. A translation keeps the source's order: each source word gives its likeliest target word; a word unseen in training is kept as it is; a word that
/// stands for less than half a target word on average is left out (never a mark), and so is a word that repeats the one before though its source word differs (characters of one Chinese word, parts of a compound).
/// Words are BLEU's (13a, or zh where a side's letters are Chinese or Japanese), with their case. Verified against the hand-computed tables of a three-sentence corpus.
/// Cost: memory of about 20 bytes per different pair of words that stand in one pair of texts (some 50 MB for 30,000 sentences of 12 words), time in proportion to all such pairs times the iterations.
/// </remarks>
public sealed class IbmModel1 : ITextBaseline
{
    private readonly IbmModel1Options _options;
    private readonly List<double> _likelihoods = [];
    private WordSide _from = new(false), _to = new(false);
    private WordNumbers _sources = new(), _targets = new();
    private CooccurrenceTable _table = CooccurrenceTable.Empty;
    private int[] _best = [];
    private double[] _fertility = [];
    private int _usedPairs, _leftOut;

    /// <summary>An untrained table.</summary>
    /// <param name="options">Iterations, null word and limits; null for the defaults.</param>
    /// <exception cref="UsageException">An option is out of its range.</exception>
    public IbmModel1(IbmModel1Options? options = null)
    {
        _options = options ?? new IbmModel1Options();
        if (_options.Iterations < 1 || _options.MaxWords < 1 || !(_options.MinFertility >= 0))
            throw new UsageException($"IBM Model 1 got {_options.Iterations} iterations, at most {_options.MaxWords} words and a least fertility of {_options.MinFertility}; 1 or more, 1 or more, and 0 or more were needed.");
    }

    /// <inheritdoc/>
    public string Name => "ibm1";

    /// <inheritdoc/>
    public string Describe => $"each word's likeliest translation in the source's order (IBM Model 1, {_options.Iterations} iterations{(_usedPairs > 0 ? $" over {_usedPairs} pairs{(_leftOut > 0 ? $", {_leftOut} longer ones left out" : "")}" : "")})";

    /// <summary>The log-likelihood (natural) of the training targets given their sources and lengths under the table before each iteration; it never falls.</summary>
    public IReadOnlyList<double> LogLikelihoods => _likelihoods;

    /// <inheritdoc/>
    public void Train(IReadOnlyList<TextPair> pairs, CancellationToken cancellation = default)
    {
        (_from, _to) = (WordSide.Of(pairs.Select(p => p.Source)), WordSide.Of(pairs.Select(p => p.Target)));
        (_sources, _targets) = (new WordNumbers(), new WordNumbers());
        _sources.Add(""); // the null word, whether used or not
        var texts = new List<(int[] Source, int[] Target)>(pairs.Count);
        _leftOut = 0;
        foreach (TextPair pair in pairs)
        {
            cancellation.ThrowIfCancellationRequested();
            List<string> source = _from.Split(pair.Source), target = _to.Split(pair.Target);
            if (source.Count > _options.MaxWords || target.Count > _options.MaxWords)
                _leftOut++;
            else if (source.Count > 0 && target.Count > 0)
                texts.Add(([.. _options.NullWord ? [0] : Array.Empty<int>(), .. source.Select(_sources.Add)], [.. target.Select(_targets.Add)]));
        }

        _usedPairs = texts.Count;
        if (texts.Count == 0)
            throw new DataException($"IBM Model 1 got {pairs.Count} pairs, none with words on both sides and at most {_options.MaxWords} of them{(_leftOut > 0 ? $" ({_leftOut} are longer)" : "")}. It translates sentences; give shorter texts.");
        _table = CooccurrenceTable.Of(texts, _sources.Count, _targets.Count, cancellation);
        _likelihoods.Clear();
        _fertility = [];
        for (int iteration = 0; iteration < _options.Iterations; iteration++)
            _likelihoods.Add(Iterate(texts, cancellation));
        Pick(texts);
    }

    /// <summary>The table's <c>t(target | source)</c>: the chance that a source word gives this target word; 0 for words that never stand together.</summary>
    /// <param name="target">A target word.</param>
    /// <param name="source">A source word; the empty text is the null word.</param>
    public double Probability(string target, string source) =>
        _sources.Find(source) is var from and >= 0 && _targets.Find(target) is var to and >= 0 && _table.Find(from, to) is var place and >= 0 ? _table.Values[place] : 0;

    /// <summary>How many target words a source word stands for on average in the training pairs; 0 for an unseen one.</summary>
    /// <param name="source">A source word; the empty text is the null word.</param>
    public double Fertility(string source) => _sources.Find(source) is var from and >= 0 && from < _fertility.Length ? _fertility[from] : 0;

    /// <inheritdoc/>
    public string Apply(string source)
    {
        var words = new List<string>();
        string? before = null;
        foreach (string word in _from.Split(source))
        {
            int from = _sources.Find(word);
            bool known = from > 0 && from < _best.Length && _best[from] >= 0;
            if (known && _fertility[from] < _options.MinFertility && word.Any(char.IsLetterOrDigit))
                continue;
            string target = known ? _targets.Word(_best[from]) : word;
            if (words.Count > 0 && words[^1] == target && before != word)
                continue;
            words.Add(target);
            before = word;
        }

        return WordSide.Join(words);
    }

    // One round; gives the log-likelihood under the table it starts from.
    private double Iterate(List<(int[] Source, int[] Target)> texts, CancellationToken cancellation)
    {
        var counts = new double[_table.Values.Length];
        double likelihood = 0;
        var places = new int[_options.MaxWords + 1];
        foreach ((int[] source, int[] target) in texts)
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (int to in target)
            {
                double sum = 0;
                for (int i = 0; i < source.Length; i++)
                    sum += _table.Values[places[i] = _table.Find(source[i], to)];
                likelihood += Math.Log(sum / source.Length);
                for (int i = 0; i < source.Length; i++)
                    counts[places[i]] += _table.Values[places[i]] / sum;
            }
        }

        _fertility = _table.Normalize(counts);
        return likelihood;
    }

    // The likeliest target word of each source word, and expected counts turned into counts per occurrence.
    private void Pick(List<(int[] Source, int[] Target)> texts)
    {
        var seen = new int[_sources.Count];
        foreach ((int[] source, _) in texts)
            foreach (int from in source)
                seen[from]++;
        for (int from = 0; from < seen.Length; from++)
            _fertility[from] = seen[from] > 0 ? _fertility[from] / seen[from] : 0;
        _best = [.. Enumerable.Range(0, _sources.Count).Select(_table.Likeliest)];
    }

    private sealed class WordNumbers
    {
        private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
        private readonly List<string> _words = [];

        public int Count => _words.Count;

        public string Word(int number) => _words[number];

        public int Find(string word) => _numbers.TryGetValue(word, out int number) ? number : -1;

        public int Add(string word)
        {
            if (_numbers.TryGetValue(word, out int number))
                return number;
            _numbers.Add(word, _words.Count);
            _words.Add(word);
            return _words.Count - 1;
        }
    }
}
