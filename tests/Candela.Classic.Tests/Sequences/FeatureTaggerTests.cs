using Candela.Classic.Sequences;
using Candela.Language;
using Candela.Metrics;
using CsCheck;

namespace Candela.Tests.Sequences;

public class FeatureTaggerTests
{
    /// <summary>Every sequence of up to five tokens and three tags is scored; the best one's score is Viterbi's.</summary>
    [Fact, Trait("Kind", "conformance")]
    public void Viterbi_TinyChains_FindsTheBestOfAllSequences()
    {
        Gen.Int[1, 3].SelectMany(tags => Gen.Int[1, 5].SelectMany(length =>
            Gen.Select(Gen.Double[-2, 2].Array[length * tags], Gen.Double[-2, 2].Array[(tags + 1) * tags]).Select((e, t) => (tags, length, e, t)))).Sample(chain =>
        {
            var (tags, length, emission, transition) = chain;
            double Score(IReadOnlyList<int> sequence) => Enumerable.Range(0, length)
                .Sum(i => emission[(i * tags) + sequence[i]] + transition[((i == 0 ? tags : sequence[i - 1]) * tags) + sequence[i]]);

            int[] best = Viterbi.Best(emission, transition, tags);

            Assert.Equal(Sequences(length, tags).Max(Score), Score(best), 12);
        }, iter: 300);
    }

    /// <summary>Three sentences: the objective is the sum over all tag sequences, enumerated.</summary>
    [Fact, Trait("Kind", "conformance")]
    public void Objective_TinyModel_IsTheEnumeratedLikelihood()
    {
        var (objective, examples, shape) = Tiny(l2: 0.7);
        double[] w = Weights(objective.Length);

        double expected = 0.7 / 2 * w.Sum(x => x * x);
        foreach (ChainSentence example in examples)
        {
            var emission = new double[example.Tags.Length * shape.Tags];
            shape.Score(example.Features, w, emission);
            double Score(IReadOnlyList<int> s) => Enumerable.Range(0, s.Count)
                .Sum(i => emission[(i * shape.Tags) + s[i]] + w[shape.PairTags.Length + ((i == 0 ? shape.Tags : s[i - 1]) * shape.Tags) + s[i]]);
            expected += Math.Log(Sequences(example.Tags.Length, shape.Tags).Sum(s => Math.Exp(Score(s)))) - Score(example.Tags);
        }

        Assert.Equal(expected, objective.Evaluate(w, new double[w.Length]), 10);
    }

    [Fact, Trait("Kind", "gradient")]
    public void Objective_Gradient_IsThatOfFiniteDifferences()
    {
        const double Step = 1e-5;
        var (objective, _, _) = Tiny(l2: 0.7);
        double[] w = Weights(objective.Length), gradient = new double[w.Length], unused = new double[w.Length];
        objective.Evaluate(w, gradient);

        for (int i = 0; i < w.Length; i++)
        {
            double there = w[i];
            w[i] = there + Step;
            double up = objective.Evaluate(w, unused);
            w[i] = there - Step;
            double down = objective.Evaluate(w, unused);
            w[i] = there;
            Assert.Equal((up - down) / (2 * Step), gradient[i], 6);
        }
    }

    /// <summary>With scores in the hundreds the plain sums would overflow; the scaled ones do not.</summary>
    [Fact, Trait("Kind", "analytic")]
    public void Objective_LargeScores_StaysFinite()
    {
        var (objective, _, _) = Tiny(l2: 1e-9);
        double[] w = Array.ConvertAll(Weights(objective.Length), x => 300 * x), gradient = new double[w.Length];

        Assert.True(double.IsFinite(objective.Evaluate(w, gradient)));
        Assert.All(gradient, g => Assert.True(double.IsFinite(g)));
    }

    /// <summary>A tag that depends only on the tag before (x alternates A and B) is learned from transitions; one that depends on a suffix is carried over to new words.</summary>
    [Fact, Trait("Kind", "analytic")]
    public void Train_RulesOfContextAndSuffix_AreLearned()
    {
        var rng = new Rng(5);
        TaggedSentence[] sentences = [.. Enumerable.Range(0, 60).Select(_ => Sentence(rng, vocabulary: 0))];

        FeatureTagger tagger = FeatureTagger.Train(sentences, cancellation: TestContext.Current.CancellationToken);

        Assert.Equal(TokenTemplates.Words, tagger.Templates);
        Assert.Equal(["A", "B", "ING"], tagger.Tags);
        for (int i = 0; i < 20; i++)
        {
            TaggedSentence unseen = Sentence(rng, vocabulary: 100);
            Assert.Equal(unseen.Tags, tagger.Tag(unseen.Tokens));
        }
    }

    [Fact, Trait("Kind", "analytic")]
    public void Train_Characters_FindsSpans()
    {
        string[] places = ["上海", "北京", "广州"], others = ["我去", "他来", "你在", "从那到"];
        var rng = new Rng(8);
        TaggedSentence Made()
        {
            string before = others[rng.Next(others.Length)], place = places[rng.Next(places.Length)];
            return new TaggedSentence([.. (before + place + "玩").Select(c => c.ToString())], [.. before.Select(_ => "O"), "B-LOC", "I-LOC", "O"]);
        }

        FeatureTagger tagger = FeatureTagger.Train([.. Enumerable.Range(0, 40).Select(_ => Made())], cancellation: TestContext.Current.CancellationToken);

        Assert.Equal(TokenTemplates.Characters, tagger.Templates);
        Assert.Equal([new TaggedSpan("LOC", 2, 2)], SpanTags.Read(tagger.Tag(["他", "去", "北", "京"])));
    }

