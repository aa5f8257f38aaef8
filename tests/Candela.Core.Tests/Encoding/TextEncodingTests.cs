using Candela.Data;

namespace Candela.Tests.Data;

public class TextEncodingTests
{
    private static readonly Problem Regression = new(TaskKind.Regression, "y", []);

    [Theory, Trait("Kind", "golden")]
    [InlineData("The movie isn't BAD!", "the|movie|isn't|bad|!")]
    [InlineData("well-made, 2nd rate?!", "well|made|2nd|rate|?|!")]
    [InlineData("don’t 'quote' it's'", "don't|quote|it's")]
    [InlineData("味道很好，送餐快！", "味|道|很|好|送|餐|快|!")]
    [InlineData("用iPhone13点餐", "用|iphone13|点|餐")]
    [InlineData("Crème brûlée Straße ΑΒΓ", "crème|brûlée|straße|αβγ")]
    [InlineData("ＡＢＣ１２ \U0001F600 ok", "abc12|\U0001F600|ok")]
    [InlineData("カレー と 국밥", "カ|レ|ー|と|국|밥")]
    [InlineData("", "")]
    public void Read_Text_IsCutIntoUnits(string text, string expected)
    {
        var units = new TextUnits();
        units.Read(text);
        List<string> found = [];
        foreach (TextUnit unit in units.Units)
            found.Add(units.Text(unit).ToString());
        Assert.Equal(expected, string.Join('|', found));
    }

    [Fact, Trait("Kind", "fault")]
    public void Read_LoneSurrogates_AreLeftOut()
    {
        var units = new TextUnits();
        units.Read("\uD800broken\uDC00 end\uD83D");
        Assert.Equal(2, units.Count);
        Assert.Equal("broken", units.Text(units.Units[0]).ToString());
    }

    [Fact, Trait("Kind", "analytic")]
    public void Encode_Ngrams_AreTfIdfOfAnIndependentCount()
    {
        string[] texts = ["good good film", "bad film !", "not a good film", "味道好 味道", "film", ""];
        using Table table = Table(texts);
        FeatureEncoder encoder = Fit(table, new FeatureRequest(FeatureStyle.Scaled));
        Assert.Equal(1 << 18, encoder.Layout.SparseWidth);
        var batch = new FeatureBatch();
        encoder.Encode(table.ReadChunk(0), batch, true);

        // Written out by hand: words with pairs; signs with pairs and triples of one run. Then the first and last 3 to 5 letters of each word.
        string[][] grams =
        [
            ["good", "good", "film", "good good", "good film"], ["bad", "film", "!", "bad film", "film !"], ["not", "a", "good", "film", "not a", "a good", "good film"],
            ["味", "道", "好", "味", "道", "味道", "道好", "味道好", "味道"], ["film"], [],
        ];
        for (int row = 0; row < grams.Length; row++)
            grams[row] = [.. grams[row], .. grams[row].Where(g => char.IsAsciiLetter(g[0]) && !g.Contains(' ')).SelectMany(w => Enumerable.Range(3, 3).Where(n => n <= w.Length).SelectMany(n => new[] { "<" + w[..n], w[^n..] + ">" }))];
        for (int row = 0; row < texts.Length; row++)
        {
            // scikit-learn's TfidfVectorizer(sublinear_tf=True): (1 + ln tf) (ln((1 + n) / (1 + df)) + 1), then norm 1.
            double[] weights = [.. grams[row].GroupBy(g => g).Select(g => (1 + Math.Log(g.Count())) * (Math.Log(7.0 / (1 + grams.Count(other => other.Contains(g.Key)))) + 1))];
            double norm = Math.Sqrt(weights.Sum(w => w * w));
            double[] expected = [.. weights.Select(w => w / norm).Order()];
            double[] actual = [.. batch.SparseValues[batch.SparseStarts[row]..batch.SparseStarts[row + 1]].Select(v => (double)v).Order()];
            Assert.Equal(expected.Length, actual.Length);
            Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
        }

        Assert.All(Enumerable.Range(0, texts.Length), row =>
        {
            int[] indices = batch.SparseIndices[batch.SparseStarts[row]..batch.SparseStarts[row + 1]];
            Assert.Equal(indices.Order().Distinct(), indices);
        });
    }

