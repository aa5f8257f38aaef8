using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Candela.Inference.Cache;
using Candela.Inference.Kernels;
using Candela.Inference.Threads;
using Candela.Inference.Weights;

namespace Candela.Inference.Models;

/// <summary>One token to be read: of which sequence, where, and whether the logits after it are wanted.</summary>
internal readonly record struct Step(CacheState Cache, int Token, int Position, bool WantsLogits);

/// <summary>Computes a decoder of the Llama family for some tokens at once, of one sequence or of several.</summary>
/// <remarks>All workers go through the same stages; a stage's pieces (strips of a matrix, tokens, heads) are shared out as they come. Nothing is allocated per token but pages of the cache.</remarks>
internal sealed unsafe class Decoder : IDisposable
{
    /// <summary>Tokens of one computation at the most.</summary>
    public const int MostSteps = 256;

    private const int StagesPerLayer = 9, OtherStages = 8;
    private const long PieceBytes = 96 << 10;

    private readonly ModelShape _shape;
    private readonly DecoderWeights _weights;
    private readonly Crew _crew;
    private readonly Activations _wide, _headed, _hidden;
    private readonly int _qWidth, _kvWidth, _hiddenWidth, _vocabularyWidth, _scratch;
    private readonly float* _x, _normed, _q, _k, _v, _heads, _update, _gate, _up, _work, _cosines, _sines;
    private readonly List<nint> _memory = [];
    private readonly Step[] _steps = new Step[MostSteps];
    private readonly (int First, int Count)[] _tiles = new (int, int)[MostSteps];
    private readonly int[] _wanted = new int[MostSteps];
    private readonly float[] _norms;
    private readonly Action<Crew.Worker> _work0;
    private int _count, _tileCount, _wantedCount;
    private float* _logits;
    private nint _logitsStride;

    public Decoder(ModelShape shape, DecoderWeights weights, int threads)
    {
        (_shape, _weights) = (shape, weights);
        _crew = new Crew(threads, (shape.Layers * StagesPerLayer) + OtherStages);
        (_qWidth, _kvWidth, _hiddenWidth, _vocabularyWidth) = (Padded(shape.Heads * shape.HeadWidth), Padded(shape.Groups * shape.HeadWidth), Padded(shape.Hidden), Padded(shape.Vocabulary));
        int width = Padded(shape.Width);
        _x = Room(MostSteps * (long)width);
        _normed = Room(MostSteps * (long)width);
        _update = Room(MostSteps * (long)width);
        _q = Room(MostSteps * (long)_qWidth);
        _heads = Room(MostSteps * (long)_qWidth);
        _k = Room(MostSteps * (long)_kvWidth);
        _v = Room(MostSteps * (long)_kvWidth);
        _gate = Room(MostSteps * (long)_hiddenWidth);
        _up = Room(MostSteps * (long)_hiddenWidth);
        _scratch = Padded(Math.Max(Attention.Scratch(shape.HeadsPerGroup, shape.HeadWidth), _hiddenWidth));
        _work = Room(threads * (long)_scratch);
        int pairs = shape.Frequencies.Length;
        _cosines = Room(MostSteps * (long)pairs);
        _sines = Room(MostSteps * (long)pairs);
        _wide = new Activations(MostSteps, shape.Width / Activations.Group * Activations.Group);
        _headed = new Activations(MostSteps, shape.Heads * shape.HeadWidth / Activations.Group * Activations.Group);
        _hidden = new Activations(MostSteps, shape.Hidden / Activations.Group * Activations.Group);
        _norms = weights.Norm;
        _work0 = Work;
    }

    /// <summary>Sequences' own room in the cache.</summary>
    public CacheState NewCache() => new(_shape.Layers, _shape.Groups, _shape.HeadWidth);

    /// <summary>Reads tokens. Steps of one sequence are in order of position and beside each other; their caches have been grown for them.</summary>
    /// <param name="steps">1 to <see cref="MostSteps"/>.</param>
    /// <param name="logits">For each step that wants them, in order, the vocabulary's logits.</param>
    public void Run(ReadOnlySpan<Step> steps, Span<float> logits)
    {
        steps.CopyTo(_steps);
        (_count, _tileCount, _wantedCount) = (steps.Length, 0, 0);
        for (int i = 0; i < steps.Length; i++)
        {
            if (i > 0 && steps[i].Cache == steps[i - 1].Cache && _tiles[_tileCount - 1].Count < Attention.Tile)
                _tiles[_tileCount - 1].Count++;
            else
                _tiles[_tileCount++] = (i, 1);
            if (steps[i].WantsLogits)
                _wanted[_wantedCount++] = i;
        }

        fixed (float* into = logits)
        {
            // Whole strips are written, so a vocabulary that is no multiple of eight goes through a buffer of its own.
            bool direct = _vocabularyWidth == _shape.Vocabulary;
            float* buffer = direct ? into : (float*)NativeMemory.Alloc((nuint)(Math.Max(1, _wantedCount) * (long)_vocabularyWidth * sizeof(float)));
            _logits = buffer;
            _logitsStride = _vocabularyWidth;
            try
            {
                _crew.Run(_work0);
                for (int w = 0; !direct && w < _wantedCount; w++)
                    new Span<float>(buffer + (w * _logitsStride), _shape.Vocabulary).CopyTo(logits[(w * _shape.Vocabulary)..]);
            }
            finally
            {
                if (!direct)
                    NativeMemory.Free(buffer);
            }
        }
    }

