using System.Text.Json.Nodes;
using Candela.Graphs;

namespace Candela.Tests.Graphs;

public class LayerGraphFileTests
{
    private static readonly LayerGraph Example = new("cnn", [1, 28, 28],
    [
        new("conv2d", "conv1", new JsonObject { ["filters"] = 32, ["kernel"] = new JsonArray(3, 3), ["activation"] = "relu" }),
        new("residual", "block1", []) { Children = [new("dense", "inner", new JsonObject { ["units"] = 8 })] },
        new("dense", "dense1", new JsonObject { ["units"] = 10 }),
    ],
    HeadKind.Linear)
    { Scale = 0.1, Offset = -3.25e-7 };

    [Fact]
    [Trait("Kind", "golden")]
    public void Save_ThenOpen_GivesTheSameGraph()
    {
        using var folder = new TemporaryFolder();
        LayerGraphFile.Save(Example, folder.Path);
        var graph = LayerGraphFile.Open(folder.Path);

        Assert.Equal("candela-graph", JsonNode.Parse(File.ReadAllText(folder.File("config.json")))!["model_type"]!.GetValue<string>());
        Assert.True(JsonNode.DeepEquals(LayerGraphFile.ToJson(Example), LayerGraphFile.ToJson(graph)));
        Assert.Equal([1, 28, 28], graph.InputShape);
        Assert.Equal("inner", graph.Layers[1].Children[0].Name);
        Assert.Equal((Example.Scale, Example.Offset, HeadKind.Linear), (graph.Scale, graph.Offset, graph.Head));
    }

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("\"candela-graph\"", "\"llama\"", Fault.Unsupported, "llama")]
    [InlineData("\"format_version\": 1", "\"format_version\": 2", Fault.Unsupported, "newer")]
    [InlineData("\"name\": \"conv1\"", "\"name\": \"dense1\"", Fault.Corrupt, "like one before it")]
    [InlineData("\"kind\": \"linear\"", "\"kind\": \"cubic\"", Fault.Unsupported, "cubic")]
    [InlineData("\"options\"", "\"option\"", Fault.Corrupt, "options")]
    [InlineData("28", "28.5", Fault.Corrupt, "input_shape")]
    [InlineData("\"family\": \"cnn\",", "\"family\": \"cnn\", \"family\": \"cnn\",", Fault.Corrupt, "JSON")]
    [InlineData("\"scale\": 0.1", "\"scale\": 1e999", Fault.Corrupt, "scale")]
    public void Open_ChangedFile_IsRefusedWithTheReason(string replace, string by, Fault fault, string says)
    {
        using var folder = new TemporaryFolder();
        LayerGraphFile.Save(Example, folder.Path);
        string text = File.ReadAllText(folder.File("config.json"));
        Assert.Contains(replace, text, StringComparison.Ordinal);
        File.WriteAllText(folder.File("config.json"), text.Replace(replace, by, StringComparison.Ordinal));
        var error = Assert.Throws<FileFormatException>(() => LayerGraphFile.Open(folder.Path));
        Assert.Equal(fault, error.Fault);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }
}
