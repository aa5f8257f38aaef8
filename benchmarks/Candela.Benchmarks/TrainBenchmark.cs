using System.Text.Json.Nodes;
using Candela.Data;
using Candela.Graphs;
using Candela.Training;
using static TorchSharp.torch;

namespace Candela.Benchmarks;

/// <summary>Training steps of this library against a plain TorchSharp loop with its own layers, loss and Adam, on the same network and batches.
/// The plain loop's batches are tensors made beforehand; ours are shuffled, copied and clocked by <see cref="TrainingLoop"/> as in a real run.</summary>
internal static class TrainBenchmark
{
    public static void Run(string[] names)
    {
        LibTorch.Load();
        string[] kinds = [.. names.Where(name => !int.TryParse(name, out _))];
        int[] threadCounts = [.. names.Select(name => int.TryParse(name, out int threads) ? threads : 0).Where(threads => threads > 0)];
        bool All(string name) => kinds.Length == 0 || kinds.Contains(name);
        Console.WriteLine($"{Environment.ProcessorCount} processors, .NET {Environment.Version}, median of {Paired.Pairs} pairs run in turn");
        Console.WriteLine();
        Paired.Head();
        if (All("cnn"))
            Cnn(threadCounts is [int only] ? only : 2);
        foreach (int threads in threadCounts.Length == 0 ? [1, 2] : threadCounts)
        {
            if (All("mlp-784"))
                Mlp784(threads);
            if (All("mlp-small"))
                SmallMlp(threads);
        }

        if (All("optimizers"))
            Optimizers();
    }

    private static void Cnn(int threads)
    {
        const int Batch = 128;
        ArrayExamples rows = Classes(Batch * 8, [1, 28, 28], 10);
        using var plain = nn.Sequential(("c1", nn.Conv2d(1, 32, 3)), ("r1", nn.ReLU()), ("p1", nn.MaxPool2d(2)), ("c2", nn.Conv2d(32, 64, 3)), ("r2", nn.ReLU()), ("p2", nn.MaxPool2d(2)),
            ("f", nn.Flatten()), ("d1", nn.Linear(1600, 128)), ("r3", nn.ReLU()), ("d2", nn.Linear(128, 10)));
        var graph = new LayerGraph("cnn", [1, 28, 28],
        [
            Layer("conv2d", "conv1", new JsonObject { ["filters"] = 32, ["kernel"] = new JsonArray(3, 3), ["padding"] = "valid", ["activation"] = "relu" }),
            Layer("max-pool2d", "pool1", new JsonObject { ["size"] = new JsonArray(2, 2), ["stride"] = new JsonArray(2, 2) }),
            Layer("conv2d", "conv2", new JsonObject { ["filters"] = 64, ["kernel"] = new JsonArray(3, 3), ["padding"] = "valid", ["activation"] = "relu" }),
            Layer("max-pool2d", "pool2", new JsonObject { ["size"] = new JsonArray(2, 2), ["stride"] = new JsonArray(2, 2) }),
            Layer("flatten", "flatten1", []),
            Layer("dense", "dense1", new JsonObject { ["units"] = 128, ["activation"] = "relu" }),
            Layer("dense", "head", new JsonObject { ["units"] = 10 }),
        ], HeadKind.Softmax);
        Compare($"CNN 28x28, 225,034 parameters, batch {Batch}, {threads} threads", 16, plain, graph, rows, Batch, threads);
    }

    private static void Mlp784(int threads)
    {
        const int Batch = 128;
        ArrayExamples rows = Classes(Batch * 16, [784], 10);
        using var plain = nn.Sequential(("d1", nn.Linear(784, 512)), ("r1", nn.ReLU()), ("d2", nn.Linear(512, 512)), ("r2", nn.ReLU()), ("d3", nn.Linear(512, 10)));
        Compare($"MLP 784-512-512-10, batch {Batch}, {threads} threads", 60, plain, Dense("mlp", HeadKind.Softmax, 784, 512, 512, 10), rows, Batch, threads);
    }

    private static void SmallMlp(int threads)
    {
        const int Batch = 32;
        ArrayExamples rows = Numbers(Batch * 32, 30);
        using var plain = nn.Sequential(("d1", nn.Linear(30, 64)), ("r1", nn.ReLU()), ("d2", nn.Linear(64, 32)), ("r2", nn.ReLU()), ("d3", nn.Linear(32, 1)));
        Compare($"MLP 30-64-32-1, batch {Batch}, {threads} threads", 600, plain, Dense("mlp", HeadKind.Linear, 30, 64, 32, 1), rows, Batch, threads);
    }

