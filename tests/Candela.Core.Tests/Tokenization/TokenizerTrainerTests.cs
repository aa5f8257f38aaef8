using System.Globalization;
using System.Text;
using System.Text.Json;
using Candela.Tokenization;
using CsCheck;

namespace Candela.Tests.Tokenization;

public class TokenizerTrainerTests
{
    private const string Verse = "the cat sat on the mat. the cat ate the rat; a cat and a rat sat.\nwhere is the mat? there, under the cat! low lower lowest, new newer newest wide wider widest";

    [Fact]
    [Trait("Kind", "property")]
    public void Bpe_AnyText_LearnsTheMergesOfThePlainAlgorithm()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("tokenizer.json");
        Gen.String[Gen.Char["aab  bc.é\n"], 1, 60].Array[1, 4].Sample(
            texts =>
            {
                var tokenizer = TokenizerTrainer.Bpe(texts, new BpeTrainingOptions { VocabularySize = 290, MinFrequency = 2, SpecialTokens = [] });
                tokenizer.Save(path);
                Assert.Equal(PlainMerges(texts, 290, 2), Merges(path));
                Assert.All(texts, text => Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text))));
            },
            iter: 300,
            threads: 1);
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Bpe_SavedAndLoaded_GivesTheSameIdsAndEveryByteBack()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("tokenizer.json");
        var tokenizer = TokenizerTrainer.Bpe([Verse], new BpeTrainingOptions { VocabularySize = 300, MinFrequency = 1 });
        tokenizer.Save(path);
        var again = Tokenizer.Load(path);
        Assert.Equal(300, again.VocabularySize);
        Assert.Equal((0, 0), (again.BosId, again.EosId));
        foreach (string text in new[] { Verse, "Zürich 中文 🦙\t\r\n  x", string.Concat(Enumerable.Range(0, 0x2FF).Select(c => (char)c)), "" })
        {
            Assert.Equal(tokenizer.Encode(text), again.Encode(text));
            Assert.Equal(text, again.Decode(again.Encode(text)));
        }

        Assert.Equal(["\u0120the"], again.Encode(" the").Select(id => again.TokenOf(id)!));
        Assert.Equal([0], again.Encode("<|endoftext|>"));
    }

    [Fact]
    [Trait("Kind", "golden")]
    public void Bpe_OwnPattern_KeepsTokensInsideItsMatches()
    {
        var tokenizer = TokenizerTrainer.Bpe(["1234 1234 1234 1234"], new BpeTrainingOptions { VocabularySize = 300, Pattern = @"\d{2}|\s", SpecialTokens = [] });
        Assert.Equal(["12", "34", "\u0120"], tokenizer.Encode("1234 ").Select(id => tokenizer.TokenOf(id)!));
    }

    [Fact]
    [Trait("Kind", "golden")]
    public void WordPiece_SmallText_JoinsTheMostFrequentPairs()
    {
        // By hand: words lower x3, low x1: l+##o and ##o+##w occur 4 times, ##w+##e and ##e+##r 3 times.
        using var folder = new TemporaryFolder();
        string path = folder.File("tokenizer.json");
        var tokenizer = TokenizerTrainer.WordPiece(["Lower lower LOWER low"], new WordPieceTrainingOptions { VocabularySize = 17 });
        // 5 special, 5 letters e l o r w, then ##o ##w ##e ##r as met, then the merges: three fit
        Assert.Equal(17, tokenizer.VocabularySize);
        tokenizer.Save(path);
        var again = Tokenizer.Load(path);
        Assert.Equal(tokenizer.Encode("lower lows"), again.Encode("lower lows"));
        Assert.Equal("[CLS]", again.TokenOf(again.Encode("low")[0]));
        Assert.Equal(["low", "##er"], again.Encode("lower", addSpecialTokens: false).Select(id => again.TokenOf(id)!));
        Assert.Equal(["[UNK]"], again.Encode("lows", addSpecialTokens: false).Select(id => again.TokenOf(id)!));
        Assert.Equal("lower low", again.Decode(again.Encode("Lower low")));
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Unigram_TrainedText_IsLikelierThanWithFewerStepsOrRandomPieces()
    {
        using var folder = new TemporaryFolder();
        string text = string.Join('\n', Enumerable.Repeat(Verse, 3));
        // more EM steps a round, more likelihood: -323.90, -321.94, -321.93 and no more as this was written
        double[] likelihoods = [.. new[] { 1, 2, 3, 4 }.Select(steps => LogLikelihood(folder, TokenizerTrainer.Unigram([text], new UnigramTrainingOptions { VocabularySize = 60, Iterations = steps }), text))];
        Assert.True(likelihoods[1] > likelihoods[0] + 1 && likelihoods[2] >= likelihoods[1] && likelihoods[3] >= likelihoods[2] - 1e-4, string.Join(' ', likelihoods));
        var tokenizer = TokenizerTrainer.Unigram([text], new UnigramTrainingOptions { VocabularySize = 45 });
        double trained = LogLikelihood(folder, tokenizer, text);
        Assert.Equal(45, tokenizer.VocabularySize);

        // random pieces of the same number, each as probable as it is frequent in random cuts
        var pieces = new Dictionary<string, double>(StringComparer.Ordinal);
        var random = new Rng(1);
        double log = 0;
        var cuts = new List<string>();
        foreach (string word in Words(text))
        {
            for (int at = 0; at < word.Length;)
            {
                int length = Math.Min(word.Length - at, 1 + random.Next(4));
                cuts.Add(word.Substring(at, length));
                pieces[cuts[^1]] = pieces.GetValueOrDefault(cuts[^1]) + 1;
                at += length;
            }
        }

        foreach (string cut in cuts)
            log += Math.Log(pieces[cut] / cuts.Count);
        Assert.True(trained > log, $"{trained} against {log} of random cuts");
        Assert.Equal(Verse, tokenizer.Decode(tokenizer.Encode(Verse)));
        Assert.Equal(["\u2581the", "\u2581cat"], tokenizer.Encode("the cat").Select(id => tokenizer.TokenOf(id)!));
        Assert.Contains(0, tokenizer.Encode("Ω"));
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Unigram_SavedAndLoaded_GivesTheSameIds()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("tokenizer.json");
        Gen.String[Gen.Char["abc é中🦙"], 1, 80].Sample(
            text =>
            {
                text = "ab ab abc " + text.Replace("\ud83e", "", StringComparison.Ordinal).Replace("\udd99", "", StringComparison.Ordinal);
                var tokenizer = TokenizerTrainer.Unigram([text], new UnigramTrainingOptions { VocabularySize = 20 });
                tokenizer.Save(path);
                Assert.Equal(tokenizer.Encode(text), Tokenizer.Load(path).Encode(text));
                Assert.DoesNotContain(0, tokenizer.Encode(text)); // every character of the text has a token
            },
            iter: 60,
            threads: 1);
    }

    [Fact]
    [Trait("Kind", "golden")]
    public void Characters_Text_GivesOneIdEach()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("tokenizer.json");
        var tokenizer = TokenizerTrainer.Characters(["b a\n🦙b"]);
        Assert.Equal([3, 1, 2, 0, 4, 3], tokenizer.Encode("b a\n🦙b"));
        tokenizer.Save(path);
        Assert.Equal("b a\n🦙b", Tokenizer.Load(path).Decode(Tokenizer.Load(path).Encode("b a\n🦙b")));
        Assert.Equal([3, 3], tokenizer.Encode("bxb"));
        Assert.Equal([1, 0], TokenizerTrainer.Characters(["a"], new CharacterTrainingOptions { SpecialTokens = ["<unk>"], UnknownToken = "<unk>" }).Encode("ax"));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Training_OptionsThatCannotBe_AreRefused()
    {
        Assert.Contains("at least 257", Assert.Throws<UsageException>(() => TokenizerTrainer.Bpe(["a"], new BpeTrainingOptions { VocabularySize = 100 })).Message, StringComparison.Ordinal);
        Assert.Contains("no text", Assert.Throws<UsageException>(() => TokenizerTrainer.Bpe([])).Message, StringComparison.Ordinal);
        Assert.Contains("no text", Assert.Throws<UsageException>(() => TokenizerTrainer.Characters([""])).Message, StringComparison.Ordinal);
        Assert.Throws<UsageException>(() => TokenizerTrainer.Bpe(["a"], new BpeTrainingOptions { SpecialTokens = ["x", "x"] }));
        Assert.Contains("[UNK]", Assert.Throws<UsageException>(() => TokenizerTrainer.WordPiece(["a"], new WordPieceTrainingOptions { SpecialTokens = ["[CLS]"] })).Message, StringComparison.Ordinal);
        Assert.Throws<UsageException>(() => TokenizerTrainer.Unigram(["a"], new UnigramTrainingOptions { ShrinkingFactor = 1 }));
        Assert.Throws<UsageException>(() => TokenizerTrainer.Characters(["a"], new CharacterTrainingOptions { UnknownToken = "?" }));
    }

    // Counts all pairs of all words anew for each merge. Words by GPT-2's pattern, which .NET's engine runs.
    private static List<string> PlainMerges(string[] texts, int size, int least)
    {
        var words = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string text in texts)
        {
            foreach (System.Text.RegularExpressions.Match match in System.Text.RegularExpressions.Regex.Matches(text, @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", System.Text.RegularExpressions.RegexOptions.CultureInvariant))
                words[match.Value] = words.GetValueOrDefault(match.Value) + 1;
        }

        var tokens = Enumerable.Range(0, 256).Select(Standin).Order().Select(c => c.ToString()).ToList();
        var cut = words.Select(w => (Symbols: Encoding.UTF8.GetBytes(w.Key).Select(b => tokens.IndexOf(Standin(b).ToString())).ToList(), Count: w.Value)).ToList();
        var merges = new List<string>();
        while (tokens.Count < size)
        {
            var counts = new Dictionary<(int, int), long>();
            foreach (var (symbols, count) in cut)
            {
                for (int i = 0; i + 1 < symbols.Count; i++)
                    counts[(symbols[i], symbols[i + 1])] = counts.GetValueOrDefault((symbols[i], symbols[i + 1])) + count;
            }

            if (counts.Count == 0)
                break;
            var ((left, right), most) = counts.OrderByDescending(c => c.Value).ThenBy(c => c.Key).First();
            if (most < least)
                break;
            merges.Add($"{tokens[left]} {tokens[right]}");
            string joined = tokens[left] + tokens[right];
            if (!tokens.Contains(joined))
                tokens.Add(joined);
            int id = tokens.IndexOf(joined);
            foreach (var (symbols, _) in cut)
            {
                for (int i = 0; i + 1 < symbols.Count; i++)
                {
                    if (symbols[i] != left || symbols[i + 1] != right)
                        continue;
                    symbols[i] = id;
                    symbols.RemoveAt(i + 1);
                }
            }
        }

        return merges;
    }

    private static char Standin(int b) => (char)(IsPlain(b) ? b : 256 + Enumerable.Range(0, b).Count(x => !IsPlain(x)));

    private static char Standin(byte b) => Standin((int)b);

    private static bool IsPlain(int b) => b is (>= 33 and <= 126) or (>= 161 and <= 172) or (>= 174 and <= 255);

    private static List<string> Merges(string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(path));
        return [.. document.RootElement.GetProperty("model").GetProperty("merges").EnumerateArray().Select(m => $"{m[0].GetString()} {m[1].GetString()}")];
    }

    private static IEnumerable<string> Words(string text) => ("▁" + text.Replace(' ', '▁')).Split('▁').Skip(1).Select(word => "▁" + word);

    // Sum over words of the log of the summed probability of all segmentations, by the forward recursion.
    private static double LogLikelihood(TemporaryFolder folder, Tokenizer tokenizer, string text)
    {
        string path = folder.File("unigram.json");
        tokenizer.Save(path);
        using var document = JsonDocument.Parse(File.ReadAllText(path));
        var scores = document.RootElement.GetProperty("model").GetProperty("vocab").EnumerateArray().Skip(3).ToDictionary(p => p[0].GetString()!, p => p[1].GetDouble(), StringComparer.Ordinal);
        Assert.InRange(scores.Values.Sum(Math.Exp), 0.5, 1.001);
        double sum = 0;
        foreach (string word in Words(text))
        {
            var forward = new double[word.Length + 1];
            forward[0] = 1;
            for (int end = 1; end <= word.Length; end++)
            {
                for (int start = 0; start < end; start++)
                    forward[end] += scores.TryGetValue(word[start..end], out double score) ? forward[start] * Math.Exp(score) : 0;
            }

            Assert.True(forward[^1] > 0, string.Create(CultureInfo.InvariantCulture, $"'{word}' cannot be written"));
            sum += Math.Log(forward[^1]);
        }

        return sum;
    }
}