    [Fact, Trait("Kind", "property")]
    public void SaveOpen_SameTags_AndTrainingRepeats()
    {
        string folder = Path.Combine(Path.GetTempPath(), "candela-test-" + Guid.NewGuid().ToString("N"));
        try
        {
            var rng = new Rng(6);
            TaggedSentence[] sentences = [.. Enumerable.Range(0, 30).Select(_ => Sentence(rng, 0)), new TaggedSentence(["😀ing", "a😀"], ["ING", "A"])];
            FeatureTagger tagger = FeatureTagger.Train(sentences, cancellation: TestContext.Current.CancellationToken), again = FeatureTagger.Train(sentences, cancellation: TestContext.Current.CancellationToken);
            tagger.Save(folder);
            FeatureTagger opened = FeatureTagger.Open(folder);
            again.Save(Path.Combine(folder, "again"));

            Assert.Equal(tagger.ParameterCount, opened.ParameterCount);
            Assert.Equal(tagger.Tags, opened.Tags);
            foreach (TaggedSentence sentence in sentences.Append(Sentence(rng, 50)))
                Assert.Equal(tagger.Tag(sentence.Tokens), opened.Tag(sentence.Tokens));
            Assert.Equal(File.ReadAllBytes(Path.Combine(folder, "model.safetensors")), File.ReadAllBytes(Path.Combine(folder, "again", "model.safetensors")));
            opened.Save(Path.Combine(folder, "again"));
            Assert.Equal(File.ReadAllBytes(Path.Combine(folder, "model.safetensors")), File.ReadAllBytes(Path.Combine(folder, "again", "model.safetensors")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory, Trait("Kind", "fault")]
    [InlineData("\"candela-feature-tagger\"", "\"llama\"", Fault.WrongFormat)]
    [InlineData("\"format_version\": 1", "\"format_version\": 2", Fault.Unsupported)]
    [InlineData("\"words\"", "\"sentences\"", Fault.Corrupt)]
    [InlineData("\"ING\"", "\"ING\", \"X\"", Fault.Corrupt)]
    public void Open_ChangedConfig_IsRefused(string from, string to, Fault fault)
    {
        string folder = Path.Combine(Path.GetTempPath(), "candela-test-" + Guid.NewGuid().ToString("N"));
        try
        {
            FeatureTagger.Train([Sentence(new Rng(1), 0)], new FeatureTaggerOptions { MaxIterations = 2 }, TestContext.Current.CancellationToken).Save(folder);
            string config = Path.Combine(folder, "config.json"), text = File.ReadAllText(config);
            Assert.Contains(from, text, StringComparison.Ordinal);
            File.WriteAllText(config, text.Replace(from, to, StringComparison.Ordinal));

            Assert.Equal(fault, Assert.Throws<FileFormatException>(() => FeatureTagger.Open(folder)).Fault);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact, Trait("Kind", "fault")]
    public void Train_NothingOrBadOption_IsRefused()
    {
        TaggedSentence one = new(["a"], ["X"]);
        Assert.Throws<DataException>(() => FeatureTagger.Train([new TaggedSentence([], [])], cancellation: TestContext.Current.CancellationToken));
        Assert.Throws<UsageException>(() => FeatureTagger.Train([one], new FeatureTaggerOptions { L2 = 0 }, TestContext.Current.CancellationToken));
        Assert.Throws<UsageException>(() => FeatureTagger.Train([one], new FeatureTaggerOptions { MinimumCount = 0 }, TestContext.Current.CancellationToken));
        Assert.Throws<DataException>(() => new TaggedSentence(["a"], []));
    }

    [Fact, Trait("Kind", "analytic")]
    public void Tag_OddSentences_GetATagPerToken()
    {
        FeatureTagger tagger = FeatureTagger.Train([new TaggedSentence(["a"], ["X"])], new FeatureTaggerOptions { MinimumCount = 2 }, TestContext.Current.CancellationToken);

        Assert.Empty(tagger.Tag([]));
        Assert.Equal(["X", "X", "X"], tagger.Tag(["a", "", new string('é', 600)]));
    }

    // Words "x<number>" alternate A and B, starting with A; a word ending in "ing" comes between and does not count.
    private static TaggedSentence Sentence(Rng rng, int vocabulary)
    {
        var (tokens, tags) = (new List<string>(), new List<string>());
        for (int i = 0; i < 8; i++)
        {
            if (rng.Next(4) == 0)
            {
                tokens.Add($"{(char)('b' + rng.Next(20))}{(char)('b' + rng.Next(20))}ing");
                tags.Add("ING");
                break;
            }

            tokens.Add($"x{vocabulary + rng.Next(30)}");
            tags.Add(i % 2 == 0 ? "A" : "B");
        }

        return new TaggedSentence(tokens, tags);
    }

    private static IEnumerable<int[]> Sequences(int length, int tags)
    {
        for (int n = 0; n < (int)Math.Pow(tags, length); n++)
            yield return [.. Enumerable.Range(0, length).Select(i => n / (int)Math.Pow(tags, i) % tags)];
    }

    private static (ChainObjective Objective, ChainSentence[] Examples, ChainShape Shape) Tiny(double l2)
    {
        ChainSentence[] examples = [new([[0, 1], [2], [0, 2]], [0, 2, 1]), new([[1]], [1]), new([[2, 3], [], [0], [1, 3]], [2, 2, 0, 1])];
        var shape = new ChainShape([0, 3, 5, 6, 8], [0, 1, 2, 0, 1, 2, 1, 2], 3);
        return (new ChainObjective(examples, shape, l2), examples, shape);
    }

    private static double[] Weights(int count)
    {
        var rng = new Rng(2);
        return [.. Enumerable.Range(0, count).Select(_ => rng.NextGaussian())];
    }
}