    public void Dispose()
    {
        _crew.Dispose();
        _wide.Dispose();
        _headed.Dispose();
        _hidden.Dispose();
        foreach (nint memory in _memory)
            NativeMemory.AlignedFree((void*)memory);
        _memory.Clear();
    }

    private static int Padded(int length) => (length + 7) / 8 * 8;

    private float* Room(long singles)
    {
        void* memory = NativeMemory.AlignedAlloc((nuint)Math.Max(1, singles) * sizeof(float), 64);
        _memory.Add((nint)memory);
        return (float*)memory;
    }

    private void Work(Crew.Worker worker)
    {
        int width = Padded(_shape.Width);
        for (int t; (t = worker.Take(_count)) >= 0;)
        {
            _weights.Embedding.Row(_steps[t].Token, new Span<float>(_x + (t * (nint)width), _shape.Width));
            Angles(t);
        }

        worker.Meet();
        for (int l = 0; l < _shape.Layers; l++)
            Layer(worker, l, _weights.Layers[l]);
        for (int w; (w = worker.Take(_wantedCount)) >= 0;)
        {
            int t = _wanted[w];
            AddUpdate(t, _weights.Layers[^1].Down.Bias);
            // Wanted steps are moved together; the w-th never lies behind the one it comes from.
            Normalize(_x + (t * (nint)width), _norms, w, _weights.Output.TakesQuants);
        }

        worker.Meet();
        Multiply(worker, new Inputs((nint)_normed, width, _wide), _wantedCount, [new Product(_weights.Output, _logits, _logitsStride)]);
        worker.Meet();
    }

    private void Layer(Crew.Worker worker, int l, LayerWeights layer)
    {
        int width = Padded(_shape.Width);
        var wide = new Inputs((nint)_normed, width, _wide);
        for (int t; (t = worker.Take(_count)) >= 0;)
        {
            if (l > 0)
                AddUpdate(t, _weights.Layers[l - 1].Down.Bias);
            Normalize(_x + (t * (nint)width), layer.AttentionNorm, t, layer.Query.Matrix.TakesQuants || layer.Key.Matrix.TakesQuants || layer.Value.Matrix.TakesQuants);
        }

        worker.Meet();
        Multiply(worker, wide, _count, [new Product(layer.Query.Matrix, _q, _qWidth), new Product(layer.Key.Matrix, _k, _kvWidth), new Product(layer.Value.Matrix, _v, _kvWidth)]);
        worker.Meet();
        for (int t; (t = worker.Take(_count)) >= 0;)
            Position(t, l, layer);
        worker.Meet();
        int window = _shape.Window > 0 && l >= _shape.FirstWindowLayer ? _shape.Window : 0;
        for (int piece; (piece = worker.Take(_tileCount * _shape.Groups)) >= 0;)
        {
            (int tile, int count) = _tiles[piece / _shape.Groups];
            int group = piece % _shape.Groups, at = group * _shape.HeadsPerGroup * _shape.HeadWidth;
            Attention.Run(_steps[tile].Cache, l, group, _steps[tile].Position, count, window, _q + (tile * (nint)_qWidth) + at, _qWidth, _shape.HeadsPerGroup, _shape.HeadWidth,
                _heads + (tile * (nint)_qWidth) + at, _qWidth, _work + (worker.Index * (nint)_scratch));
        }

        worker.Meet();
        if (layer.Output.Matrix.TakesQuants)
        {
            for (int t; (t = worker.Take(_count)) >= 0;)
                _headed.Quantize(t, new ReadOnlySpan<float>(_heads + (t * (nint)_qWidth), _shape.Heads * _shape.HeadWidth));
        }

        worker.Meet();
        Multiply(worker, new Inputs((nint)_heads, _qWidth, _headed), _count, [new Product(layer.Output.Matrix, _update, width)]);
        worker.Meet();
        for (int t; (t = worker.Take(_count)) >= 0;)
        {
            AddUpdate(t, layer.Output.Bias);
            Normalize(_x + (t * (nint)width), layer.HiddenNorm, t, layer.Gate.Matrix.TakesQuants || layer.Up.Matrix.TakesQuants);
        }

        worker.Meet();
        Multiply(worker, wide, _count, [new Product(layer.Gate.Matrix, _gate, _hiddenWidth), new Product(layer.Up.Matrix, _up, _hiddenWidth)]);
        worker.Meet();
        for (int t; (t = worker.Take(_count)) >= 0;)
        {
            float* gate = _gate + (t * (nint)_hiddenWidth), up = _up + (t * (nint)_hiddenWidth);
            AddBias(gate, layer.Gate.Bias);
            AddBias(up, layer.Up.Bias);
            var values = new Span<float>(gate, _shape.Hidden);
            VectorMath.SwiGlu(values, new ReadOnlySpan<float>(up, _shape.Hidden), new Span<float>(_work + (worker.Index * (nint)_scratch), _shape.Hidden));
            if (layer.Down.Matrix.TakesQuants)
                _hidden.Quantize(t, values);
        }

        worker.Meet();
        Multiply(worker, new Inputs((nint)_gate, _hiddenWidth, _hidden), _count, [new Product(layer.Down.Matrix, _update, width)]);
        worker.Meet();
    }

