using System.Diagnostics;
using System.Globalization;
using Candela.Language;
using Candela.Training;
using Candela.Training.Language;
using Candela.Training.Tasks;
using static TorchSharp.torch;

namespace Candela.Benchmarks;

/// <summary>Training of a GPT-2 of 6 layers, 6 heads and 384 numbers per token on blocks of 256, 12 at a time, no dropout: this library's loop against a plain TorchSharp one with
/// <c>scaled_dot_product_attention</c>, its own layers and AdamW. Pairs run in turn; memory is the peak of each in a process of its own above libtorch alone.</summary>
internal static class LanguageBenchmark
{
    private const int Layers = 6, Heads = 6, Width = 384, Block = 256, Batch = 12, Vocabulary = 65, Threads = 2, Pairs = 5, MemorySteps = 4;

    public static int Run(int steps)
    {
        LibTorch.Load();
        LibTorch.SetThreads(Threads);
        using var ours = new Ours();
        using var plain = new Plain();
        ours.Step(1);
        plain.Step(1);
        var ratios = new double[Pairs];
        double[] fast = new double[Pairs], slow = new double[Pairs];
        for (int pair = 0; pair < Pairs; pair++)
        {
            slow[pair] = Tokens(plain.Step, steps);
            fast[pair] = Tokens(ours.Step, steps);
            ratios[pair] = fast[pair] / slow[pair];
        }

        Array.Sort(ratios);
        double baseline = Child("libtorch"), theirs = Child("plain") - baseline, mine = Child("ours") - baseline;
        Console.WriteLine("| GPT-2 6x384, block 256, batch 12, 2 threads | plain TorchSharp | Candela | ratio | range |");
        Console.WriteLine("| --- | --- | --- | --- | --- |");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| tokens/s, medians of {Pairs} pairs of {steps} steps | {slow.Order().ElementAt(Pairs / 2):F0} | {fast.Order().ElementAt(Pairs / 2):F0} | {ratios[Pairs / 2]:F3} | {ratios[0]:F3} .. {ratios[^1]:F3} |"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| peak memory above libtorch ({baseline / 1e6:F0} MB), MB | {theirs / 1e6:F0} | {mine / 1e6:F0} | {mine / theirs:F3} | |"));
        return 0;
    }

    /// <summary>One side alone; prints its peak resident bytes.</summary>
    public static int Side(string side)
    {
        LibTorch.Load();
        LibTorch.SetThreads(Threads);
        using (NewDisposeScope())
            _ = Ops.MatMul(ones(8, 8), ones(8, 8));
        if (side == "ours")
        {
            using var ours = new Ours();
            ours.Step(MemorySteps);
        }
        else if (side == "plain")
        {
            using var plain = new Plain();
            plain.Step(MemorySteps);
        }

        using var self = Process.GetCurrentProcess();
        Console.WriteLine(self.PeakWorkingSet64);
        return 0;
    }

    private static double Child(string side)
    {
        using Process child = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["language-child", side]) { RedirectStandardOutput = true })!;
        string text = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return double.Parse(text, CultureInfo.InvariantCulture);
    }

    private static double Tokens(Action<int> work, int steps)
    {
        long start = Stopwatch.GetTimestamp();
        work(steps);
        return steps * (double)Batch * Block / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static long[] Ids(int count)
    {
        var rng = new Rng(1);
        return [.. Enumerable.Range(0, count).Select(_ => (long)rng.Next(Vocabulary))];
    }

    private sealed class Ours : IDisposable
    {
        private readonly CausalLm _model = CausalLm.Create(new Gpt2Config
        {
            VocabularySize = Vocabulary,
            ContextLength = Block,
            Width = Width,
            Layers = Layers,
            Heads = Heads,
            EmbeddingDropout = 0,
            ResidualDropout = 0,
            AttentionDropout = 0,
        }, 1);
        private readonly CausalTrainable _trainable;
        private readonly TokenBlocks _blocks;
        private readonly TokenStore _store;
        private readonly string _path = Path.Combine(Path.GetTempPath(), $"candela-{Guid.NewGuid():n}.tokens");

        public Ours()
        {
            using (var writer = new TokenStore.Writer(_path))
                writer.Add([.. Ids((Batch * 8 * Block) + 1).Select(id => (int)id)]);
            _store = TokenStore.Open(_path);
            _blocks = new TokenBlocks(_store, Block, Batch * 8);
            _trainable = new CausalTrainable(_model.Network, Batch, 1);
        }

        public void Step(int steps) => TrainingLoop.Run(_trainable, _blocks, null, new TrainingPlan
        {
            MaxSteps = steps,
            Epochs = int.MaxValue,
            BatchSize = Batch,
            Threads = Threads,
            Optimizer = OptimizerOptions.Of("adamw"),
            LearningRate = 1e-3,
        }, new TrainingSession());

        public void Dispose()
        {
            _trainable.Dispose();
            _model.Dispose();
            _store.Dispose();
            File.Delete(_path);
        }
    }

    private sealed class Plain : IDisposable
    {
        private readonly PlainGpt _net = new();
        private readonly optim.Optimizer _adam;
        private readonly long[] _ids = Ids((Batch * 8 * Block) + 1);
        private int _next;

        public Plain() => _adam = optim.AdamW(_net.parameters(), 1e-3);

        public void Step(int steps)
        {
            for (int i = 0; i < steps; i++)
            {
                using var scope = NewDisposeScope();
                int at = _next++ % 8 * Batch * Block;
                Tensor x = tensor(_ids.AsMemory(at, Batch * Block), [Batch, Block], ScalarType.Int64), y = tensor(_ids.AsMemory(at + 1, Batch * Block), [Batch * Block], ScalarType.Int64);
                _adam.zero_grad();
                Tensor loss = nn.functional.cross_entropy(_net.call(x).view(-1, Vocabulary), y);
                loss.backward();
                _adam.step();
                _ = loss.item<float>();
            }
        }

        public void Dispose()
        {
            _adam.Dispose();
            _net.Dispose();
        }
    }

    /// <summary>As one writes it with TorchSharp's own layers; weights tied as GPT-2's.</summary>
    private sealed class PlainGpt : nn.Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Embedding _wte = nn.Embedding(Vocabulary, Width), _wpe = nn.Embedding(Block, Width);
        private readonly TorchSharp.Modules.ModuleList<PlainBlock> _blocks = nn.ModuleList(Enumerable.Range(0, Layers).Select(_ => new PlainBlock()).ToArray());
        private readonly TorchSharp.Modules.LayerNorm _norm = nn.LayerNorm(Width);

        public PlainGpt() : base("gpt") => RegisterComponents();

        public override Tensor forward(Tensor ids)
        {
            using var scope = NewDisposeScope();
            Tensor x = _wte.call(ids) + _wpe.call(arange(ids.size(1)));
            foreach (PlainBlock block in _blocks)
                x = block.call(x);
            return nn.functional.linear(_norm.call(x), _wte.weight!).MoveToOuterDisposeScope();
        }
    }

    private sealed class PlainBlock : nn.Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.LayerNorm _ln1 = nn.LayerNorm(Width), _ln2 = nn.LayerNorm(Width);
        private readonly TorchSharp.Modules.Linear _qkv = nn.Linear(Width, 3 * Width), _output = nn.Linear(Width, Width), _up = nn.Linear(Width, 4 * Width), _down = nn.Linear(4 * Width, Width);

        public PlainBlock() : base("block") => RegisterComponents();

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            long b = x.size(0), t = x.size(1);
            Tensor[] parts = _qkv.call(_ln1.call(x)).chunk(3, -1);
            Tensor[] heads = [.. parts.Select(p => p.view(b, t, Heads, Width / Heads).transpose(1, 2))];
            Tensor mixed = nn.functional.scaled_dot_product_attention(heads[0], heads[1], heads[2], is_casual: true).transpose(1, 2).reshape(b, t, Width);
            x = x + _output.call(mixed);
            return (x + _down.call(_up.call(_ln2.call(x)).gelu(TorchSharp.Modules.GELU.Approximate.tanh))).MoveToOuterDisposeScope();
        }
    }
}
