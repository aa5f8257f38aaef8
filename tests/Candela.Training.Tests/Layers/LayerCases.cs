using static TorchSharp.torch;

namespace Candela.Training.Tests;

/// <summary>Every layer and activation with an input shape, a twin of TorchSharp's own with the same keys where there is one, and the element type of its input.</summary>
internal sealed record LayerCase(string Name, Func<Layer> Make, Shape Input, Func<nn.Module<Tensor, Tensor>>? Twin = null, int Vocabulary = 0)
{
    public static IReadOnlyList<LayerCase> All { get; } = Create().ToList();

    public static TheoryData<string> Names() => [.. All.Select(c => c.Name)];

    /// <summary>Those that config.json of a layer graph can name; the parts of transformers and the CRF belong to families with a config.json of their own.</summary>
    public static TheoryData<string> GraphNames() => [.. All.Where(c => c.Name is not ("rms-norm" or "attention" or "attention-all" or "swiglu" or "crf")).Select(c => c.Name)];

    public static TheoryData<string> Twins() => [.. All.Where(c => c.Twin is not null).Select(c => c.Name)];

    public static LayerCase Of(string name) => All.Single(c => c.Name == name);

    /// <summary>A batch of inputs, away from the kinks of ReLU and its kin.</summary>
    public Tensor Batch(int count, ScalarType type, long seed)
    {
        var rng = new Rng(seed);
        if (Vocabulary > 0)
            return tensor(Enumerable.Range(0, count * (int)Input.Elements).Select(_ => (long)rng.Next(Vocabulary)).ToArray(), [count, .. Input.ToLongs()]);
        var values = new double[count * Input.Elements];
        foreach (ref double value in values.AsSpan())
        {
            do
            {
                value = rng.NextGaussian();
            }
            while (Math.Abs(value) < 0.02);
        }

        return tensor(values, [count, .. Input.ToLongs()]).to(type);
    }

