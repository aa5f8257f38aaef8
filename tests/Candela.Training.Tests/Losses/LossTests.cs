using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training.Tests.Losses;

[Trait("Kind", "golden")]
public class LossTests
{
    private static readonly double[,] Logits = { { 1.5, -0.3, 0.2 }, { -2.0, 0.7, 3.1 }, { 0.1, 0.2, -0.4 }, { 4.0, -1.0, 0.0 } };
    private static readonly long[] Labels = [0, 2, 1, 1];
    private static readonly double[,] Soft = { { 0.7, 0.2, 0.1 }, { 0, 0, 1 }, { 0.25, 0.5, 0.25 }, { 0.1, 0.9, 0 } };
    private static readonly float[] ClassWeights = [1, 2.5f, 0.5f];
    private static readonly double[] RowWeights = [1, 0, 2, 0.5];

    public LossTests() => LibTorch.Load();

    /// <summary>PyTorch's definitions, in plain C#: cross_entropy with weight and label_smoothing, mean = sum / sum of weights of the labels.</summary>
    [Theory]
    [InlineData(false, false, 0), InlineData(true, false, 0), InlineData(false, true, 0), InlineData(true, true, 0.1), InlineData(false, false, 0.2), InlineData(true, false, 0.2)]
    public void SparseCrossEntropy_EveryOption_IsTheDefinition(bool classWeights, bool rowWeights, double smoothing)
    {
        double sum = 0, weight = 0;
        for (int r = 0; r < 4; r++)
        {
            double[] logP = LogSoftmax(r);
            double w = classWeights ? ClassWeights[Labels[r]] : 1, row = rowWeights ? RowWeights[r] : 1, loss = -(1 - smoothing) * w * logP[Labels[r]];
            for (int c = 0; c < 3; c++)
                loss -= smoothing / 3 * (classWeights ? ClassWeights[c] : 1) * logP[c];
            (sum, weight) = (sum + (row * loss), weight + (row * w));
        }

        var mean = new SparseCategoricalCrossEntropy { ClassWeights = classWeights ? ClassWeights : null, LabelSmoothing = smoothing };
        using var scope = TensorScope.Begin();
        Tensor? rows = rowWeights ? tensor(RowWeights) : null;
        Assert.Equal(sum / weight, mean.Of(tensor(Logits), tensor(Labels), rows).ToDouble(), 1e-9);
        var total = new SparseCategoricalCrossEntropy { ClassWeights = mean.ClassWeights, LabelSmoothing = smoothing, Reduction = Reduction.Sum };
        Assert.Equal(sum, total.Of(tensor(Logits), tensor(Labels), rows).ToDouble(), 1e-9);
        var none = new SparseCategoricalCrossEntropy { ClassWeights = mean.ClassWeights, LabelSmoothing = smoothing, Reduction = Reduction.None };
        Assert.Equal(sum, none.Of(tensor(Logits), tensor(Labels), rows).data<double>().Sum(), 1e-9);
    }

    [Theory]
    [InlineData(false, false, 0), InlineData(true, false, 0), InlineData(false, true, 0), InlineData(true, true, 0.1)]
    public void CategoricalCrossEntropy_EveryOption_IsTheDefinition(bool classWeights, bool rowWeights, double smoothing)
    {
        double sum = 0, weight = 0;
        for (int r = 0; r < 4; r++)
        {
            double[] logP = LogSoftmax(r);
            double row = rowWeights ? RowWeights[r] : 1, loss = 0;
            for (int c = 0; c < 3; c++)
                loss -= (classWeights ? ClassWeights[c] : 1) * ((Soft[r, c] * (1 - smoothing)) + (smoothing / 3)) * logP[c];
            (sum, weight) = (sum + (row * loss), weight + row);
        }

        using var scope = TensorScope.Begin();
        var definition = new CategoricalCrossEntropy { ClassWeights = classWeights ? ClassWeights : null, LabelSmoothing = smoothing };
        Assert.Equal(sum / weight, definition.Of(tensor(Logits), tensor(Soft), rowWeights ? tensor(RowWeights) : null).ToDouble(), 1e-9);
    }

