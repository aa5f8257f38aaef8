using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Candela.Training.Tests.Optimizers;

/// <summary>The fused optimisers, bound to a module, against TorchSharp's own on a twin module with the same data.</summary>
[Trait("Kind", "conformance")]
public class TorchConformanceTests
{
    public TorchConformanceTests() => LibTorch.Load();

    public static TheoryData<string> Cases => ["sgd", "momentum", "dampening", "nesterov", "adagrad", "rmsprop", "rmsprop-centered", "adam", "adamw", "amsgrad"];

    [Theory, MemberData(nameof(Cases))]
    public void Trajectory_OnANet_EqualsTorchs(string name)
    {
        const double Rate = 0.01, L2 = 0.02;
        using var scope = TensorScope.Begin();
        random.manual_seed(1);
        using var ours = Net();
        using var theirs = Net();
        theirs.load_state_dict(ours.state_dict());
        var all = theirs.parameters();
        // PyTorch decays biases too unless they are put in a group of their own; here all weights and no bias decay.
        List<Parameter> weights = [.. all.Where(p => p.dim() > 1)], biases = [.. all.Where(p => p.dim() == 1)];
        (OptimizerOptions Options, Func<IEnumerable<Parameter>, double, torch.optim.Optimizer> Torchs) twin = name switch
        {
            "sgd" => (new SgdOptions { L2 = L2 }, (p, l2) => optim.SGD(p, Rate, weight_decay: l2)),
            "momentum" => (new SgdOptions { L2 = L2, Momentum = 0.9 }, (p, l2) => optim.SGD(p, Rate, momentum: 0.9, weight_decay: l2)),
            "dampening" => (new SgdOptions { L2 = L2, Momentum = 0.9, Dampening = 0.3 }, (p, l2) => optim.SGD(p, Rate, momentum: 0.9, dampening: 0.3, weight_decay: l2)),
            "nesterov" => (new SgdOptions { L2 = L2, Momentum = 0.9, Nesterov = true }, (p, l2) => optim.SGD(p, Rate, momentum: 0.9, weight_decay: l2, nesterov: true)),
            "adagrad" => (new AdagradOptions { L2 = L2, RateDecay = 0.1, InitialSum = 0.1 }, (p, l2) => optim.Adagrad(p, Rate, lr_decay: 0.1, weight_decay: l2, initial_accumulator_value: 0.1)),
            "rmsprop" => (new RmspropOptions { L2 = L2, Momentum = 0.5 }, (p, l2) => optim.RMSProp(p, Rate, alpha: 0.99, weight_decay: l2, momentum: 0.5)),
            "rmsprop-centered" => (new RmspropOptions { L2 = L2, Centered = true }, (p, l2) => optim.RMSProp(p, Rate, alpha: 0.99, weight_decay: l2, centered: true)),
            "adam" => (new AdamOptions { L2 = L2 }, (p, l2) => optim.Adam(p, Rate, weight_decay: l2)),
            "adamw" => (new AdamOptions { L2 = L2, Decoupled = true }, (p, l2) => optim.AdamW(p, Rate, weight_decay: l2)),
            _ => (new AdamOptions { L2 = L2, AmsGrad = true }, (p, l2) => optim.Adam(p, Rate, weight_decay: l2, amsgrad: true)),
        };
        using var fused = new TorchOptimizer(ours, twin.Options);
        using torch.optim.Optimizer first = twin.Torchs(weights, L2), second = twin.Torchs(biases, 0);
        for (int step = 0; step < 20; step++)
        {
            Tensor x = randn(16, 5), y = x.sum(1, keepdim: true).sin();
            fused.ZeroGrad();
            new MeanSquaredError().Of(ours.call(x), y).backward();
            fused.Step(Rate);
            first.zero_grad();
            second.zero_grad();
            nn.functional.mse_loss(theirs.call(x), y).backward();
            first.step();
            second.step();
        }

        foreach ((Tensor a, Tensor b) in ours.parameters().Zip(theirs.parameters()))
            Assert.InRange((a - b).abs().max().ToSingle(), 0, name == "rmsprop-centered" ? 2e-5 : 2e-6);
    }

    [Fact]
    public void Lbfgs_OnANet_LowersTheLossFarBelowAdams()
    {
        using var scope = TensorScope.Begin();
        random.manual_seed(1);
        using var net = Net();
        Tensor x = randn(64, 5), y = x.sum(1, keepdim: true).sin();
        using var optimizer = new TorchOptimizer(net, new LbfgsOptions());
        double first = 0, last = 0;
        for (int step = 0; step < 60; step++)
        {
            last = optimizer.Step(() =>
            {
                using var inner = TensorScope.Begin();
                optimizer.ZeroGrad();
                Tensor loss = new MeanSquaredError().Of(net.call(x), y);
                loss.backward();
                return loss.ToDouble();
            });
            first = step == 0 ? last : first;
        }

        Assert.True(last < first / 50, $"{first} -> {last}");
    }

    [Fact]
    public void FlatParameters_AreTheModulesOwnMemory()
    {
        using var scope = TensorScope.Begin();
        using var net = Net();
        Tensor x = randn(3, 5), before = net.call(x).detach();
        using (var flat = new FlatParameters(net))
        {
            Assert.Equal(before.data<float>().ToArray(), net.call(x).detach().data<float>().ToArray());
            Assert.Equal(net.parameters().Sum(p => p.numel()), flat.Parameters.Sum(p => p.Value.numel()));
            Assert.True(flat.Segments.SkipWhile(s => s.Decays).All(s => !s.Decays));
            flat.Values.Clear();
            Assert.Equal(0, net.call(x).abs().sum().ToSingle());
            net.call(x).sum().backward();
            Assert.Contains(flat.Gradients.ToArray(), g => g != 0);
            flat.ZeroGradients();
            Assert.All(net.parameters(), p => Assert.Equal(0, p.grad!.abs().sum().ToSingle()));
        }

        Assert.All(net.parameters(), p => Assert.Null(p.grad));
    }

    [Fact]
    public void Step_AfterModuleZeroGrad_StillTrains()
    {
        using var scope = TensorScope.Begin();
        random.manual_seed(1);
        using var net = Net();
        using var optimizer = new TorchOptimizer(net, new SgdOptions());
        Tensor x = randn(8, 5);
        for (int step = 0; step < 3; step++)
        {
            net.zero_grad(); // TorchSharp's: may replace or drop the gradient tensors
            float[] before = optimizer.Parameters.Values.ToArray();
            net.call(x).square().mean().backward();
            Assert.True(optimizer.Step(0.1) > 0);
            Assert.NotEqual(before, optimizer.Parameters.Values.ToArray());
        }
    }

    private static TorchSharp.Modules.Sequential Net() => nn.Sequential(("a", nn.Linear(5, 9)), ("b", nn.Tanh()), ("c", nn.Linear(9, 1)));
}
