namespace Candela.Tokenization;

/// <summary>Joins the most frequent pair of neighbouring tokens again and again. Pair counts are kept up to date: a merge touches only the words that hold it, and a heap
/// with outdated entries finds the next one.</summary>
internal sealed class PairLearner
{
    private readonly List<string> _tokens;
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly List<Word> _words = [];
    private readonly Dictionary<long, Pair> _pairs = [];
    private readonly PriorityQueue<long, (long Count, long Pair)> _queue = new(Comparer<(long Count, long Pair)>.Create((a, b) => a.Count != b.Count ? b.Count.CompareTo(a.Count) : a.Pair.CompareTo(b.Pair)));
    private readonly string _continuing;

    /// <param name="words">Words with frequencies.</param>
    /// <param name="tokens">The vocabulary to start from.</param>
    /// <param name="continuing">Written before a token that does not begin a word.</param>
    /// <param name="keep">Characters that words may have; a word is cut at others. Null: all.</param>
    public PairLearner(List<KeyValuePair<string, long>> words, List<string> tokens, string continuing, IReadOnlySet<string>? keep)
    {
        (_tokens, _continuing) = (tokens, continuing);
        for (int id = 0; id < tokens.Count; id++)
            _ids.TryAdd(tokens[id], id);
        foreach (var (word, count) in words)
            Add(word, count, keep);
        foreach (long pair in _pairs.Keys)
            _queue.Enqueue(pair, (_pairs[pair].Count, pair));
    }

    /// <summary>All tokens by id.</summary>
    public List<string> Tokens => _tokens;

    /// <summary>The merges in order.</summary>
    public List<(string Left, string Right)> Merges { get; } = [];

    public void Learn(int vocabularySize, int minFrequency)
    {
        var changed = new HashSet<long>();
        while (_tokens.Count < vocabularySize && _queue.TryDequeue(out long key, out var priority))
        {
            long count = _pairs[key].Count;
            if (count != priority.Count)
            {
                // outdated; when it grew, or shrank but is still there, it waits again under its count of today
                if (count >= minFrequency)
                    _queue.Enqueue(key, (count, key));
                continue;
            }

            if (count < minFrequency)
                break;
            var (left, right) = ((int)(key >> 32), (int)key);
            string joined = _tokens[left] + _tokens[right][_continuing.Length..]; // the right one never begins a word
            if (!_ids.TryGetValue(joined, out int id))
            {
                id = _tokens.Count;
                _ids.Add(joined, id);
                _tokens.Add(joined);
            }

            Merges.Add((_tokens[left], _tokens[right]));
            changed.Clear();
            foreach (int word in _pairs[key].Words)
                Join(_words[word], word, left, right, id, changed);
            _pairs[key].Count = 0;
            changed.Remove(key);
            foreach (long other in changed)
            {
                if (_pairs[other].Count >= minFrequency)
                    _queue.Enqueue(other, (_pairs[other].Count, other));
            }
        }
    }

    private void Add(string text, long count, IReadOnlySet<string>? keep)
    {
        var symbols = new List<int>(text.Length);
        int at = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            string character = rune.ToString();
            if (keep is not null && !keep.Contains(character))
            {
                symbols.Clear(); // the word cannot be written: it becomes [UNK]
                break;
            }

            string token = at > 0 ? _continuing + character : character;
            if (!_ids.TryGetValue(token, out int id))
            {
                id = _tokens.Count;
                _ids.Add(token, id);
                _tokens.Add(token);
            }

            symbols.Add(id);
            at++;
        }

        if (symbols.Count < 2)
            return;
        int index = _words.Count;
        _words.Add(new Word([.. symbols], count));
        for (int i = 0; i + 1 < symbols.Count; i++)
            Change(Key(symbols[i], symbols[i + 1]), count, index);
    }

    private void Join(Word word, int index, int left, int right, int joined, HashSet<long> changed)
    {
        int[] symbols = word.Symbols;
        int kept = 0;
        for (int i = 0; i < word.Length; i++)
        {
            if (i + 1 == word.Length || symbols[i] != left || symbols[i + 1] != right)
            {
                symbols[kept++] = symbols[i];
                continue;
            }

            // a [left right] b -> a joined b; `a` may itself be the token joined just now
            if (kept > 0)
            {
                Note(symbols[kept - 1], left, -word.Count);
                Note(symbols[kept - 1], joined, word.Count);
            }

            Note(left, right, -word.Count);
            if (i + 2 < word.Length)
            {
                Note(right, symbols[i + 2], -word.Count);
                Note(joined, symbols[i + 2], word.Count);
            }

            symbols[kept++] = joined;
            i++;
        }

        word.Length = kept;

        void Note(int a, int b, long by)
        {
            long key = Key(a, b);
            Change(key, by, by > 0 ? index : -1);
            changed.Add(key);
        }
    }

    private void Change(long key, long by, int word)
    {
        if (!_pairs.TryGetValue(key, out var pair))
            _pairs.Add(key, pair = new Pair());
        pair.Count += by;
        if (word >= 0 && (pair.Words.Count == 0 || pair.Words[^1] != word))
            pair.Words.Add(word);
    }

    private static long Key(int left, int right) => ((long)left << 32) | (uint)right;

    private sealed class Word(int[] symbols, long count)
    {
        public int[] Symbols { get; } = symbols;

        public int Length { get; set; } = symbols.Length;

        public long Count { get; } = count;
    }

    private sealed class Pair
    {
        public long Count { get; set; }

        public List<int> Words { get; } = [];
    }
}
