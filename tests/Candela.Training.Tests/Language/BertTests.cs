using Candela.Formats;
using Candela.Training.Language;
using Candela.Training.Language.Reference;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Tests.Language;

[NoTensorLeaks]
public sealed class BertTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"candela-{Guid.NewGuid():N}");

    public void Dispose()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    public static TheoryData<string, BertHead> Cases()
    {
        var cases = new TheoryData<string, BertHead>();
        foreach (string family in new[] { "bert", "distilbert", "roberta" })
        {
            foreach (BertHead head in Enum.GetValues<BertHead>().Where(h => family == "bert" || h is not BertHead.PreTraining and not BertHead.NextSentence))
                cases.Add(family, head);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    [Trait("Kind", "conformance")]
    public void Scores_RandomModelWithPaddingAndSegments_EqualPlainDoublePrecisionTwin(string family, BertHead head)
    {
        BertConfig config = Config(family, head);
        using Bert bert = Make(config);
        var plain = new ReferenceBert(config, bert.Network.AllParameters().ToDictionary(p => p.Key, p => TensorMemory.Read(p.Value)));
        int[] ids = [2, 7, 9, 4, 11, 3, config.Padding, config.Padding];
        int[]? types = config.TokenTypes > 0 ? [0, 0, 0, 1, 1, 1, 0, 0] : null;
        double[][] hidden = plain.Hidden(ids, types, 6);
        using var scope = TensorScope.Begin();
        using IDisposable quiet = no_grad();
        Tensor mask = tensor(new long[] { 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1 }, [2, 8]);
        Tensor both = tensor([.. ids.Select(i => (long)i), .. Enumerable.Range(3, 8).Select(i => (long)i)], [2, 8]);
        Tensor? segments = types is null ? null : tensor([.. types.Select(t => (long)t), 0, 0, 0, 0, 0, 0, 0, 0], [2, 8]);
        Tensor states = bert.Network.Hidden(both, segments, mask);
        Close(hidden, TensorMemory.Read(states[0].narrow(0, 0, 6)));
        if (config.HasPooler)
            Close([plain.Pooled(hidden)], TensorMemory.Read(bert.Network.Pooled(states)[0]));
        if (head is BertHead.PreTraining or BertHead.MaskedLanguage)
            Close(plain.MaskedLogits(hidden), TensorMemory.Read(bert.Network.MaskedLogits(states)[0].narrow(0, 0, 6)));
        if (head == BertHead.SequenceClassification)
            Close([plain.LabelLogits(hidden)], TensorMemory.Read(bert.Network.LabelLogits(states)[0]));
        Tensor alone = bert.Network.call(both);
        Assert.Equal([2L, .. bert.Network.OutputShape([8]).ToLongs()], alone.shape);

        static void Close(double[][] expected, float[] actual) => CausalLmTests.AssertClose(expected, actual, 1e-4, "scores");
    }

    [Theory]
    [MemberData(nameof(Cases))]
    [Trait("Kind", "property")]
    public void SaveTo_ThenLoad_GivesTheSameWeightsAndHead(string family, BertHead head)
    {
        BertConfig config = Config(family, head);
        using Bert bert = Make(config);
        bert.SaveTo(_folder);
        Assert.Equal(config.Tensors().ToDictionary(t => t.Key, t => t.Shape.ToString()), bert.Network.AllParameters().ToDictionary(p => p.Key, p => $"[{string.Join(", ", p.Value.shape)}]"));
        using Bert loaded = Bert.Load(_folder);
        Assert.Equal(head, loaded.Config.Head);
        Assert.Equal(config.ContextLength, loaded.Config.ContextLength);
        Assert.Equal(Scores(bert), Scores(loaded));
    }

    [Fact]
    [Trait("Kind", "golden")]
    public void Load_FirstCheckpointsSpelling_GivesAnEncoderAndANewHead()
    {
        // bert-base-uncased: a pre-training checkpoint whose norms are called gamma and beta, with the output matrix repeated.
        using (Bert pre = Make(Config("bert", BertHead.PreTraining)))
        {
            pre.SaveTo(_folder);
            string path = Path.Combine(_folder, "model.safetensors");
            List<NamedTensor> tensors;
            using (SafetensorsFile file = Safetensors.Open(path))
                tensors = [.. file.Tensors.Select(t => file.Read(t.Name)).Select(t => t with { Name = t.Name.Replace("LayerNorm.weight", "LayerNorm.gamma").Replace("LayerNorm.bias", "LayerNorm.beta") })];
            tensors.Add(tensors.Single(t => t.Name.EndsWith("word_embeddings.weight", StringComparison.Ordinal)) with { Name = "cls.predictions.decoder.weight" });
            tensors.Add(new NamedTensor("bert.embeddings.position_ids", [1, 16], new float[16]));
            Safetensors.Write(path, tensors);
        }

        using Bert again = Bert.Load(_folder), bare = Bert.Load(_folder, BertHead.None, null, 1), tagger = Bert.Load(_folder, BertHead.TokenClassification, ["O", "B", "I"], 1);
        Assert.Empty(bare.NewTensors);
        Assert.Equal(["classifier.bias", "classifier.weight"], tagger.NewTensors.Order());
        using var scope = TensorScope.Begin();
        Tensor ids = arange(2, 9, ScalarType.Int64).view(1, 7);
        Assert.Equal(TensorMemory.Read(again.Network.Hidden(ids)), TensorMemory.Read(tagger.Network.Hidden(ids)));
        Assert.Equal([1L, 7, 3], tagger.Network.LabelLogits(tagger.Network.Hidden(ids)).shape);
        tagger.SaveTo(_folder);
        using Bert other = Bert.Load(_folder, BertHead.TokenClassification, ["O", "B", "I", "E"], 1), same = Bert.Load(_folder);
        Assert.Equal(2, other.NewTensors.Count);
        Assert.Equal(["O", "B", "I"], same.Config.Labels);
        Assert.Contains("causal language model", Assert.Throws<FileFormatException>(() => CausalLm.Load(_folder)).Message);
    }

    [Theory]
    [InlineData("bert", BertHead.MaskedLanguage)]
    [InlineData("bert", BertHead.SequenceClassification)]
    [InlineData("distilbert", BertHead.MaskedLanguage)]
    [InlineData("distilbert", BertHead.SequenceClassification)]
    [InlineData("roberta", BertHead.MaskedLanguage)]
    [InlineData("roberta", BertHead.SequenceClassification)]
    [Trait("Kind", "gradient")]
    public void Gradients_InDoublePrecision_EqualCentralDifferences(string family, BertHead head)
    {
        using Bert bert = Make(Config(family, head));
        bert.Network.to(ScalarType.Float64);
        using var scope = TensorScope.Begin();
        Tensor ids = tensor(new long[] { 2, 7, 9, 4, 3, 5, 8, 6 }, [2, 4]), mask = tensor(new long[] { 1, 1, 1, 0, 1, 1, 1, 1 }, [2, 4]);
        Loss().backward();
        var rng = new Rng(4);
        foreach (TrainableParameter parameter in TrainableParameter.Of(bert.Network))
        {
            Span<double> values = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, double>(parameter.Value.bytes);
            double[] gradient = parameter.Value.grad!.data<double>().ToArray();
            int i = rng.Next(values.Length);
            double kept = values[i];
            values[i] = kept + 1e-5;
            double up = Value();
            values[i] = kept - 1e-5;
            double down = Value();
            values[i] = kept;
            Assert.Equal((up - down) / 2e-5, gradient[i], 1e-6 * Math.Max(1, Math.Abs(gradient[i])));
        }

        double Value()
        {
            using var inner = TensorScope.Begin();
            using IDisposable quiet = no_grad();
            return Loss().item<double>();
        }

        Tensor Loss()
        {
            Tensor hidden = bert.Network.Hidden(ids, null, mask), scores = head == BertHead.MaskedLanguage ? bert.Network.MaskedLogits(hidden) : bert.Network.LabelLogits(hidden);
            return scores.square().mean();
        }
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Network_WrongInputsOrHead_IsRefused()
    {
        using Bert bert = Make(Config("bert", BertHead.MaskedLanguage));
        using var scope = TensorScope.Begin();
        Assert.Throws<ShapeException>(() => bert.Network.Hidden(full([1, 3], 20, ScalarType.Int64)));
        Assert.Throws<ShapeException>(() => bert.Network.Hidden(zeros([1, 17], ScalarType.Int64)));
        Assert.Throws<ShapeException>(() => bert.Network.Hidden(zeros([1, 3], ScalarType.Int64), full([1, 3], 2, ScalarType.Int64)));
        Assert.Throws<ShapeException>(() => bert.Network.Hidden(zeros([1, 3], ScalarType.Int64), null, ones([1, 2])));
        Assert.Throws<UsageException>(() => bert.Network.LabelLogits(zeros([1, 3, 12])));
        Assert.Throws<UsageException>(() => bert.Network.Pooled(zeros([1, 3, 12])));
        Assert.Throws<UsageException>(() => Make(Config("roberta", BertHead.NextSentence)));
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void MaskedTokens_ManyDraws_HaveTheAuthorsShares()
    {
        var rng = new Rng(3);
        int[] ids = [.. Enumerable.Repeat(0, 20_000).Select((_, i) => i % 50 == 0 ? 1 : 10 + rng.Next(990))];
        MaskedTokens masked = MaskedTokens.Make(ids, id => id < 5, 4, 1000, rng);
        int[] chosen = [.. Enumerable.Range(0, ids.Length).Where(i => masked.Labels[i] != MaskedTokens.Ignored)];
        Assert.All(chosen, i => Assert.Equal(ids[i], masked.Labels[i]));
        Assert.All(Enumerable.Range(0, ids.Length).Except(chosen), i => Assert.Equal(ids[i], masked.Ids[i]));
        Assert.All(chosen, i => Assert.True(ids[i] >= 5));
        double count = chosen.Length; // three deviations of a binomial each
        Assert.InRange(count / 19_600, 0.15 - 0.0077, 0.15 + 0.0077);
        Assert.InRange(chosen.Count(i => masked.Ids[i] == 4) / count, 0.8 - 0.023, 0.8 + 0.023);
        Assert.InRange(chosen.Count(i => masked.Ids[i] != 4 && masked.Ids[i] != ids[i]) / count, 0.1 - 0.018, 0.1 + 0.018);
        Assert.InRange(chosen.Count(i => masked.Ids[i] == ids[i]) / count, 0.1 - 0.018, 0.1 + 0.018);
        Assert.Single(MaskedTokens.Make([1, 30, 1], id => id < 5, 4, 1000, rng).Labels, l => l == 30); // a short text gives one at least
        Assert.Throws<UsageException>(() => MaskedTokens.Make(ids, id => false, 1000, 1000, rng));
    }

    [Fact]
    [Trait("Kind", "property")]
    public void SentencePairs_TwoDocuments_FollowOrComeFromTheOther()
    {
        int[][][] documents = [.. Enumerable.Range(0, 20).Select(d => Enumerable.Range(0, 30).Select(s => new[] { (d * 1000) + (s * 3), (d * 1000) + (s * 3) + 1, (d * 1000) + (s * 3) + 2 }).ToArray())];
        List<SentencePair> pairs = [.. SentencePair.Make(documents, 16, 5)];
        Assert.InRange(pairs.Count, 100, 400);
        Assert.All(pairs, p => Assert.True(p.First.Length + p.Second.Length <= 16 && p.First.Length > 0 && p.Second.Length > 0));
        Assert.All(pairs, p => Assert.Equal(p.Follows, p.First[0] / 1000 == p.Second[0] / 1000));
        Assert.All(pairs.Where(p => p.Follows), p => Assert.InRange(p.Second[0] - p.First[^1], 1, 10)); // cut at the end of the longer one
        Assert.InRange(pairs.Count(p => p.Follows) / (double)pairs.Count, 0.35, 0.65);
        Assert.Equal(pairs.Select(p => p.First[0]), SentencePair.Make(documents, 16, 5).Select(p => p.First[0]));
    }

    private static BertConfig Config(string family, BertHead head) => new()
    {
        ModelType = family,
        VocabularySize = 20,
        ContextLength = 16,
        Width = 12,
        HiddenWidth = 20,
        Layers = 2,
        Heads = 3,
        TokenTypes = family == "distilbert" ? 0 : 2,
        PadId = family == "roberta" ? 1 : 0,
        NormEpsilon = 1e-6,
        InitializerRange = 0.3,
        Head = head,
        Labels = ["a", "b", "c"],
    };

    private static Bert Make(BertConfig config)
    {
        Bert bert = Bert.Create(config, 6);
        var rng = new Rng(11);
        foreach (KeyValuePair<string, TorchSharp.Modules.Parameter> parameter in bert.Network.AllParameters().Where(p => p.Value.dim() == 1))
        {
            foreach (ref float value in TensorMemory.Singles(parameter.Value))
                value += (float)(0.3 * rng.NextGaussian());
        }

        return bert;
    }

    private static float[] Scores(Bert bert)
    {
        using var scope = TensorScope.Begin();
        return TensorMemory.Read(bert.Network.call(arange(2, 12, ScalarType.Int64).view(2, 5)));
    }
}
