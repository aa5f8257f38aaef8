using System.Text.Json.Nodes;
using Candela.Data;
using Candela.Graphs;
using Candela.Training.DenseNets;

namespace Candela.Training.Tests.DenseNets;

/// <summary>The net's gradients against central differences, and its bookkeeping.</summary>
public sealed class DenseNetworkTests
{
    public static TheoryData<ActivationKind, DenseLossKind> Cases()
    {
        var cases = new TheoryData<ActivationKind, DenseLossKind>();
        foreach (ActivationKind activation in Enum.GetValues<ActivationKind>().Except([ActivationKind.Softmax, ActivationKind.PRelu]))
            foreach (DenseLossKind loss in Enum.GetValues<DenseLossKind>().Except([DenseLossKind.Perceptron])) // its value counts mistakes, its slopes are the rule's
                cases.Add(activation, loss);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    [Trait("Kind", "gradient")]
    public void Differentiate_EveryActivationAndLoss_EqualsCentralDifferences(ActivationKind activation, DenseLossKind kind)
    {
        int outputs = kind == DenseLossKind.CrossEntropy ? 3 : 1;
        using var net = new DenseNetwork(Graph(5, outputs, activation));
        net.Initialize(3);
        var rng = new Rng(11);
        foreach (ref float w in net.Parameters)
            w += (float)(rng.NextGaussian() * 0.05);
        FeatureBatch batch = Batch(rng, 9, 5, outputs == 3 ? 3 : 2);
        var loss = new DenseLoss(kind)
        {
            LabelSmoothing = 0.1,
            Delta = 0.7,
            Offset = 0.2,
            Scale = 1.5,
            ClassWeights = kind is DenseLossKind.CrossEntropy ? [1, 2, 0.5f] : kind is DenseLossKind.BinaryCrossEntropy ? [1, 3] : null,
        };
        net.Differentiate(batch, loss, 1, 4);
        float[] gradient = net.Gradients.ToArray();
        float peak = gradient.Max(MathF.Abs);
        Assert.True(peak > 1e-3);
        int kinks = 0;
        for (int i = 0; i < gradient.Length; i++)
        {
            const float Shift = 2e-3f;
            float present = net.Parameters[i];
            net.Parameters[i] = present + Shift;
            double up = net.Differentiate(batch, loss, 1, 4);
            net.Parameters[i] = present - Shift;
            double down = net.Differentiate(batch, loss, 1, 4);
            net.Parameters[i] = present;
            double numeric = (up - down) / (2 * Shift);
            if (Math.Abs(numeric - gradient[i]) > 4e-3 * Math.Max(peak, 0.1))
                kinks++;
        }

        // A shift may carry a number over the kink of relu, leaky relu or |d|; smooth functions get no such allowance.
        bool kinked = activation is ActivationKind.Relu or ActivationKind.LeakyRelu || kind is DenseLossKind.AbsoluteError;
        Assert.InRange(kinks, 0, kinked ? gradient.Length / 12 : 0);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Differentiate_Accumulated_IsTheSumOfBatches()
    {
        using var net = new DenseNetwork(Graph(5, 1, ActivationKind.Tanh));
        net.Initialize(3);
        var rng = new Rng(2);
        FeatureBatch first = Batch(rng, 6, 5, 2), second = Batch(rng, 6, 5, 2);
        var loss = new DenseLoss(DenseLossKind.SquaredError);
        net.Differentiate(first, loss, 1, 1);
        float[] sum = net.Gradients.ToArray();
        net.Differentiate(second, loss, 1, 2);
        for (int i = 0; i < sum.Length; i++)
            sum[i] += net.Gradients[i];
        net.Differentiate(first, loss, 1, 1);
        net.Differentiate(second, loss, 1, 2, accumulate: true);
        for (int i = 0; i < sum.Length; i++)
            Assert.Equal(sum[i], net.Gradients[i], 1e-5);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Losses_AtHugeLogits_StayFinite()
    {
        var graph = new LayerGraph("mlp", [1], [new LayerSpec("dense", "d", new JsonObject { ["units"] = 2 })], HeadKind.Softmax);
        using var net = new DenseNetwork(graph);
        net.Parameters[0] = 1000;
        net.Parameters[1] = -1000;
        var batch = new FeatureBatch { Count = 2, Dense = [1, 1], Labels = [0, 1] };
        double mean = net.Differentiate(batch, new DenseLoss(DenseLossKind.CrossEntropy), 0, 0);
        Assert.Equal(1000, mean, 1e-3); // (0 + 2000) / 2
        Assert.True(float.IsFinite(net.Gradients[0]));
        Assert.Equal(0.5f, net.Gradients[0], 1e-6);

        var single = new LayerGraph("mlp", [1], [new LayerSpec("dense", "d", new JsonObject { ["units"] = 1 })], HeadKind.Sigmoid);
        using var binary = new DenseNetwork(single);
        binary.Parameters[0] = 1000;
        Assert.Equal(500, binary.Differentiate(batch, new DenseLoss(DenseLossKind.BinaryCrossEntropy), 0, 0), 1e-6);
        Assert.Equal(0.5f, binary.Gradients[0], 1e-6);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Dropout_OverManyNumbers_KeepsTheMeanAndRepeatsForAStep()
    {
        var graph = new LayerGraph("mlp", [1000], [new LayerSpec("dropout", "drop", new JsonObject { ["probability"] = 0.3 }), new LayerSpec("dense", "d", new JsonObject { ["units"] = 1 })], HeadKind.Linear);
        using var net = new DenseNetwork(graph);
        net.Parameters[..1000].Fill(0.001f);
        var batch = new FeatureBatch { Count = 50, Dense = [.. Enumerable.Repeat(1f, 50_000)], Targets = new float[50] };
        var loss = new DenseLoss(DenseLossKind.SquaredError);
        double first = net.Differentiate(batch, loss, 7, 3), again = net.Differentiate(batch, loss, 7, 3), other = net.Differentiate(batch, loss, 7, 4);
        Assert.Equal(first, again);
        Assert.NotEqual(first, other);
        // Each output is a mean of 1000 masks: mean 1, variance 0.3 / 0.7 / 1000, so E y^2 = 1.00043; 50 rows give a deviation near 0.006.
        Assert.Equal(1.00043, first, 0.02);
        Assert.Equal(1.0, net.Forward(batch.Dense, 50)[0], 1e-4);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Network_UnknownLayerOrWrongData_NamesThem()
    {
        var graph = new LayerGraph("cnn", [1, 8, 8], [new LayerSpec("conv2d", "c1", new JsonObject())], HeadKind.Softmax);
        Assert.Contains("conv2d", Assert.Throws<UsageException>(() => new DenseNetwork(graph)).Message, StringComparison.Ordinal);
        using var net = new DenseNetwork(Graph(5, 3, ActivationKind.Relu));
        var loss = new DenseLoss(DenseLossKind.CrossEntropy);
        Assert.Throws<ShapeException>(() => net.Differentiate(new FeatureBatch { Count = 2, Dense = new float[9], Labels = [0, 1] }, loss, 0, 0));
        Assert.Throws<DataException>(() => net.Differentiate(new FeatureBatch { Count = 2, Dense = new float[10], Labels = [0, 3] }, loss, 0, 0));
        Assert.Throws<ShapeException>(() => net.Differentiate(new FeatureBatch { Count = 2, Dense = new float[10], Targets = [0, 3] }, loss, 0, 0));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Sizes_BeyondOneBuffer_AreRefusedBeforeAnythingIsAllocated()
    {
        // 65536 x 65536 is 0 in 32 bits.
        static LayerSpec Wide(string name, int units) => new("dense", name, new JsonObject { ["units"] = units });
        var square = new LayerGraph("mlp", [2], [Wide("dense1", 65536), Wide("dense2", 65536)], HeadKind.Linear);
        string message = Assert.Throws<ShapeException>(() => new DenseNetwork(square)).Message;
        Assert.Contains("'dense2' has 65,536 x 65,536 = 4,294,967,296", message, StringComparison.Ordinal);
        Assert.Contains("--hidden", message, StringComparison.Ordinal);
        Assert.Contains("parameters", Assert.Throws<ShapeException>(() => new DenseNetwork(new LayerGraph("mlp", [1 << 30], [Wide("dense1", 1), new("dense", "dense2", new JsonObject { ["units"] = (1 << 30) + 1 })], HeadKind.Linear))).Message, StringComparison.Ordinal);
        var image = new LayerGraph("cnn", [3, 30_000, 30_000], [new LayerSpec("conv2d", "conv1", new JsonObject { ["filters"] = 32, ["kernel"] = 3, ["activation"] = "relu" })], HeadKind.Linear);
        Assert.Contains("conv1", Assert.ThrowsAny<CandelaException>(() => new DenseNetwork(image)).Message, StringComparison.Ordinal);

        // 65536 rows x 65536 units is 0 too; afterwards the net still runs what fits.
        using var net = new DenseNetwork(new LayerGraph("mlp", [1], [Wide("dense1", 65536), Wide("dense2", 1)], HeadKind.Linear));
        net.Parameters.Fill(1f / 1024);
        message = Assert.Throws<ShapeException>(() => net.Forward(new float[65536], 65536)).Message;
        Assert.Contains("65536 rows x 65536", message, StringComparison.Ordinal);
        Assert.Contains("--batch-size", message, StringComparison.Ordinal);
        Assert.Equal((65536 * 2 / 1024f / 1024) + (1f / 1024), net.Forward([1], 1)[0], 1e-5f);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void FloatsPerRow_OfALargeImage_BoundsTheRowsOfAnEvaluation()
    {
        var graph = new LayerGraph("cnn", [3, 640, 480], [.. CnnFamily.Layers([3, 640, 480], 2, [8], 0)], HeadKind.Softmax);
        using var net = new DenseNetwork(graph);
        int largest = 0;
        var rows = new BatchSizes([3, 640, 480], size => largest = Math.Max(largest, size));
        new DenseTrainable(net, new DenseLoss(DenseLossKind.CrossEntropy)).Evaluate(rows);
        Assert.InRange(largest, 1, 16 * (1 << 20) / (3 * 640 * 480));
        largest = 0;
        TargetFacts.Of(rows, new Problem(TaskKind.Binary, "y", ["a", "b"]));
        Assert.Equal(1, largest); // 3.7 MB each
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Network_AfterDispose_ThrowsInsteadOfTouchingFreedMemory()
    {
        var net = new DenseNetwork(Graph(5, 1, ActivationKind.Relu));
        FeatureBatch batch = Batch(new Rng(1), 4, 5, 2);
        net.Forward(batch.Dense, 4);
        net.Dispose();
        Assert.Throws<ObjectDisposedException>(() => net.Forward(batch.Dense, 4));
        Assert.Throws<ObjectDisposedException>(() => net.Differentiate(batch, new DenseLoss(DenseLossKind.SquaredError), 0, 0));
        Assert.Throws<ObjectDisposedException>(() => net.Parameters.Length);
    }

    /// <summary>No rows, but tells the batch size that was asked for.</summary>
    private sealed class BatchSizes(int[] shape, Action<int> asked) : IExampleSource
    {
        public long Count => 0;

        public FeatureLayout Layout { get; } = new() { DenseShape = shape };

        public IEnumerable<FeatureBatch> Batches(BatchPlan plan)
        {
            asked(plan.BatchSize);
            return [];
        }
    }

    internal static LayerGraph Graph(int width, int outputs, ActivationKind activation, double dropout = 0.2) => new(
        "mlp",
        [width],
        [
            new LayerSpec("dense", "dense1", new JsonObject { ["units"] = 7, ["activation"] = activation.Id() }),
            new LayerSpec("dropout", "dropout1", new JsonObject { ["probability"] = dropout }),
            new LayerSpec("dense", "dense2", new JsonObject { ["units"] = 4 }),
            new LayerSpec("activation", "act", new JsonObject { ["activation"] = activation.Id() }),
            new LayerSpec("dense", "head", new JsonObject { ["units"] = outputs, ["bias"] = outputs != 1 }),
        ],
        outputs == 1 ? HeadKind.Linear : HeadKind.Softmax);

    internal static FeatureBatch Batch(Rng rng, int rows, int width, int classes)
    {
        var batch = new FeatureBatch { Count = rows, Dense = new float[rows * width], Labels = new int[rows], Targets = new float[rows] };
        foreach (ref float x in batch.Dense.AsSpan())
            x = (float)rng.NextGaussian();
        for (int i = 0; i < rows; i++)
            (batch.Labels[i], batch.Targets[i]) = (rng.Next(classes), (float)(rng.NextGaussian() * 2));
        return batch;
    }
}