    [Fact, Trait("Kind", "golden")]
    public void Encode_NgramBuckets_NeverMoveBetweenVersions()
    {
        // Saved models depend on the hash. The buckets of "good", "film", "good film" and their affixes come from a Python transcription of FNV-1a, SplitMix64's finaliser and the pairing.
        using Table table = Table(["good film"]);
        var batch = new FeatureBatch();
        Fit(table, new FeatureRequest(FeatureStyle.Scaled)).Encode(table.ReadChunk(0), batch, true);
        Assert.Equal([72493, 75052, 81727, 86887, 92217, 103869, 171658, 189536, 211867, 238686, 260138], batch.SparseIndices.AsSpan(0, 11).ToArray());
    }

    [Fact, Trait("Kind", "analytic")]
    public void Encode_UnseenNgrams_AreLeftOut()
    {
        using Table table = Table(["good film", "bad film"]);
        FeatureEncoder encoder = Fit(table, new FeatureRequest(FeatureStyle.Scaled));
        var batch = new FeatureBatch();
        encoder.Encode(new SmallTables().Texts("t", ["film unheard", "unheard of", null]).Chunk(), batch, false);
        Assert.Equal([0, 5, 5, 5], batch.SparseStarts.AsSpan(0, 4).ToArray()); // film, <fil, <film, ilm>, film>: in both training rows, so of one weight
        Assert.Equal(1 / Math.Sqrt(5), batch.SparseValues[0], 1e-6);
    }

    [Fact, Trait("Kind", "golden")]
    public void Encode_Tokens_AreIdsByFrequencyPaddedAndCut()
    {
        // Frequencies: film 4, good 3, bad 1. Lengths 2, 3, 1, 2: the 95th percentile is 2.85, so 3.
        using Table table = Table(["good film", "good good film", "film", "bad film"]);
        FeatureEncoder encoder = Fit(table, new FeatureRequest(FeatureStyle.Scaled) { TextAsTokens = true, TextAsNgrams = false });
        Assert.Equal((3, 5, 0), (encoder.Layout.TokenLength, encoder.Layout.TokenVocabulary, encoder.Layout.SparseWidth));
        var batch = new FeatureBatch { Tokens = Enumerable.Repeat(9, 12).ToArray() };
        encoder.Encode(new SmallTables().Texts("t", ["Film, bad", "a good film indeed", null, "film"]).Chunk(), batch, false);
        Assert.Equal([2, 4, 0, 1, 3, 2, 0, 0, 0, 2, 0, 0], batch.Tokens.AsSpan(0, 12).ToArray());
    }

    [Fact, Trait("Kind", "analytic")]
    public void Encode_TwoTextColumns_KeepTheirWordsApartAndAddUp()
    {
        using Table table = new SmallTables().Texts("a", ["red", "blue"]).Texts("b", ["blue", "red"]).Numbers("x", [1, 3]).Numbers("y", [0, 1]).Table();
        var encoder = FeatureEncoder.Fit(table, TableSplit.Whole(table, Part.Train), Regression, ["a", "x", "b"], new FeatureRequest(FeatureStyle.Scaled) { TextAsTokens = true });
        var batch = new FeatureBatch();
        encoder.Encode(table.ReadChunk(0), batch, true);
        Assert.Equal(["x"], encoder.Layout.DenseNames);
        Assert.Equal([1], encoder.Layout.DenseSources);
        Assert.Equal([0, 8, 16], batch.SparseStarts.AsSpan(0, 3).ToArray()); // red has 2 affixes, blue 4
        Assert.Equal(16, batch.SparseIndices.AsSpan(0, 16).ToArray().Distinct().Count());
        Assert.Equal([2, 3, 3, 2], batch.Tokens.AsSpan(0, 4).ToArray().Select(id => id == batch.Tokens[0] ? 2 : 3));
    }

    private static Table Table(string[] texts) => new SmallTables().Texts("t", texts).Numbers("y", texts.Select((_, i) => (float)i)).Table();

    private static FeatureEncoder Fit(Table table, FeatureRequest request) => FeatureEncoder.Fit(table, TableSplit.Whole(table, Part.Train), Regression, ["t"], request);
}
