using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Any TorchSharp module as a layer, so that it can stand in a <see cref="Sequential"/>. Its keys begin with <c>module.</c>; it can not be written to config.json.</summary>
public sealed class ModuleLayer : Layer
{
    private readonly nn.Module<Tensor, Tensor> _module;

    /// <summary>Takes the module, which it owns from then on.</summary>
    public ModuleLayer(nn.Module<Tensor, Tensor> module)
    {
        _module = module;
        register_module("module", module);
    }

    /// <inheritdoc/>
    public override string TypeId => "module";

    /// <summary>Found by running one example of zeros.</summary>
    /// <inheritdoc/>
    public override Shape OutputShape(Shape input)
    {
        using var scope = TensorScope.Begin();
        using IDisposable quiet = no_grad();
        bool wasTraining = _module.training;
        _module.eval();
        try
        {
            return Shape.OfExample(_module.call(zeros([1, .. input.ToLongs()])));
        }
        catch (System.Runtime.InteropServices.ExternalException error)
        {
            throw new ShapeException($"{_module.GetName()} can not take examples of {input}: {error.Message.Split('\n')[0]}");
        }
        finally
        {
            _module.train(wasTraining);
        }
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input) => _module.call(input);

    internal override void WriteOptions(JsonObject options) =>
        throw new UsageException($"The layer '{_module.GetName()}' is a TorchSharp module of one's own and can not be written to config.json; keep its factory and save its weights with GraphBuilder.SaveWeights.");
}
