using Candela.Classic;
using Candela.Classic.Forecasting;
using Candela.Experiments;
using Candela.Models;
using Candela.Training;
using Candela.Training.Tasks;

namespace Candela.Cli;

/// <summary>Every model family the command offers. Listing them loads no native library.</summary>
internal static class Families
{
    public static IReadOnlyList<IModelFamily> All { get; } = [.. NeuralFamilies.All, .. ClassicFamilies.All];

    /// <summary>Every task over sequences.</summary>
    public static IReadOnlyList<ISequenceTask> Tasks { get; } = [new LanguageModelTask(), new MaskedLanguageModelTask(), new PreferenceTask(), new TokenClassificationTask(() => new FeatureTaggerReference()), new TranslationTask(), new SummarizationTask(), new ForecastTask(window => [new LinearAutoregression(window)])];
}
