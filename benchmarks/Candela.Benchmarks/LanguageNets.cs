using Candela.Data;
using Candela.Language;
using Candela.Training;
using Candela.Training.Language;
using Candela.Training.Language.Adapters;
using Candela.Training.Tasks;
using static TorchSharp.torch;

namespace Candela.Benchmarks;

/// <summary>The nets of the language benchmarks: a GPT-2 of 6 layers, 6 heads and 384 numbers per token on blocks of 256, 12 at a time, no dropout, and a Llama of 110 million parameters.</summary>
internal static class LanguageNets
{
    public const int Layers = 6, Heads = 6, Width = 384, Block = 256, Batch = 12, LargeBatch = 4;

    public static Gpt2Config Small(int vocabulary) => new()
    {
        VocabularySize = vocabulary,
        ContextLength = Block,
        Width = Width,
        Layers = Layers,
        Heads = Heads,
        EmbeddingDropout = 0,
        ResidualDropout = 0,
        AttentionDropout = 0,
    };

    /// <summary>109.5 million parameters.</summary>
    public static LlamaConfig Large { get; } = new() { VocabularySize = 32_000, ContextLength = Block, Width = 768, HiddenWidth = 2048, Layers = 12, Heads = 12, TiedEmbeddings = true };

    /// <summary>Random ids: enough for eight batches.</summary>
    public static long[] Ids(int count, int vocabulary)
    {
        var rng = new Rng(1);
        return [.. Enumerable.Range(0, count).Select(_ => (long)rng.Next(vocabulary))];
    }
}

/// <summary>Something that trains on random tokens.</summary>
internal interface ILanguageSide : IDisposable
{
    int TokensPerStep { get; }

    void Step(int steps);
}

/// <summary>This library's loop: one run on a thread of its own, which is let go on by some steps at a time.</summary>
internal sealed class CandelaSide : ILanguageSide
{
    private readonly CausalLm _model;
    private readonly LoraAdapter? _adapter;
    private readonly CausalTrainable _trainable;
    private readonly TokenStore _store;
    private readonly Gate _gate;
    private readonly Thread _thread;
    private readonly int _batch;
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"candela-{Guid.NewGuid():n}.tokens");

    public CandelaSide(CausalLmConfig config, int batch, bool lora = false)
    {
        _batch = batch;
        _model = CausalLm.Create(config, 1);
        _adapter = lora ? LoraAdapter.Attach(_model, new LoraOptions { Rank = 8 }, 1) : null;
        using (var writer = new TokenStore.Writer(_path))
            writer.Add([.. LanguageNets.Ids((batch * 8 * LanguageNets.Block) + 1, config.VocabularySize).Select(id => (int)id)]);
        _store = TokenStore.Open(_path);
        _gate = new Gate(new TokenBlocks(_store, LanguageNets.Block, (long)batch * 1_000_000));
        _trainable = new CausalTrainable(_model.Network, batch, 1);
        int threads = get_num_threads();
        _thread = new Thread(() => Train(threads)) { IsBackground = true };
        _thread.Start();
    }

    public int TokensPerStep => _batch * LanguageNets.Block;

    public void Step(int steps) => _gate.Pass(steps);

    public void Dispose()
    {
        _gate.Close();
        _thread.Join();
        _trainable.Dispose();
        _adapter?.Dispose();
        _model.Dispose();
        _store.Dispose();
        _gate.Dispose();
        File.Delete(_path);
    }

    private void Train(int threads)
    {
        try
        {
            LibTorch.SetThreads(threads);
            TrainingLoop.Run(_trainable, _gate, null, new TrainingPlan
            {
                Epochs = int.MaxValue,
                BatchSize = _batch,
                Threads = threads,
                Optimizer = OptimizerOptions.Of("adamw"),
                LearningRate = 1e-3,
            }, new TrainingSession());
        }
        catch (OperationCanceledException)
        {
            // the gate was closed
        }
    }

    /// <summary>Batches that come when they are let through.</summary>
    private sealed class Gate(TokenBlocks blocks) : IBatchSource<TokenBatch>, IDisposable
    {
        private readonly SemaphoreSlim _open = new(0), _done = new(0);
        private int _left;
        private volatile bool _closed;

        public long Count => blocks.Count;

        /// <summary>Lets steps through and waits until they are made.</summary>
        public void Pass(int steps)
        {
            _left = steps;
            _open.Release();
            _done.Wait();
        }

        public void Close()
        {
            _closed = true;
            _open.Release();
        }

        public IEnumerable<TokenBatch> Batches(BatchPlan plan)
        {
            foreach (TokenBatch batch in blocks.Batches(plan))
            {
                if (_left == 0)
                    Wait();
                _left--;
                yield return batch;
                if (_left == 0)
                    _done.Release();
            }
        }

        public void Dispose()
        {
            _open.Dispose();
            _done.Dispose();
        }

        private void Wait()
        {
            _open.Wait();
            if (_closed)
                throw new OperationCanceledException();
        }
    }
}

/// <summary>A plain TorchSharp loop: its layers, its fused attention, its AdamW; temporaries are freed by scopes, gradients set to none.</summary>
internal sealed class PlainSide : ILanguageSide
{
    private const int Vocabulary = 65;
    private readonly PlainGpt _net = new(Vocabulary);
    private readonly optim.Optimizer _adam;
    private readonly long[] _ids = LanguageNets.Ids((LanguageNets.Batch * 8 * LanguageNets.Block) + 1, Vocabulary);
    private int _next;