    private static IEnumerable<LayerCase> Create()
    {
        yield return new("dense", () => new Dense(5), [7], () => nn.Linear(7, 5));
        yield return new("dense-no-bias", () => new Dense(5, bias: false), [3, 7], () => nn.Linear(7, 5, hasBias: false));
        yield return new("dense-gelu", () => new Dense(4, ActivationKind.Gelu), [6]);
        yield return new("conv2d", () => new Conv2d(4, 3), [3, 7, 6], () => nn.Conv2d(3, 4, 3));
        yield return new("conv2d-stride-pad", () => new Conv2d(4, 3, stride: 2, padding: 1), [3, 7, 6], () => nn.Conv2d(3, 4, 3, stride: 2, padding: 1));
        yield return new("conv2d-dilated", () => new Conv2d(2, 3, dilation: 2, bias: false), [3, 7, 8], () => nn.Conv2d(3, 2, 3, dilation: 2, bias: false));
        yield return new("conv2d-groups", () => new Conv2d(6, 3, padding: 1, groups: 3), [3, 5, 5], () => nn.Conv2d(3, 6, 3, padding: 1, groups: 3));
        yield return new("conv2d-same", () => new Conv2d(4, 3, padding: Padding.Same), [2, 5, 6], () => nn.Conv2d(2, 4, 3, padding: TorchSharp.Padding.Same));
        yield return new("conv2d-same-even", () => new Conv2d(3, new Size2(2, 4), padding: Padding.Same, activation: ActivationKind.Tanh), [2, 5, 6]);
        yield return new("conv2d-same-stride", () => new Conv2d(3, 3, stride: 2, padding: Padding.Same), [2, 6, 5]);
        yield return new("conv2d-1x1", () => new Conv2d(3, 1), [4, 3, 3], () => nn.Conv2d(4, 3, 1));
        yield return new("conv2d-5x5", () => new Conv2d(3, 5, padding: 2), [2, 9, 9], () => nn.Conv2d(2, 3, 5, padding: 2));
        yield return new("conv1d", () => new Conv1d(4, 3), [3, 9], () => nn.Conv1d(3, 4, 3));
        yield return new("conv1d-all", () => new Conv1d(4, 3, stride: 2, padding: 2, dilation: 2, groups: 2), [4, 11], () => nn.Conv1d(4, 4, 3, stride: 2, padding: 2, dilation: 2, groups: 2));
        yield return new("conv1d-same", () => new Conv1d(4, 4, padding: Padding.Same, activation: ActivationKind.Silu), [2, 7]);
        yield return new("max-pool2d", () => new MaxPool2d(2), [3, 6, 7], () => nn.MaxPool2d(2));
        yield return new("max-pool2d-overlap", () => new MaxPool2d(3, stride: 2, padding: 1), [2, 7, 7], () => nn.MaxPool2d(3, stride: 2, padding: 1));
        yield return new("avg-pool2d", () => new AvgPool2d(2), [3, 6, 6], () => nn.AvgPool2d(2));
        yield return new("avg-pool2d-pad", () => new AvgPool2d(3, stride: 2, padding: 1), [2, 7, 7], () => nn.AvgPool2d(3, stride: 2, padding: 1));
        yield return new("max-pool1d", () => new MaxPool1d(2), [3, 9], () => nn.MaxPool1d(2));
        yield return new("avg-pool1d", () => new AvgPool1d(3, stride: 2, padding: 1), [3, 9], () => nn.AvgPool1d(3, stride: 2, padding: 1));
        yield return new("global-average", () => new GlobalAveragePool(), [3, 4, 5]);
        yield return new("global-max", () => new GlobalMaxPool(), [3, 9]);
        yield return new("flatten", () => new Flatten(), [2, 3, 4], () => nn.Flatten());
        yield return new("batch-norm1d", () => new BatchNorm1d(), [6], () => nn.BatchNorm1d(6));
        yield return new("batch-norm1d-seq", () => new BatchNorm1d(), [3, 5], () => nn.BatchNorm1d(3));
        yield return new("batch-norm2d", () => new BatchNorm2d(), [3, 4, 4], () => nn.BatchNorm2d(3));
        yield return new("layer-norm", () => new LayerNorm(), [3, 8], () => nn.LayerNorm(8));
        yield return new("rms-norm", () => new RmsNorm(), [3, 8]);
        yield return new("attention", () => new MultiHeadAttention(new() { Heads = 2 }), [4, 6]);
        yield return new("attention-all", () => new MultiHeadAttention(new() { Heads = 4, KeyValueHeads = 2, HeadDimension = 4, Bias = true, OutputBias = true, NormalizeHeads = true, Window = 3, Rotary = new RotaryEmbedding(2, 100, 16) }), [5, 6]);
        yield return new("swiglu", () => new SwiGlu(7, bias: true), [3, 5]);
        yield return new("embedding", () => new Embedding(11, 4), [5], () => nn.Embedding(11, 4), 11);
        foreach (string cell in RecurrentText.Cells)
            yield return new($"recurrent-text-{cell}", () => new RecurrentText(cell, 11, 4, 3, layers: 2), [5], null, 11);
        yield return new("embedding-padding", () => new Embedding(11, 4, paddingId: 0), [5], () => nn.Embedding(11, 4, padding_idx: 0), 11);
        yield return new("residual", () => new Residual([new Dense(6, ActivationKind.Tanh), new Dense(6)]), [6]);
        yield return new("residual-projection", () => new Residual([new Conv2d(4, 3, padding: 1, activation: ActivationKind.Softplus), new Conv2d(4, 3, padding: 1)], new Conv2d(4, 1), ActivationKind.Tanh), [2, 5, 5]);
        yield return new("sequential", () => new Sequential(new Conv2d(3, 3, activation: ActivationKind.Elu), new MaxPool2d(2), new Flatten(), new Dense(4)), [1, 8, 8]);
        yield return new("rnn", () => new Rnn(4), [5, 3]);
        yield return new("rnn-all", () => new Rnn(3, layers: 2, bidirectional: true, bias: false, sequence: false), [4, 3]);
        yield return new("lstm", () => new Lstm(4), [5, 3]);
        yield return new("lstm-all", () => new Lstm(3, layers: 2, bidirectional: true, bias: false, sequence: false), [4, 3]);
        yield return new("gru", () => new Gru(4), [5, 3]);
        yield return new("gru-all", () => new Gru(3, layers: 2, bidirectional: true, bias: false), [4, 3]);
        yield return new("crf", () => new LinearChainCrf(), [4, 3]);
        yield return new("swap-axes", () => new SwapAxes(), [3, 4]);
        yield return new("branches", () => new Branches(new Dense(4, ActivationKind.Sigmoid), new Sequential(new Dense(3), new LayerNorm())), [6]);
        yield return new("sigmoid", () => new Activation(ActivationKind.Sigmoid), [5], () => nn.Sigmoid());
        yield return new("tanh", () => new Activation(ActivationKind.Tanh), [5], () => nn.Tanh());
        yield return new("relu", () => new Activation(ActivationKind.Relu), [5], () => nn.ReLU());
        yield return new("softmax", () => new Activation(ActivationKind.Softmax), [5], () => nn.Softmax(-1));
        yield return new("gelu", () => new Activation(ActivationKind.Gelu), [5], () => nn.GELU());
        yield return new("silu", () => new Activation(ActivationKind.Silu), [5], () => nn.SiLU());
        yield return new("leaky-relu", () => new Activation(ActivationKind.LeakyRelu), [5], () => nn.LeakyReLU(0.01));
        yield return new("elu", () => new Activation(ActivationKind.Elu), [5], () => nn.ELU());
        yield return new("softplus", () => new Activation(ActivationKind.Softplus), [5], () => nn.Softplus());
        yield return new("prelu", () => new Activation(ActivationKind.PRelu), [5], () => nn.PReLU(1));
        yield return new("none", () => new Activation(ActivationKind.None), [5]);
    }
}
