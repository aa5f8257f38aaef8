using System.Text;

namespace Candela.Tokenization;

/// <summary>Learns tokenizers from text. The same texts and options give the same tokenizer. Save the result with <see cref="Tokenizer.Save"/>.</summary>
public static class TokenizerTrainer
{
    /// <summary>Byte-level byte-pair encoding as GPT-2's: every text can be encoded, and decodes to itself. The pair that occurs most often is joined first; ties go to the smaller ids,
    /// as in Hugging Face's trainer. Source: Sennrich et al. 2016, Radford et al. 2019. Cost: one pass over the text, then seconds for a megabyte and 4,096 tokens.</summary>
    /// <exception cref="UsageException">An option cannot be used, or there is no text.</exception>
    public static Tokenizer Bpe(IEnumerable<string> texts, BpeTrainingOptions? options = null)
    {
        options ??= new BpeTrainingOptions();
        Check(options.SpecialTokens, options.VocabularySize, 256 + options.SpecialTokens.Count, options.MinFrequency);
        const string Name = "trained BPE";
        PreTokenizer preTokenizer = options.Pattern is null ? new ByteLevelPreTokenizer(addPrefixSpace: false, trimOffsets: true, useRegex: true)
            : PipelineText.PreTokenizer($$"""{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":{{PipelineText.Quoted(options.Pattern)}}},"behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]}""", Name)!;
        var words = WordCounts.Of(texts, null, preTokenizer, options.SpecialTokens);
        var alphabet = Enumerable.Range(0, 256).Select(b => ByteAlphabet.Of((byte)b)).Order().Select(c => c.ToString());
        var learner = new PairLearner(words, [.. options.SpecialTokens, .. alphabet], continuing: "", keep: null);
        learner.Learn(options.VocabularySize, options.MinFrequency);
        return new Tokenizer(new TokenizerParts
        {
            Name = Name,
            Model = new BytePairModel(Vocabulary.FromList(learner.Tokens, Name), learner.Merges, new BytePairOptions(), Name),
            PreTokenizer = preTokenizer,
            Decoder = PipelineText.Decoder(PipelineText.ByteLevelDecoder, Name),
            AddedTokens = Special(options.SpecialTokens),
        });
    }