    // Two rows: the engine that Trainer.Fit and the families choose for such a net, and libtorch (for networks the former does not cover).
    private static void Compare(string name, int steps, nn.Module<Tensor, Tensor> plain, LayerGraph graph, ArrayExamples rows, int batch, int threads)
    {
        LibTorch.SetThreads(threads);
        bool classes = graph.Head == HeadKind.Softmax;
        Loss loss = classes ? new SparseCategoricalCrossEntropy() : new MeanSquaredError();
        (List<Tensor> inputs, List<Tensor> targets) = Tensors(rows, batch, classes);
        using optim.Optimizer adam = optim.Adam(plain.parameters(), 1e-3);
        int next = 0;
        void Plain(int count)
        {
            for (int step = 0; step < count; step++, next++)
            {
                using var scope = NewDisposeScope();
                adam.zero_grad();
                Tensor outputs = plain.call(inputs[next % inputs.Count]), goal = targets[next % inputs.Count];
                Tensor value = classes ? nn.functional.cross_entropy(outputs, goal) : nn.functional.mse_loss(outputs, goal);
                value.backward();
                adam.step();
                _ = value.item<float>();
            }
        }

        foreach (TrainingEngine engine in new[] { TrainingEngine.Managed, TrainingEngine.LibTorch })
        {
            using Sequential layers = GraphBuilder.Build(graph);
            Paired.Row($"{name}, Trainer.Fit on {(engine == TrainingEngine.Managed ? "managed kernels (its choice)" : "libtorch")}", steps, Plain,
                count => Trainer.Fit(layers, rows, null, loss, Plan(count, batch, threads) with { Engine = engine }));
        }

        foreach (Tensor tensor in inputs.Concat(targets))
            tensor.Dispose();
    }

    private static LayerGraph Dense(string family, HeadKind head, params int[] widths)
    {
        var layers = new List<LayerSpec>();
        for (int i = 1; i < widths.Length; i++)
            layers.Add(Layer("dense", $"dense{i}", i == widths.Length - 1 ? new JsonObject { ["units"] = widths[i] } : new JsonObject { ["units"] = widths[i], ["activation"] = "relu" }));
        return new LayerGraph(family, [widths[0]], layers, head);
    }

    private static LayerSpec Layer(string type, string name, JsonObject options) => new(type, name, options);

    // The update alone: all parameters of the 784-512-512-10 net.
    private static void Optimizers()
    {
        foreach (string id in new[] { "sgd", "momentum", "adam", "adamw" })
        {
            using var plain = nn.Sequential(("d1", nn.Linear(784, 512)), ("d2", nn.Linear(512, 512)), ("d3", nn.Linear(512, 10)));
            foreach (var parameter in plain.parameters())
                parameter.grad = randn_like(parameter);
            using optim.Optimizer torchs = id switch
            {
                "sgd" => optim.SGD(plain.parameters(), 1e-3),
                "momentum" => optim.SGD(plain.parameters(), 1e-3, momentum: 0.9),
                "adamw" => optim.AdamW(plain.parameters(), 1e-3),
                _ => optim.Adam(plain.parameters(), 1e-3),
            };
            using var ours = nn.Sequential(("d1", nn.Linear(784, 512)), ("d2", nn.Linear(512, 512)), ("d3", nn.Linear(512, 10)));
            using var fused = new TorchOptimizer(ours, OptimizerOptions.Of(id));
            var rng = new Rng(1);
            foreach (ref float g in fused.Parameters.Gradients)
                g = (float)rng.NextGaussian();
            LibTorch.SetThreads(1);
            Paired.Row($"{id} update of 668,170 parameters, 1 thread", 60, count =>
            {
                for (int i = 0; i < count; i++)
                    torchs.step();
            }, count =>
            {
                for (int i = 0; i < count; i++)
                    fused.Step(1e-3);
            });
        }
    }

    private static TrainingPlan Plan(int steps, int batch, int threads) =>
        new() { MaxSteps = steps, Epochs = int.MaxValue, BatchSize = batch, Threads = threads, Optimizer = new AdamOptions(), LearningRate = 1e-3 };

    private static (List<Tensor> Inputs, List<Tensor> Targets) Tensors(ArrayExamples rows, int size, bool classes)
    {
        List<Tensor> inputs = [], targets = [];
        long[] shape = [size, .. rows.Layout.DenseShape.Select(n => (long)n)];
        foreach (FeatureBatch batch in rows.Batches(new BatchPlan(size)))
        {
            inputs.Add(tensor(batch.Dense.ToArray()).view(shape));
            targets.Add(classes ? tensor(batch.Labels.Select(label => (long)label).ToArray()) : tensor(batch.Targets.ToArray()).view(size, 1));
        }

        return (inputs, targets);
    }

    private static ArrayExamples Classes(int count, int[] shape, int classes)
    {
        var rng = new Rng(1);
        var x = new float[count * shape.Aggregate(1, (a, b) => a * b)];
        foreach (ref float value in x.AsSpan())
            value = (float)rng.NextGaussian();
        var labels = new int[count];
        foreach (ref int label in labels.AsSpan())
            label = rng.Next(classes);
        return new ArrayExamples(x, shape, labels);
    }

    private static ArrayExamples Numbers(int count, int width)
    {
        var rng = new Rng(2);
        float[] x = new float[count * width], y = new float[count];
        foreach (ref float value in x.AsSpan())
            value = (float)rng.NextGaussian();
        for (int i = 0; i < count; i++)
            y[i] = x[i * width] + (float)Math.Sin(x[(i * width) + 1]);
        return new ArrayExamples(x, [width], targets: y);
    }
}
