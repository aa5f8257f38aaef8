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
        ("loss", "Loss", "mean surprise at the next token, in nats", false),
        ("perplexity", "Perplexity", "equally likely tokens that would leave one as unsure; e to the loss", false),
        ("bitsPerByte", "Bits per byte", "the same surprise per byte of text, so models of different tokenizers compare", false),
    ];

    public static string Name(string id) => Find(id).Name;

    public static string Meaning(string id) => Find(id).Meaning;

    public static bool HigherIsBetter(string id) => Find(id).HigherIsBetter;

    /// <summary>Whether its size depends on the data, so that digits are counted from the first one.</summary>
    public static bool IsOfAnySize(string id) => id is "rmse" or "mae" or "mse" or "perplexity";

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
