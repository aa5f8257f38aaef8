using System.Diagnostics;
using System.Globalization;
using Candela.Data;
using Candela.Language;
using Candela.Models;
using Candela.Tokenization;
using Candela.Training;
using Candela.Training.Language;
using Candela.Training.Tasks;
using static TorchSharp.torch;

namespace Candela.Benchmarks;

/// <summary>The same training twice, from equal weights and over the same batches: this library's loop, cancelled and resumed half-way, and a plain TorchSharp loop. Both are evaluated on the whole
/// validation part (the last tenth of the text) after equal steps.</summary>
internal static class LanguageCurve
{
    private const int Evaluations = 12, Threads = 2;
    private const double Peak = 1e-3;

    /// <param name="minutes">About how long this library trains; the plain loop takes its own time beside.</param>
    /// <param name="file">A text, read letter by letter.</param>
    public static int Run(double minutes, string file)
    {
        LibTorch.Load();
        LibTorch.SetThreads(Threads);
        string text = File.ReadAllText(file), work = Directory.CreateTempSubdirectory("candela-curve-").FullName;
        try
        {
            int cut = text.Length * 9 / 10;
            Tokenizer tokenizer = TokenizerTrainer.Characters([text[..cut]], new CharacterTrainingOptions { SpecialTokens = ["<unk>"], UnknownToken = "<unk>" });
            using TokenStore train = Store(Path.Combine(work, "train"), tokenizer, text[..cut]), valid = Store(Path.Combine(work, "valid"), tokenizer, text[cut..]);
            Compare(minutes, tokenizer.VocabularySize, train, valid, Directory.CreateDirectory(Path.Combine(work, "checkpoints")).FullName);
            return 0;
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private static void Compare(double minutes, int vocabulary, TokenStore train, TokenStore valid, string checkpoints)
    {
        using CausalLm model = CausalLm.Create(LanguageNets.Small(vocabulary), 1);
        using var plain = new PlainGpt(vocabulary);
        plain.Load(TrainableParameter.Of(model.Network).ToDictionary(p => p.Key, p => TensorMemory.Read(p.Value)));
        var validBlocks = new TokenBlocks(valid, LanguageNets.Block);
        using var trainable = new CausalTrainable(model.Network, LanguageNets.Batch, 1);
        long steps = Steps(minutes, trainable, train);
        long every = Math.Max(1, steps / Evaluations);
        var plan = new TrainingPlan
        {
            MaxSteps = every * Evaluations,
            Epochs = int.MaxValue,
            BatchSize = LanguageNets.Batch,
            Threads = Threads,
            Seed = 1,
            Optimizer = new AdamOptions { Decoupled = true, L2 = 0.1, Beta2 = 0.99 },
            LearningRate = Peak,
            EndLearningRate = Peak / 10,
            Schedule = "warmup+cosine",
            WarmupSteps = Math.Min(100, every),
            ClipNorm = 1,
            KeepBest = false,
        };
        var blocks = new TokenBlocks(train, LanguageNets.Block, every * LanguageNets.Batch);
        using var peer = new Peer(plain, blocks, plan, every * Evaluations);
        Console.WriteLine($"{plan.MaxSteps} steps of {LanguageNets.Batch} x {LanguageNets.Block} tokens; validation part {valid.Length} tokens; a GPT-2 of {model.Config.ParameterCount} parameters");
        Console.WriteLine("| step | plain, validation loss | Candela | difference | plain, s with evaluation | Candela, s with evaluation |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- |");
        using var half = new CancellationTokenSource();
        var watch = Stopwatch.StartNew();
        var listener = new Listener(ended =>
        {
            watch.Stop();
            double mine = watch.Elapsed.TotalSeconds;
            long start = Stopwatch.GetTimestamp();
            peer.Follow(ended.Epoch, every);
            double loss = peer.Evaluate(validBlocks), theirs = Stopwatch.GetElapsedTime(start).TotalSeconds;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {ended.Steps} | {loss:F4} | {ended.ValidLoss:F4} | {ended.ValidLoss - loss:+0.0000;-0.0000;0.0000} | {theirs:F0} | {mine:F0} |"));
            if (ended.Epoch == (Evaluations / 2) - 1)
                half.Cancel();
            watch.Restart();
        });
        TrainingSession Session(CancellationToken cancellation) => new() { Events = listener, CheckpointFolder = checkpoints, CheckpointEvery = TimeSpan.FromHours(1), Cancellation = cancellation };
        try
        {
            TrainingLoop.Run(trainable, blocks, validBlocks, plan, Session(half.Token));
        }
        catch (OperationCanceledException)
        {
            Console.WriteLine("| cancelled; resumed from the saved state | | | | | |");
            new Rng(3).Shuffle(trainable.Parameters); // what is in memory must not matter
            TrainingLoop.Run(trainable, blocks, validBlocks, plan, Session(CancellationToken.None));
        }
    }

    // As many as fit, by the time of a few; the weights are put back.
    private static long Steps(double minutes, CausalTrainable trainable, TokenStore train)
    {
        float[] weights = trainable.Parameters.ToArray();
        var blocks = new TokenBlocks(train, LanguageNets.Block, LanguageNets.Batch);
        TokenBatch batch = blocks.Batches(new BatchPlan(LanguageNets.Batch) { ShuffleSeed = 1 }).First();
        trainable.Differentiate(batch, 0, accumulate: false, gradientScale: 1);
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < 3; i++)
            trainable.Differentiate(batch, 0, accumulate: false, gradientScale: 1);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds / 3;
        weights.CopyTo(trainable.Parameters);
        return Math.Max(Evaluations, (long)(minutes * 60 / seconds));
    }

    private static TokenStore Store(string path, Tokenizer tokenizer, string text)
    {
        using (var writer = new TokenStore.Writer(path))
            writer.Add(tokenizer.Encode(text, addSpecialTokens: false));
        return TokenStore.Open(path);
    }

    private sealed class Listener(Action<EpochEnded> ended) : IProgress<TrainEvent>
    {
        public void Report(TrainEvent value)
        {
            if (value is EpochEnded epoch)
                ended(epoch);
        }
    }

    /// <summary>The plain loop.</summary>
    private sealed class Peer : IDisposable
    {
        private readonly PlainGpt _net;
        private readonly TokenBlocks _blocks;
        private readonly TrainingPlan _plan;
        private readonly Schedule _schedule;
        private readonly TorchSharp.Modules.AdamW _adam;
        private long _step;

        public Peer(PlainGpt net, TokenBlocks blocks, TrainingPlan plan, long steps)
        {
            (_net, _blocks, _plan, _schedule) = (net, blocks, plan, plan.CreateSchedule(steps));
            TorchSharp.Modules.Parameter[] all = [.. net.parameters()];
            _adam = new TorchSharp.Modules.AdamW(
            [
                new TorchSharp.Modules.AdamW.ParamGroup(all.Where(p => p.dim() > 1), Peak, 0.9, 0.99, 1e-8, 0.1),
                new TorchSharp.Modules.AdamW.ParamGroup(all.Where(p => p.dim() < 2), Peak, 0.9, 0.99, 1e-8, 0),
            ], Peak, 0.9, 0.99, 1e-8, 0.1);
        }

        /// <summary>Trains on the batches of an epoch.</summary>
        public void Follow(int epoch, long steps)
        {
            _net.train();
            foreach (TokenBatch batch in _blocks.Batches(new BatchPlan(_plan.BatchSize) { ShuffleSeed = _plan.Seed, Epoch = epoch }).Take((int)steps))
            {
                using var scope = NewDisposeScope();
                foreach (var group in _adam.ParamGroups)
                    group.LearningRate = _schedule.RateAt(_step);
                _step++;
                _adam.zero_grad();
                Loss(batch, nn.Reduction.Mean).backward();
                nn.utils.clip_grad_norm_(_net.parameters(), 1);
                _adam.step();
            }
        }

        public double Evaluate(TokenBlocks blocks)
        {
            _net.eval();
            using IDisposable quiet = no_grad();
            double sum = 0;
            long tokens = 0;
            foreach (TokenBatch batch in blocks.Batches(new BatchPlan(_plan.BatchSize)))
            {
                using var scope = NewDisposeScope();
                sum += Loss(batch, nn.Reduction.Sum).item<float>();
                tokens += batch.Learned;
            }

            return sum / tokens;
        }

        public void Dispose() => _adam.Dispose();

        private Tensor Loss(TokenBatch batch, nn.Reduction reduction)
        {
            int tokens = batch.Count * batch.Length;
            Tensor x = tensor(batch.Inputs.AsMemory(0, tokens), [batch.Count, batch.Length], ScalarType.Int64), y = tensor(batch.Targets.AsMemory(0, tokens), [tokens], ScalarType.Int64);
            Tensor logits = _net.call(x);
            return nn.functional.cross_entropy(logits.view(tokens, -1), y, reduction: reduction);
        }
    }
}
