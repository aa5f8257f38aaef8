using Candela.Data;

namespace Candela.Reports;

/// <summary>What each metric is called and means, in the order in which they are shown.</summary>
internal static class MetricNames
{
    private static readonly (string Id, string Name, string Meaning, bool HigherIsBetter)[] Known =
    [
        ("accuracy", "Accuracy", "share of rows given the right class", true),
        ("f1Macro", "F1, macro", "precision and recall in one, every class alike", true),
        ("f1Weighted", "F1, weighted", "the same, classes by size", true),
        ("f1Micro", "F1, micro", "pooled over classes; equals accuracy", true),
        ("precisionMacro", "Precision, macro", "of the rows called a class, the share that is", true),
        ("recallMacro", "Recall, macro", "of the rows of a class, the share found", true),
        ("precisionWeighted", "Precision, weighted", "the same, classes by size", true),
        ("recallWeighted", "Recall, weighted", "the same, classes by size; equals accuracy", true),
        ("precisionMicro", "Precision, micro", "pooled over classes; equals accuracy", true),
        ("recallMicro", "Recall, micro", "pooled over classes; equals accuracy", true),
        ("rocAuc", "ROC AUC", "chance that a positive row ranks above a negative one", true),
        ("prAuc", "PR AUC", "average precision over all thresholds", true),
        ("mcc", "MCC", "correlation of predicted and actual class", true),
        ("top3", "Top-3 accuracy", "right class among the three likeliest", true),
        ("top5", "Top-5 accuracy", "right class among the five likeliest", true),
        ("logLoss", "Log loss", "surprise at the true class, in nats", false),
        ("brier", "Brier score", "squared error of the probabilities", false),
        ("ece", "Calibration error", "gap between confidence and accuracy (ECE)", false),
        ("r2", "R²", "share of the target's variance explained", true),
        ("rmse", "RMSE", "typical error, large ones count more", false),
        ("mae", "MAE", "mean size of the error", false),
        ("mape", "MAPE", "mean error relative to the actual value", false),
        ("mse", "MSE", "mean squared error", false),
        ("bleu", "BLEU", "n-grams shared with the reference, 0 to 100", true),
        ("chrf", "chrF", "character n-grams shared with the reference, 0 to 100", true),
        ("ter", "TER", "edits needed to reach the reference, per 100 words", false),
        ("rouge1", "ROUGE-1", "words shared with the reference, F1", true),
        ("rouge2", "ROUGE-2", "pairs of words shared with the reference, F1", true),
        ("rougeL", "ROUGE-L", "longest common subsequence with the reference, F1", true),
        ("exactMatch", "Exact match", "share of texts that equal the reference", true),
        ("smape", "sMAPE", "mean error relative to the size of forecast and actual value", false),
        ("coverage", "Coverage", "share of values within the bounds, which are made to hold 90 %", true),
        ("maeOverNet", "MAE over the net's", "how much larger the mean error is than the net's on the same values", false),
        ("mase", "MASE", "mean error relative to that of the seasonal naive forecast in training", false),
        ("maskedAccuracy", "Masked accuracy", "share of hidden tokens found", true),
        ("nspAccuracy", "Next-sentence accuracy", "share of pairs judged rightly", true),
        ("margin", "Margin", "mean difference of the implicit rewards", true),
        ("chosenReward", "Chosen reward", "mean implicit reward of the preferred answers", true),
        ("rejectedReward", "Rejected reward", "mean implicit reward of the other answers", false),
        ("loss", "Loss", "mean surprise at the next token, in nats", false),
        ("perplexity", "Perplexity", "equally likely tokens that would leave one as unsure; e to the loss", false),
        ("bitsPerByte", "Bits per byte", "the same surprise per byte of text, so models of different tokenizers compare", false),
    ];

    public static string Name(string id) => Find(id).Name;

    /// <summary>What it means; of tags, averages are over whole spans.</summary>
    public static string Meaning(string id, TaskKind task) => task != TaskKind.TokenClassification ? task == TaskKind.LanguageModel || id != "loss" ? Find(id).Meaning : "what training lowers" : id switch
    {
        "accuracy" => "share of tokens given the right tag",
        "f1Micro" => "precision and recall of whole spans in one",
        "precisionMicro" => "of the spans found, the share that is right in start, end and type",
        "recallMicro" => "of the spans there are, the share found",
        _ => Find(id).Meaning.Replace("classes", "types", StringComparison.Ordinal).Replace("class", "type", StringComparison.Ordinal).Replace("equals accuracy", "as found of each type", StringComparison.Ordinal).Replace("rows", "spans", StringComparison.Ordinal),
    };

    public static bool HigherIsBetter(string id) => Find(id).HigherIsBetter;

    /// <summary>Whether its size depends on the data, so that digits are counted from the first one.</summary>
    public static bool IsOfAnySize(string id) => id is "rmse" or "mae" or "mse" or "perplexity" or "bleu" or "chrf" or "ter" or "smape";

    /// <summary>The ids among <paramref name="present"/>, in order; unknown ones at the end.</summary>
    public static IEnumerable<string> InOrder(IEnumerable<string> present)
    {
        var ids = present.ToHashSet();
        return Known.Select(k => k.Id).Where(ids.Contains).Concat(ids.Where(i => !Array.Exists(Known, k => k.Id == i)).Order(StringComparer.Ordinal));
    }

    private static (string Id, string Name, string Meaning, bool HigherIsBetter) Find(string id)
    {
        int index = Array.FindIndex(Known, k => k.Id == id);
        return index >= 0 ? Known[index] : (id, id, "", true);
    }
}