    public PlainSide() => _adam = optim.AdamW(_net.parameters(), 1e-3);

    public int TokensPerStep => LanguageNets.Batch * LanguageNets.Block;

    public void Step(int steps)
    {
        const int B = LanguageNets.Batch, T = LanguageNets.Block;
        for (int i = 0; i < steps; i++)
        {
            using var scope = NewDisposeScope();
            int at = _next++ % 8 * B * T;
            Tensor x = tensor(_ids.AsMemory(at, B * T), [B, T], ScalarType.Int64), y = tensor(_ids.AsMemory(at + 1, B * T), [B * T], ScalarType.Int64);
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
internal sealed class PlainGpt : nn.Module<Tensor, Tensor>
{
    private readonly TorchSharp.Modules.Embedding _wte, _wpe = nn.Embedding(LanguageNets.Block, LanguageNets.Width);
    private readonly TorchSharp.Modules.ModuleList<PlainBlock> _blocks = nn.ModuleList(Enumerable.Range(0, LanguageNets.Layers).Select(_ => new PlainBlock()).ToArray());
    private readonly TorchSharp.Modules.LayerNorm _norm = nn.LayerNorm(LanguageNets.Width);

    public PlainGpt(int vocabulary) : base("gpt")
    {
        _wte = nn.Embedding(vocabulary, LanguageNets.Width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor ids)
    {
        using var scope = NewDisposeScope();
        Tensor x = _wte.call(ids) + _wpe.call(arange(ids.size(1)));
        foreach (PlainBlock block in _blocks)
            x = block.call(x);
        return nn.functional.linear(_norm.call(x), _wte.weight!).MoveToOuterDisposeScope();
    }

    /// <summary>Takes the weights of a <see cref="Gpt2Model"/>.</summary>
    public void Load(IReadOnlyDictionary<string, float[]> weights)
    {
        using IDisposable quiet = no_grad();
        Put(_wte.weight!, "transformer.wte.weight", false);
        Put(_wpe.weight!, "transformer.wpe.weight", false);
        PutNorm(_norm, "transformer.ln_f");
        int i = 0;
        foreach (PlainBlock block in _blocks)
        {
            string name = $"transformer.h.{i++}.";
            PutNorm(block.Ln1, $"{name}ln_1");
            PutNorm(block.Ln2, $"{name}ln_2");
            PutLinear(block.Qkv, $"{name}attn.c_attn");
            PutLinear(block.Output, $"{name}attn.c_proj");
            PutLinear(block.Up, $"{name}mlp.c_fc");
            PutLinear(block.Down, $"{name}mlp.c_proj");
        }

        void Put(Tensor to, string key, bool turned)
        {
            using var scope = NewDisposeScope();
            Tensor value = tensor(weights[key]);
            to.copy_(turned ? value.view(to.size(1), to.size(0)).t() : value.view(to.shape));
        }

        void PutNorm(TorchSharp.Modules.LayerNorm norm, string key)
        {
            Put(norm.weight!, $"{key}.weight", false);
            Put(norm.bias!, $"{key}.bias", false);
        }

        void PutLinear(TorchSharp.Modules.Linear linear, string key)
        {
            Put(linear.weight!, $"{key}.weight", true);
            Put(linear.bias!, $"{key}.bias", false);
        }
    }
}

/// <summary>Attention and feed-forward half, norms before each.</summary>
internal sealed class PlainBlock : nn.Module<Tensor, Tensor>
{
    private const int Width = LanguageNets.Width;

    public PlainBlock() : base("block")
    {
        (Ln1, Ln2) = (nn.LayerNorm(Width), nn.LayerNorm(Width));
        (Qkv, Output, Up, Down) = (nn.Linear(Width, 3 * Width), nn.Linear(Width, Width), nn.Linear(Width, 4 * Width), nn.Linear(4 * Width, Width));
        foreach ((string name, nn.Module<Tensor, Tensor> module) in new (string, nn.Module<Tensor, Tensor>)[] { ("ln1", Ln1), ("ln2", Ln2), ("qkv", Qkv), ("output", Output), ("up", Up), ("down", Down) })
            register_module(name, module);
    }

    public TorchSharp.Modules.LayerNorm Ln1 { get; }

    public TorchSharp.Modules.LayerNorm Ln2 { get; }

    public TorchSharp.Modules.Linear Qkv { get; }

    public TorchSharp.Modules.Linear Output { get; }

    public TorchSharp.Modules.Linear Up { get; }

    public TorchSharp.Modules.Linear Down { get; }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        long b = x.size(0), t = x.size(1);
        Tensor[] parts = Qkv.call(Ln1.call(x)).chunk(3, -1);
        Tensor[] heads = [.. parts.Select(p => p.view(b, t, LanguageNets.Heads, Width / LanguageNets.Heads).transpose(1, 2))];
        Tensor mixed = nn.functional.scaled_dot_product_attention(heads[0], heads[1], heads[2], is_casual: true).transpose(1, 2).reshape(b, t, Width);
        x = x + Output.call(mixed);
        return (x + Down.call(Up.call(Ln2.call(x)).gelu(TorchSharp.Modules.GELU.Approximate.tanh))).MoveToOuterDisposeScope();
    }
}