    /// <summary>WordPiece for BERT: text is normalized and cut into words as BERT does; then the most frequent pairs are joined, as in Hugging Face's WordPieceTrainer
    /// (which learns by frequency; Schuster and Nakajima 2012 choose by likelihood). A text is framed by <c>[CLS]</c> and <c>[SEP]</c>.</summary>
    /// <exception cref="UsageException">An option cannot be used, or there is no text.</exception>
    public static Tokenizer WordPiece(IEnumerable<string> texts, WordPieceTrainingOptions? options = null)
    {
        options ??= new WordPieceTrainingOptions();
        Check(options.SpecialTokens, options.VocabularySize, options.SpecialTokens.Count + 1, options.MinFrequency);
        const string Name = "trained WordPiece";
        foreach (string needed in new[] { "[UNK]", "[CLS]", "[SEP]" })
        {
            if (!options.SpecialTokens.Contains(needed))
                throw new UsageException($"the special tokens of a WordPiece vocabulary are {string.Join(", ", options.SpecialTokens)}; {needed} must be among them.");
        }

        var normalizer = PipelineText.Normalizer($$"""{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":{{(options.Lowercase ? "true" : "false")}}}""", Name);
        var preTokenizer = PipelineText.PreTokenizer("""{"type":"BertPreTokenizer"}""", Name)!;
        var words = WordCounts.Of(texts, normalizer, preTokenizer, options.SpecialTokens);
        var alphabet = WordCounts.Characters(words).OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).Take(options.MaxAlphabet).Select(c => c.Key).ToHashSet(StringComparer.Ordinal);
        var learner = new PairLearner(words, [.. options.SpecialTokens, .. alphabet.Order(StringComparer.Ordinal)], continuing: "##", keep: alphabet);
        learner.Learn(options.VocabularySize, options.MinFrequency);
        return new Tokenizer(PlainVocabulary.WordPiece(learner.Tokens, options.Lowercase, chinese: true, stripAccents: null, Special(options.SpecialTokens), Name));
    }

    /// <summary>A Unigram language model over pieces of words, as SentencePiece learns it: frequent substrings, expectation maximisation, and pruning of the pieces whose loss would cost
    /// the least likelihood. Spaces are written as U+2581, one is put before the text, and characters outside the vocabulary become the first special token. Source: Kudo 2018.</summary>
    /// <exception cref="UsageException">An option cannot be used, or there is no text.</exception>
    public static Tokenizer Unigram(IEnumerable<string> texts, UnigramTrainingOptions? options = null)
    {
        options ??= new UnigramTrainingOptions();
        Check(options.SpecialTokens, options.VocabularySize, options.SpecialTokens.Count + 1, 1);
        if (options.SpecialTokens.Count == 0)
            throw new UsageException("a Unigram vocabulary needs at least one special token; the first one stands for unknown characters.");
        if (options.ShrinkingFactor is not (> 0 and < 1) || options.MaxTokenLength < 1 || options.SeedSize < 1 || options.Iterations < 1)
            throw new UsageException($"ShrinkingFactor {options.ShrinkingFactor}, MaxTokenLength {options.MaxTokenLength}, SeedSize {options.SeedSize}, Iterations {options.Iterations}; a share between 0 and 1 and numbers of at least 1 were needed.");
        const string Name = "trained Unigram";
        var preTokenizer = PipelineText.PreTokenizer("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true}""", Name)!;
        var words = WordCounts.Of(texts, null, preTokenizer, options.SpecialTokens);
        var learner = new UnigramLearner(words, options);
        learner.Learn(options.VocabularySize - options.SpecialTokens.Count);
        List<string> tokens = [.. options.SpecialTokens, .. learner.Pieces.Select(p => p.Text)];
        List<float> scores = [.. options.SpecialTokens.Select(_ => 0f), .. learner.Pieces.Select(p => (float)p.Score)];
        return new Tokenizer(new TokenizerParts
        {
            Name = Name,
            Model = SentencePieceFile.UnigramModel(tokens, scores, 0, byteFallback: false, Name),
            PreTokenizer = preTokenizer,
            Decoder = PipelineText.Decoder("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true}""", Name),
            AddedTokens = Special(options.SpecialTokens),
            UnknownId = 0,
        });
    }

    /// <summary>One token for each character (Unicode scalar value) of the text, by code point.</summary>
    /// <exception cref="UsageException">An option cannot be used, or there is no text.</exception>
    public static Tokenizer Characters(IEnumerable<string> texts, CharacterTrainingOptions? options = null)
    {
        options ??= new CharacterTrainingOptions();
        Check(options.SpecialTokens, int.MaxValue, 0, options.MinFrequency);
        if (options.UnknownToken is { } unknown && !options.SpecialTokens.Contains(unknown))
            throw new UsageException($"the unknown token {unknown} is not one of the special tokens {string.Join(", ", options.SpecialTokens)}.");
        const string Name = "characters";
        var counts = new SortedDictionary<int, long>();
        foreach (string text in texts)
        {
            foreach (Rune rune in text.EnumerateRunes())
                counts[rune.Value] = counts.GetValueOrDefault(rune.Value) + 1;
        }

        if (counts.Count == 0)
            throw new UsageException("there is no text to learn a vocabulary from.");
        List<string> tokens = [.. options.SpecialTokens, .. counts.Where(c => c.Value >= options.MinFrequency).Select(c => new Rune(c.Key).ToString()).Except(options.SpecialTokens)];
        return new Tokenizer(new TokenizerParts
        {
            Name = Name,
            Model = new BytePairModel(Vocabulary.FromList(tokens, Name), [], new BytePairOptions { UnknownToken = options.UnknownToken }, Name),
            Decoder = PipelineText.Decoder("""{"type":"Fuse"}""", Name),
            AddedTokens = Special(options.SpecialTokens),
        });
    }

    private static AddedToken[] Special(IReadOnlyList<string> tokens) => [.. tokens.Select((token, id) => new AddedToken(id, token))];

    private static void Check(IReadOnlyList<string> special, int size, int least, int minFrequency)
    {
        if (special.Any(string.IsNullOrEmpty) || special.Distinct(StringComparer.Ordinal).Count() != special.Count)
            throw new UsageException($"the special tokens are {string.Join(", ", special.Select(t => $"'{t}'"))}; each must be there once and none empty.");
        if (size < least)
            throw new UsageException($"a vocabulary of {size} tokens was asked for; at least {least} were needed.");
        if (minFrequency < 1)
            throw new UsageException($"a minimum frequency of {minFrequency} was asked for; at least 1 was needed.");
    }
}
