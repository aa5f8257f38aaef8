using System.Text.Json.Nodes;
using Candela.Data;
using Candela.Models;
using Candela.Training.Language;
using TorchSharp;
using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>A text classifier that was trained on from a folder of the BERT family. Saved as such a folder, with what it needs to read a row under <c>task_specific_params.candela</c> of config.json.</summary>
internal sealed class EncoderClassifier : IFittedModel
{
    private const string OwnKey = "candela", ParametersKey = "task_specific_params", LengthKey = "max_tokens", ColumnsKey = "text_columns";
    private readonly Bert _bert;
    private readonly EncoderInputs _inputs;

    /// <summary>Takes over a model, moved to the CPU and put in evaluation mode.</summary>
    public EncoderClassifier(Bert bert, EncoderInputs inputs)
    {
        (_bert, _inputs) = (bert, inputs);
        _bert.Network.cpu();
        _bert.Network.eval();
    }

    /// <inheritdoc/>
    public string Family => EncoderFamily.FamilyId;

    /// <inheritdoc/>
    public long ParameterCount => _bert.Config.ParameterCount;

    /// <summary>The model as it is kept: with its classes and how rows are read.</summary>
    public static BertConfig With(BertConfig config, int maxTokens, int columns)
    {
        JsonObject source = config.Source?.DeepClone().AsObject() ?? new JsonObject();
        JsonObject own = source[ParametersKey]?.AsObject() ?? new JsonObject();
        own[OwnKey] = new JsonObject { [LengthKey] = maxTokens, [ColumnsKey] = columns };
        source[ParametersKey] = own.DeepClone();
        return config with { Source = source };
    }

    /// <summary>Opens what <see cref="Save"/> wrote.</summary>
    /// <exception cref="FileFormatException">A file is missing or damaged, or the model is not such a classifier.</exception>
    /// <exception cref="ShapeException">The model does not fit the problem or the rows.</exception>
    public static EncoderClassifier Open(string folder, Problem problem, FeatureLayout layout)
    {
        Bert bert = Bert.Load(folder);
        try
        {
            string file = Path.Combine(folder, TransformerConfig.FileName);
            JsonNode? own = bert.Config.Source?[ParametersKey]?[OwnKey];
            if (own?[LengthKey] is not JsonValue length || !length.TryGetValue(out int maxTokens) || maxTokens < 1 || maxTokens > bert.Config.ContextLength
                || own[ColumnsKey] is not JsonValue count || !count.TryGetValue(out int columns) || columns is not (1 or 2))
                throw new FileFormatException(file, Fault.Corrupt, $"'{ParametersKey}.{OwnKey}' with '{LengthKey}' (1 to {bert.Config.ContextLength}) and '{ColumnsKey}' (1 or 2) is missing or wrong; a text classifier of a run folder needs them.");
            if (bert.Config.Head != BertHead.SequenceClassification || bert.Config.Labels.Count != problem.Outputs || columns != layout.TextColumns)
                throw new ShapeException($"{file}: the model has the head {bert.Config.Head} of {bert.Config.Labels.Count} labels over {columns} texts; the task '{problem.Task}' has {problem.Outputs} scores and the rows {layout.TextColumns} texts.");
            return new EncoderClassifier(bert, new EncoderInputs(EncoderFamily.TokenizerOf(bert, folder), bert.Config, maxTokens, columns));
        }
        catch
        {
            bert.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Score(FeatureBatch batch, Span<float> scores)
    {
        if (batch.Count == 0)
            return;
        using TensorScope scope = TensorScope.Begin();
        long classes = 0;
        float[] logits = EncoderTrainable.Logits(_bert.Network, _inputs, batch, CPU, ref classes);
        TensorMemory.Singles(nn.functional.softmax(tensor(logits, [batch.Count, classes]), 1).contiguous()).CopyTo(scores);
    }

    /// <inheritdoc/>
    public void Save(string folder) => _bert.SaveTo(folder);

    /// <inheritdoc/>
    public string Summary() => $"{_bert.Config.ModelType}, {_bert.Config.Layers} layers of width {_bert.Config.Width}, {_inputs.MaxTokens} tokens of {(_inputs.Columns == 2 ? "a pair of texts" : "a text")} at the most{Environment.NewLine}{TransformerSummary.Of(_bert.Config)}";

    /// <inheritdoc/>
    public void Dispose() => _bert.Dispose();
}