    // Strips of several matrices over the same inputs are one row of pieces.
    private static void Multiply(Crew.Worker worker, in Inputs inputs, int vectors, ReadOnlySpan<Product> products)
    {
        if (vectors == 0)
            return;
        Span<int> strips = stackalloc int[products.Length], pieces = stackalloc int[products.Length];
        int all = 0;
        for (int p = 0; p < products.Length; p++)
        {
            Matrix matrix = products[p].Matrix;
            strips[p] = (int)Math.Clamp(PieceBytes * matrix.Strips / matrix.Bytes, 1, Math.Max(1, matrix.Strips / (4 * worker.Count)));
            pieces[p] = (matrix.Strips + strips[p] - 1) / strips[p];
            all += pieces[p];
        }

        for (int piece; (piece = worker.Take(all)) >= 0;)
        {
            int p = 0;
            for (; piece >= pieces[p]; p++)
                piece -= pieces[p];
            Matrix matrix = products[p].Matrix;
            int first = piece * strips[p];
            matrix.Multiply(first, Math.Min(strips[p], matrix.Strips - first), inputs, vectors, products[p].Into, products[p].Stride);
        }
    }

    private void Angles(int t)
    {
        int pairs = _shape.Frequencies.Length;
        for (int i = 0; i < pairs; i++)
        {
            (double sine, double cosine) = Math.SinCos((double)_steps[t].Position * _shape.Frequencies[i]);
            _cosines[((nint)t * pairs) + i] = (float)cosine * _shape.RotaryFactor;
            _sines[((nint)t * pairs) + i] = (float)sine * _shape.RotaryFactor;
        }
    }

    // Biases, norms and turns of queries and keys; keys and values go into the cache.
    private void Position(int t, int l, LayerWeights layer)
    {
        float* q = _q + (t * (nint)_qWidth), k = _k + (t * (nint)_kvWidth), v = _v + (t * (nint)_kvWidth);
        AddBias(q, layer.Query.Bias);
        AddBias(k, layer.Key.Bias);
        AddBias(v, layer.Value.Bias);
        int width = _shape.HeadWidth, pairs = _shape.Frequencies.Length, position = _steps[t].Position, slot = position % KeyValuePage.Positions;
        ReadOnlySpan<float> cosines = new(_cosines + ((nint)t * pairs), pairs), sines = new(_sines + ((nint)t * pairs), pairs);
        for (int h = 0; h < _shape.Heads; h++)
        {
            var head = new Span<float>(q + (h * width), width);
            if (layer.QueryNorm is not null)
                VectorMath.RmsNorm(head, layer.QueryNorm, _shape.Epsilon, head);
            VectorMath.Rotate(head, cosines, sines, _shape.AdjacentPairs);
        }

        KeyValuePage page = _steps[t].Cache.Page(position);
        for (int g = 0; g < _shape.Groups; g++)
        {
            var head = new Span<float>(k + (g * width), width);
            if (layer.KeyNorm is not null)
                VectorMath.RmsNorm(head, layer.KeyNorm, _shape.Epsilon, head);
            VectorMath.Rotate(head, cosines, sines, _shape.AdjacentPairs);
            VectorMath.ToHalves(head, new Span<Half>(page.Keys(l, g) + (slot * (nint)width), width));
            VectorMath.ToHalves(new ReadOnlySpan<float>(v + (g * width), width), new Span<Half>(page.Values(l, g) + (slot * (nint)width), width));
        }
    }

    private void AddUpdate(int t, float[]? bias)
    {
        int width = Padded(_shape.Width);
        AddBias(_update + (t * (nint)width), bias);
        var x = new Span<float>(_x + (t * (nint)width), _shape.Width);
        TensorPrimitives.Add(x, new ReadOnlySpan<float>(_update + (t * (nint)width), _shape.Width), x);
    }

    private void Normalize(float* x, float[] weight, int into, bool quantize)
    {
        var normed = new Span<float>(_normed + (into * (nint)Padded(_shape.Width)), _shape.Width);
        VectorMath.RmsNorm(new ReadOnlySpan<float>(x, _shape.Width), weight, _shape.Epsilon, normed);
        if (quantize)
            _wide.Quantize(into, normed);
    }

    private static void AddBias(float* values, float[]? bias)
    {
        if (bias is not null)
            TensorPrimitives.Add(new ReadOnlySpan<float>(values, bias.Length), bias, new Span<float>(values, bias.Length));
    }

    private readonly struct Product(Matrix matrix, float* into, nint stride)
    {
        public Matrix Matrix { get; } = matrix;

        public float* Into { get; } = into;

        public nint Stride { get; } = stride;
    }
}