    [Fact]
    public void KullbackLeibler_WithZeroTargets_IsTheDefinition()
    {
        double sum = 0;
        for (int r = 0; r < 4; r++)
            for (int c = 0; c < 3; c++)
                sum += Soft[r, c] == 0 ? 0 : Soft[r, c] * (Math.Log(Soft[r, c]) - LogSoftmax(r)[c]);
        using var scope = TensorScope.Begin();
        Assert.Equal(sum / 4, new KullbackLeibler().Of(tensor(Logits), tensor(Soft)).ToDouble(), 1e-9);
        Tensor same = tensor(Soft).clamp_min(1e-9);
        Assert.Equal(0, new KullbackLeibler().Of(same.log(), same / same.sum(1, keepdim: true)).ToDouble(), 1e-7);
    }

    [Theory]
    [InlineData(false, false, 0), InlineData(true, false, 0), InlineData(false, true, 0.1), InlineData(true, true, 0.2)]
    public void BinaryCrossEntropy_EveryOption_IsTheDefinition(bool classWeights, bool rowWeights, double smoothing)
    {
        double[] z = [-1.2, 0.4, 3, -0.1], t = [0, 1, 0, 1];
        double sum = 0, weight = 0;
        for (int r = 0; r < 4; r++)
        {
            double p = 1 / (1 + Math.Exp(-z[r])), target = (t[r] * (1 - smoothing)) + (smoothing / 2), w = classWeights ? ClassWeights[(int)t[r]] : 1, row = rowWeights ? RowWeights[r] : 1;
            sum -= row * w * ((target * Math.Log(p)) + ((1 - target) * Math.Log(1 - p)));
            weight += row * w;
        }

        using var scope = TensorScope.Begin();
        var loss = new BinaryCrossEntropy { ClassWeights = classWeights ? ClassWeights[..2] : null, LabelSmoothing = smoothing };
        Assert.Equal(sum / weight, loss.Of(tensor(z).view(4, 1), tensor(t).view(4, 1), rowWeights ? tensor(RowWeights) : null).ToDouble(), 1e-9);
    }

    [Fact]
    public void RegressionLosses_AreTheirDefinitions()
    {
        double[] y = [1, -2, 0.5, 3], t = [0.5, 1, 0.5, 0];
        double[] d = [.. y.Zip(t, (a, b) => a - b)];
        using var scope = TensorScope.Begin();
        Tensor outputs = tensor(y).view(4, 1), targets = tensor(t).view(4, 1);
        Assert.Equal(d.Average(x => x * x), new MeanSquaredError().Of(outputs, targets).ToDouble(), 1e-12);
        Assert.Equal(d.Average(Math.Abs), new MeanAbsoluteError().Of(outputs, targets).ToDouble(), 1e-12);
        Assert.Equal(d.Average(x => Math.Abs(x) <= 1.5 ? x * x / 2 : 1.5 * (Math.Abs(x) - 0.75)), new Huber { Delta = 1.5 }.Of(outputs, targets).ToDouble(), 1e-12);
        double weighted = d.Zip(RowWeights, (x, w) => w * x * x).Sum() / RowWeights.Sum();
        Assert.Equal(weighted, new MeanSquaredError().Of(outputs, targets, tensor(RowWeights)).ToDouble(), 1e-12);
        Assert.Equal(0, new MeanSquaredError().Of(outputs, targets, zeros(4, float64)).ToDouble());
    }

    public static TheoryData<string> Names => ["mse", "mae", "huber", "bce", "bce-weighted", "sparse", "sparse-weighted", "soft", "soft-weighted", "kl"];

    [Theory, MemberData(nameof(Names)), Trait("Kind", "gradient")]
    public void Gradient_OfEveryLoss_EqualsCentralDifferences(string name)
    {
        using var scope = TensorScope.Begin();
        (Loss loss, Tensor outputs, Tensor targets, Tensor? rows) = Case(name, 1, ScalarType.Float64);
        outputs.requires_grad = true;
        loss.Of(outputs, targets, rows).backward();
        double[] gradient = outputs.grad!.data<double>().ToArray(), values = outputs.detach().data<double>().ToArray();
        const double H = 1e-6;
        for (int i = 0; i < values.Length; i++)
        {
            double up = At(H), down = At(-H);
            Assert.Equal((up - down) / (2 * H), gradient[i], 1e-6);
            double At(double by)
            {
                double[] moved = [.. values];
                moved[i] += by;
                return loss.Of(tensor(moved).view(outputs.shape), targets, rows).ToDouble();
            }
        }

        Assert.Contains(gradient, g => g != 0);
    }

