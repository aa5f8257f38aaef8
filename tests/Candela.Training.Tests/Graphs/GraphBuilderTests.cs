using System.Text.Json.Nodes;
using Candela.Graphs;
using static TorchSharp.torch;

namespace Candela.Training.Tests;

public sealed class GraphBuilderTests : IDisposable
{
    private readonly string _folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())).FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(LayerCase.GraphNames), MemberType = typeof(LayerCase))]
    [Trait("Kind", "property")]
    [NoTensorLeaks]
    public void SaveAndOpen_EveryLayer_GivesTheSameOutputs(string name)
    {
        LayerCase c = LayerCase.Of(name);
        using var network = new Sequential(c.Make());
        network.Build(c.Input, seed: 9);
        using var scope = TensorScope.Begin();
        Tensor x = c.Batch(4, ScalarType.Float32, 3);
        network.train();
        network.call(x); // moves running statistics
        network.eval();
        LayerGraphFile.Save(GraphBuilder.Describe(network, "test", HeadKind.Linear), _folder);
        GraphBuilder.SaveWeights(network, Path.Combine(_folder, GraphBuilder.WeightsFile));

        LayerGraph graph = LayerGraphFile.Open(_folder);
        using Sequential opened = GraphBuilder.Open(graph, _folder);
        opened.eval();
        Assert.Equal(network.Summary().ToString(), opened.Summary().ToString());
        Assert.Equal(network.state_dict().Keys, opened.state_dict().Keys);
        Assert.Equal(TensorMemory.Read(network.call(x)), TensorMemory.Read(opened.call(x)));
    }

    [Fact]
    [Trait("Kind", "conformance")]
    public void SaveWeights_OfATorchSharpModule_OpensIntoTheLayersOfTheSameKeys()
    {
        using var theirs = nn.Sequential(("fc1", nn.Linear(4, 3)), ("act", nn.ReLU()), ("fc2", nn.Linear(3, 2)));
        using var ours = new Sequential(new Dense(3, ActivationKind.Relu) { Name = "fc1" }, new Dense(2) { Name = "fc2" });
        string path = Path.Combine(_folder, "weights.safetensors");
        GraphBuilder.SaveWeights(theirs, path);
        ours.Build([4]);
        GraphBuilder.LoadWeights(ours, path);
        using var scope = TensorScope.Begin();
        Tensor x = ones(2, 4);
        Assert.Equal(TensorMemory.Read(theirs.call(x)), TensorMemory.Read(ours.call(x)));
    }

    [Theory]
    [MemberData(nameof(LayerCase.GraphNames), MemberType = typeof(LayerCase))]
    [Trait("Kind", "conformance")]
    public void GraphSummary_EveryLayer_EqualsTheNetworksOwn(string name)
    {
        LayerCase c = LayerCase.Of(name);
        using var network = new Sequential(c.Make());
        network.Build(c.Input);
        Assert.Equal(network.Summary().ToString(), GraphSummary.Of(GraphBuilder.Describe(network, "test", HeadKind.Linear)).ToString());
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Describe_Dropout_KeepsItsProbability()
    {
        using var network = new Sequential(new Dense(3), new Dropout(0.25), new Dense(2));
        network.Build([4]);
        using Sequential again = GraphBuilder.Build(GraphBuilder.Describe(network, "test", HeadKind.Linear));
        Assert.Equal(0.25, Assert.IsType<Dropout>(again.Children[1].Value).Probability);
    }

    [Fact]
    [Trait("Kind", "fault")]
    [NoTensorLeaks]
    public void Open_ConfigThatDoesNotFitTheWeights_NamesTheFile()
    {
        using var network = new Sequential(new Dense(3), new Dense(2));
        network.Build([4]);
        LayerGraph graph = GraphBuilder.Describe(network, "test", HeadKind.Linear);
        string path = Path.Combine(_folder, GraphBuilder.WeightsFile);
        GraphBuilder.SaveWeights(network, path);
        LayerGraph With(string type, JsonObject options) => graph with { Layers = [new LayerSpec(type, "dense1", options), graph.Layers[1]] };

        Assert.Contains("model.safetensors", Assert.Throws<FileFormatException>(() => GraphBuilder.Open(With("dense", new JsonObject { ["units"] = 2_000_000_000 }), _folder)).Message, StringComparison.Ordinal);
        Assert.Throws<FileFormatException>(() => GraphBuilder.Open(With("dense", new JsonObject { ["units"] = 2 }), _folder));
        Assert.Throws<FileFormatException>(() => GraphBuilder.Open(graph with { InputShape = [3] }, _folder));
        foreach ((string type, JsonObject options) in new (string, JsonObject)[]
        {
            ("dens", new JsonObject { ["units"] = 3 }), ("dense", []), ("dense", new JsonObject { ["units"] = "three" }), ("dense", new JsonObject { ["units"] = 0 }),
            ("dense", new JsonObject { ["units"] = 3, ["activation"] = "rellu" }), ("conv2d", new JsonObject { ["filters"] = 3, ["kernel"] = new JsonArray(1) }), ("dropout", new JsonObject { ["probability"] = 2 }),
        })
        {
            var error = Assert.Throws<FileFormatException>(() => GraphBuilder.Open(With(type, options), _folder));
            Assert.StartsWith(Path.Combine(_folder, "config.json"), error.Message, StringComparison.Ordinal);
        }

        File.Delete(path);
        Assert.Equal(Fault.Missing, Assert.Throws<FileFormatException>(() => GraphBuilder.Open(graph, _folder)).Fault);
    }

    [Fact]
    [Trait("Kind", "conformance")]
    public void ModuleLayer_InASequential_TrainsButIsNotWrittenAsAGraph()
    {
        using var network = new Sequential(new ModuleLayer(nn.Linear(4, 3)), new Dense(2));
        network.Build([4]);
        Assert.Equal(["module1.module.weight", "module1.module.bias", "dense1.weight", "dense1.bias"], TrainableParameter.Of(network).Select(p => p.Key));
        Assert.Throws<UsageException>(() => GraphBuilder.Describe(network, "custom", HeadKind.Linear));
        Assert.Throws<ShapeException>(() => network.OutputShape([5]));
    }
}
