using Candela.Models;
using Candela.Training.DenseNets;

namespace Candela.Training;

/// <summary>Every family of this library, for the command and for experiments. Naming them loads no libtorch.</summary>
public static class NeuralFamilies
{
    /// <summary>mlp, linear-gd, perceptron, cnn, text, rnn, lstm, gru, bert.</summary>
    public static IReadOnlyList<IModelFamily> All { get; } = [.. DenseFamilies.All, new CnnFamily(), new TextFamily(), .. RecurrentText.Cells.Select(cell => new RecurrentTextFamily(cell)), new EncoderFamily()];
}