    [Theory, MemberData(nameof(Names)), Trait("Kind", "analytic")]
    public void Value_AndGradientAtLogitsOf1000_AreFinite(string name)
    {
        using var scope = TensorScope.Begin();
        foreach (double sign in new[] { 1000.0, -1000 })
        {
            (Loss loss, Tensor outputs, Tensor targets, Tensor? rows) = Case(name, sign, ScalarType.Float32);
            outputs.requires_grad = true;
            Tensor value = loss.Of(outputs, targets, rows);
            value.backward();
            Assert.True(double.IsFinite(value.ToSingle()));
            Assert.All(outputs.grad!.data<float>().ToArray(), g => Assert.True(float.IsFinite(g)));
        }
    }

    [Fact, Trait("Kind", "fault")]
    public void Shapes_ThatWouldBroadcast_AreRefusedWithBoth()
    {
        using var scope = TensorScope.Begin();
        foreach (Loss loss in new Loss[] { new MeanSquaredError(), new MeanAbsoluteError(), new Huber(), new BinaryCrossEntropy() })
        {
            string message = Assert.Throws<ShapeException>(() => loss.Of(zeros(4, 1), zeros(4))).Message;
            Assert.Contains("[4, 1]", message);
            Assert.Contains("[4]", message);
            Assert.Contains("unsqueeze", message);
            Assert.Contains("squeeze", Assert.Throws<ShapeException>(() => loss.Of(zeros(4), zeros(4, 1))).Message);
            Assert.Throws<ShapeException>(() => loss.Of(zeros(4, 3), zeros(4, 1)));
            Assert.Throws<ShapeException>(() => loss.Of(zeros(4, 1), zeros(4, 1), zeros(3)));
        }

        Assert.Throws<ShapeException>(() => new SparseCategoricalCrossEntropy().Of(zeros(4, 3), zeros(4, 1, int64)));
        Assert.Throws<ShapeException>(() => new SparseCategoricalCrossEntropy().Of(zeros(4, 3), zeros(5, int64)));
        Assert.Throws<ShapeException>(() => new SparseCategoricalCrossEntropy().Of(zeros(4, 3), zeros(4)));
        Assert.Throws<ShapeException>(() => new CategoricalCrossEntropy().Of(zeros(4, 3), zeros(4, 1)));
        Assert.Throws<ShapeException>(() => new CategoricalCrossEntropy { ClassWeights = [1, 2] }.Of(zeros(4, 3), zeros(4, 3)));
    }

    [Fact, Trait("Kind", "fault")]
    public void Label_OutOfRange_IsADataErrorWithTheRange()
    {
        using var scope = TensorScope.Begin();
        Assert.Contains("0..7", Assert.Throws<DataException>(() => new SparseCategoricalCrossEntropy().Of(zeros(4, 3), tensor(new long[] { 0, 1, 7, 2 }))).Message);
    }

    private static (Loss Loss, Tensor Outputs, Tensor Targets, Tensor? Rows) Case(string name, double scale, ScalarType type)
    {
        Tensor logits = (tensor(Logits) * scale).to(type), soft = tensor(Soft).to(type), labels = tensor(Labels), rows = tensor(RowWeights).to(type);
        Tensor binary = tensor(new double[,] { { 0, 1, 1 }, { 1, 0, 0 }, { 1, 1, 0 }, { 0, 0, 1 } }).to(type);
        return name switch
        {
            "mse" => (new MeanSquaredError(), logits, soft, rows),
            "mae" => (new MeanAbsoluteError(), logits, soft, null),
            "huber" => (new Huber { Delta = 0.8 }, logits, soft, rows),
            "bce" => (new BinaryCrossEntropy(), logits, binary, null),
            "bce-weighted" => (new BinaryCrossEntropy { ClassWeights = ClassWeights[..2], LabelSmoothing = 0.1 }, logits, binary, rows),
            "sparse" => (new SparseCategoricalCrossEntropy(), logits, labels, null),
            "sparse-weighted" => (new SparseCategoricalCrossEntropy { ClassWeights = ClassWeights, LabelSmoothing = 0.1 }, logits, labels, rows),
            "soft" => (new CategoricalCrossEntropy(), logits, soft, null),
            "soft-weighted" => (new CategoricalCrossEntropy { ClassWeights = ClassWeights, LabelSmoothing = 0.1 }, logits, soft, rows),
            _ => (new KullbackLeibler(), logits, soft, rows),
        };
    }

    private static double[] LogSoftmax(int row)
    {
        double[] z = [Logits[row, 0], Logits[row, 1], Logits[row, 2]];
        double norm = Math.Log(z.Sum(Math.Exp));
        return [.. z.Select(x => x - norm)];
    }
}
