using System.Text.Json;
using Candela.Data;
using Candela.Evaluation;
using Candela.Experiments;
using Candela.Language;
using Candela.Models;
using Candela.Runs;
using Candela.Templates;
using Candela.Tokenization;
using Candela.Training.Language;
using Candela.Training.Tasks;
using static TorchSharp.torch;

namespace Candela.Training.Tests.Tasks;

/// <summary>Direct preference optimisation: its loss and gradient, and runs of the task.</summary>
public sealed class PreferenceTaskTests : IDisposable
{
    private static readonly Tokenizer Letters = TokenizerTrainer.Characters(["abcdefghijklmnopqrstuvwxyz :\n<>?!."], new CharacterTrainingOptions { SpecialTokens = ["<unk>", "<|endoftext|>"], UnknownToken = "<unk>" });
    private static readonly IReadOnlyList<ISequenceTask> Tasks = [new PreferenceTask()];
    private readonly string _folder = Directory.CreateTempSubdirectory("candela-dpo-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory, Trait("Kind", "analytic")]
    [InlineData(0)]
    [InlineData(0.2)]
    public void Differentiate_TwoPairs_HasTheLossAndGradientOfTheFormula(double smoothing)
    {
        const double Beta = 0.3;
        PreferencePair[] pairs = [new("ab", "cde", "f"), new("g", "h", "ijk!")];
        using CausalLm model = Model();
        var tokens = new PreferenceTokens(pairs, Letters, 16) { References = [-3, 1.5] };
        using var trainable = new PreferenceTrainable(model.Network, Beta, smoothing, 2);
        PreferenceBatch batch = tokens.Batches(new BatchPlan(2)).Single();
        BatchLoss loss = trainable.Differentiate(batch, 0, accumulate: false, gradientScale: 1);
        float[] gradient = trainable.Gradients.ToArray();

        // By hand: log p(answer) token by token from the logits in double precision; d loss / d log p(chosen) = -beta ((1 - e) sigmoid(-beta m) - e sigmoid(beta m)) / pairs, the opposite for the other
        // answer, and the gradient of log p(answer) from the language model's own loss of that sequence.
        double expected = 0;
        var byHand = new double[gradient.Length];
        double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
        for (int i = 0; i < pairs.Length; i++)
        {
            double scaled = Beta * (LogProbability(model, tokens.Chosen[i]) - LogProbability(model, tokens.Rejected[i]) - tokens.References[i]);
            expected -= (((1 - smoothing) * Math.Log(Sigmoid(scaled))) + (smoothing * Math.Log(Sigmoid(-scaled)))) / pairs.Length;
            double slope = -Beta * (((1 - smoothing) * Sigmoid(-scaled)) - (smoothing * Sigmoid(scaled))) / pairs.Length;
            Add(byHand, model, tokens.Chosen[i], slope);
            Add(byHand, model, tokens.Rejected[i], -slope);
        }

        Assert.Equal(expected, loss.Mean, 1e-5);
        Assert.Equal(2, loss.Weight);
        Assert.Equal(expected, trainable.Evaluate(tokens).Loss, 1e-5);
        double most = byHand.Max(Math.Abs);
        Assert.True(most > 1e-3);
        for (int i = 0; i < gradient.Length; i++)
            Assert.Equal(byHand[i], gradient[i], 1e-4 * most);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Differentiate_UnchangedModelThatWasTrainedWithDropout_HasLossLn2()
    {
        // Nothing differs from the reference yet: -log sigmoid(0).
        using CausalLm model = CausalLm.Create(new Gpt2Config { VocabularySize = Letters.VocabularySize, ContextLength = 16, Width = 16, Layers = 1, Heads = 2, ResidualDropout = 0.5, EmbeddingDropout = 0.5, AttentionDropout = 0.5 }, 1, Letters);
        var tokens = new PreferenceTokens([new("ab", "cde", "f"), new("g", "h", "ijk!")], Letters, 16);
        tokens.References = PreferenceTrainable.Likelihoods(model.Network, tokens, 2, CPU, TestContext.Current.CancellationToken).Margins;
        using var trainable = new PreferenceTrainable(model.Network, 0.5, 0, 2);
        Assert.Equal(Math.Log(2), trainable.Differentiate(tokens.Batches(new BatchPlan(2)).Single(), 0, accumulate: false, gradientScale: 1).Mean, 1e-6);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Batches_OnlyAnswersAreTargets_AndLongPromptsLoseTheirBeginning()
    {
        var whole = new PreferenceTokens([new PreferencePair("abc", "de", "f")], Letters, 16);
        Assert.Equal(0, whole.Shortened);
        PreferenceBatch batch = whole.Batches(new BatchPlan(1)).Single();
        Assert.Equal(["abcde", "abcf<"], Text(batch.Inputs, batch.Length));
        Assert.Equal(["__de|", "__f|_"], Text(batch.Targets, batch.Length));
        var cut = new PreferenceTokens([new PreferencePair("abcdefgh", "xyz", "y")], Letters, 6);
        Assert.Equal(1, cut.Shortened);
        Assert.Equal(["ghxyz", "ghy<<"], Text(cut.Batches(new BatchPlan(1)).Single().Inputs, 5)); // an id that is masked stands behind the end
        var tight = new PreferenceTokens([new PreferencePair("ab", "vwxyz", "y")], Letters, 4);
        Assert.Equal(["bvw", "by<"], Text(tight.Batches(new BatchPlan(1)).Single().Inputs, 3));
        Assert.Equal(["vwx", "y|_"], Text(tight.Batches(new BatchPlan(1)).Single().Targets, 3));
        var chat = new PreferenceTokens([new PreferencePair([new ChatMessage("user", "a"), new ChatMessage("assistant", "b"), new ChatMessage("user", "c")], "d", "e")], Letters, 80);
        Assert.Equal("user: a\nassistant: b\nuser: c\nassistant: d\n|", string.Concat(chat.Chosen[0].Ids.Select(i => Letter(i))));
        Assert.Equal(3, chat.Chosen[0].Answer);
    }

    [Fact, Trait("Kind", "conformance")]
    public void Train_PrefersAWord_MarginsGrowAndTheModelSaysIt()
    {
        RunRecord record = Train(Request(), "run");
        Assert.Equal(TaskKind.Preference, record.Problem.Task);
        Assert.Equal(new Dictionary<string, long> { ["train"] = 48, ["valid"] = 6, ["test"] = 6 }, record.Rows);
        SplitEvaluation test = record.Metrics["test"];
        Assert.Equal(["accuracy", "margin", "loss", "chosenReward", "rejectedReward"], test.Metrics.Keys);
        Assert.Equal(1, test.Metrics["accuracy"].Value);
        Assert.Equal(Math.Pow(0.025, 1.0 / 6), test.Metrics["accuracy"].Low, 9);
        Assert.True(test.Metrics["margin"].Low > 0.1, $"{test.Metrics["margin"]}");
        Assert.True(test.Metrics["loss"].High < Math.Log(2));
        Assert.Equal(test.Metrics["margin"].Value, test.Metrics["chosenReward"].Value - test.Metrics["rejectedReward"].Value, 1e-9);
        Assert.True(record.History[^1].ValidLoss < record.History[0].ValidLoss);
        Assert.Equal(["llama", "base, whole answers", "longer answer"], record.Candidates.Select(c => c.Model));
        Assert.Equal(0.5, record.Candidates[2].Test!["accuracy"].Value); // answers of one length
        Assert.Equal(3, record.Samples.Count);

        using (ISequencePredictor opened = SequenceExperiment.Open(At("run"), Tasks)!)
        {
            SplitEvaluation again = opened.Evaluate(At("prefs.jsonl"), new Progress<TrainEvent>(), TestContext.Current.CancellationToken);
            Assert.Equal(60, again.Rows);
            Assert.Equal(1, again.Metrics["accuracy"].Value);
            Assert.All(opened.Predict(At("prefs.jsonl"), new Progress<TrainEvent>(), TestContext.Current.CancellationToken), p => Assert.StartsWith("chosen\t", p.Text));
        }

        Directory.Move(At("base"), At("moved"));
        using ISequencePredictor orphan = SequenceExperiment.Open(At("run"), Tasks)!;
        Assert.Contains("the base of", Assert.Throws<FileFormatException>(() => orphan.Evaluate(At("prefs.jsonl"), new Progress<TrainEvent>(), TestContext.Current.CancellationToken)).Message);
    }

    [Theory, Trait("Kind", "conformance")]
    [InlineData(null)]
    [InlineData(2)]
    public void Train_CancelledAndResumed_GivesTheSameWeights(int? rank)
    {
        TrainRequest request = Request();
        request = request with { Sequence = request.Sequence with { LoraRank = rank } };
        RunRecord whole = Train(request, "whole");
        using var source = new CancellationTokenSource();
        var options = new ExperimentOptions { CheckpointEvery = TimeSpan.Zero, Events = new Listener(e => { if (e is StepEnded { Step: 7 }) source.Cancel(); }) };
        Assert.Throws<OperationCanceledException>(() => SequenceExperiment.Train(request, At("cut"), Tasks, options, source.Token));
        Assert.True(new RunFolder(At("cut")).IsInterrupted);
        RunRecord resumed = Train(request, "cut", new ExperimentOptions { Resume = true });

        Assert.Equal(File.ReadAllBytes(new RunFolder(At("whole")).Model), File.ReadAllBytes(new RunFolder(At("cut")).Model));
        Assert.Equal(whole.Metrics["test"].Metrics, resumed.Metrics["test"].Metrics);
        Assert.Equal(rank is not null, Directory.Exists(At("whole/adapter")));
        Assert.NotEqual(File.ReadAllBytes(At("base/model.safetensors")), File.ReadAllBytes(new RunFolder(At("whole")).Model));
    }

    [Fact, Trait("Kind", "fault")]
    public void Train_OptionsOfOtherTasks_AreWarnedOf()
    {
        TrainRequest request = Request() with { Fit = Request().Fit with { Epochs = null, MaxSteps = 1 } };
        RunRecord record = Train(request with { Sequence = request.Sequence with { Beams = 3, Precision = "bf16" } }, "run");
        Assert.Equal(["--precision", "--beams"], record.Warnings.Where(w => w.Code == "option-ignored").Select(w => w.Message.Split(' ')[0]));
        Assert.False(record.Chosen.ContainsKey("epochs"));
    }

    [Theory, Trait("Kind", "fault")]
    [InlineData("model", "llama", "--model llama is not used")]
    [InlineData("beta", "0", "--beta 0")]
    [InlineData("label-smoothing", "0.5", "--label-smoothing 0.5")]
    [InlineData("hidden", "4", "--hidden is not used")]
    [InlineData("layers", "4", "--layers is not used")]
    [InlineData("lora-alpha", "4", "--lora-rank")]
    [InlineData("block", "99", "--block 99")]
    [InlineData("valid", "0.95", "leave nothing to train on")]
    [InlineData("optimizer", "lbfgs", "--optimizer lbfgs")]
    public void Train_OptionsThatCannotBe_AreRefusedByName(string key, string value, string expected)
    {
        TrainRequest request = Recipe.Set(Request(), key, [value]);
        Assert.Contains(expected, Assert.Throws<UsageException>(() => Train(request, "run")).Message);
        Assert.False(Directory.Exists(At("run")));
        Assert.Contains("--base", Assert.Throws<UsageException>(() => Train(request with { Sequence = new SequenceOptions() }, "run")).Message);
    }

    private string At(string name) => Path.Combine(_folder, name);

    // Answers with "yes" are preferred to those with "not", to prompts the base has no opinion on.
    private TrainRequest Request()
    {
        File.WriteAllLines(At("prefs.jsonl"), Enumerable.Range(0, 60).Select(i => JsonSerializer.Serialize(new { prompt = $"{(char)('a' + (i % 26))}{(char)('a' + (i / 26))}? ", chosen = "yes", rejected = "not" })));
        if (!Directory.Exists(At("base")))
            using (CausalLm model = Model())
                model.SaveTo(At("base"));
        return new TrainRequest
        {
            Data = At("prefs.jsonl"),
            Task = SequenceTasks.Preference,
            Fit = new FitOptions { Epochs = 2, BatchSize = 8, Seed = 2, Threads = 1, LearningRate = 5e-3 },
            Sequence = new SequenceOptions { Base = At("base") },
        };
    }

    private RunRecord Train(TrainRequest request, string run, ExperimentOptions? options = null) => SequenceExperiment.Train(request, At(run), Tasks, options, TestContext.Current.CancellationToken);

    private static CausalLm Model() => CausalLm.Create(new LlamaConfig { VocabularySize = Letters.VocabularySize, ContextLength = 32, Width = 16, HiddenWidth = 32, Layers = 1, Heads = 2, EosIds = [Letters.EosId!.Value] }, 1, Letters);

    private static double LogProbability(CausalLm model, AnswerTokens answer)
    {
        using var scope = TensorScope.Begin();
        using IDisposable quiet = no_grad();
        float[] logits = TensorMemory.Read(model.Logits(tensor(answer.Ids.Select(i => (long)i).ToArray()).unsqueeze(0)));
        double sum = 0;
        int width = model.VocabularySize;
        for (int t = answer.AnswerStart; t < answer.Ids.Length; t++)
        {
            double[] row = [.. logits.AsSpan((t - 1) * width, width).ToArray().Select(x => (double)x)];
            double most = row.Max();
            sum += row[answer.Ids[t]] - most - Math.Log(row.Sum(x => Math.Exp(x - most)));
        }

        return sum;
    }

    // Adds factor x the gradient of log p(answer), which is minus that of the summed cross-entropy.
    private static void Add(double[] into, CausalLm model, AnswerTokens answer, double factor)
    {
        using var trainable = new CausalTrainable(model.Network, 1, 0);
        var batch = new TokenBatch { Count = 1, Length = answer.Ids.Length - 1, Inputs = [.. answer.Ids.SkipLast(1).Select(i => (long)i)], Targets = [.. answer.Ids.Skip(1).Select((id, t) => t + 1 >= answer.AnswerStart ? (long)id : TokenBatch.Ignored)], Learned = answer.Answer };
        trainable.Differentiate(batch, 0, accumulate: false, gradientScale: 1);
        for (int i = 0; i < into.Length; i++)
            into[i] -= factor * answer.Answer * trainable.Gradients[i];
    }

    private static string[] Text(long[] ids, int length) => [.. ids.Chunk(length).Select(row => string.Concat(row.Select(Letter)))];

    private static string Letter(long id) => id == TokenBatch.Ignored ? "_" : id == Letters.EosId ? "|" : id == 0 ? "<" : Letters.TokenOf((int)id)!;

    private static string Letter(int id) => Letter((long)id);

    private sealed class Listener(Action<TrainEvent> heard) : IProgress<TrainEvent>
    {
        public void Report(TrainEvent value) => heard(value);
    }
}
