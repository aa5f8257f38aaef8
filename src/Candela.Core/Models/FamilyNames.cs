namespace Candela.Models;

/// <summary>What other libraries call the families we have.</summary>
internal static class FamilyNames
{
    private static readonly Dictionary<string, string[]> Synonyms = new()
    {
        ["boosting"] = ["xgboost", "xgb", "lightgbm", "lgbm", "lgb", "catboost", "gbm", "gbt", "gbdt", "gbrt", "hist-gbm", "histgradientboosting", "gradientboosting", "boosted-trees", "adaboost"],
        ["forest"] = ["rf", "randomforest", "extratrees", "bagging"],
        ["tree"] = ["decisiontree", "cart", "dt"],
        ["mlp"] = ["nn", "ann", "dnn", "net", "neural", "neuralnet", "neuralnetwork", "dense", "feedforward", "ffn", "deep"],
        ["linear"] = ["logistic", "logreg", "logisticregression", "linearregression", "lr", "ols", "ridge", "lasso", "elasticnet", "softmax", "glm", "svm", "svc", "svr", "linearsvc"],
        ["cnn"] = ["convnet", "conv", "resnet", "lenet", "vgg", "image"],
        ["text"] = ["textcnn", "fasttext", "nlp"],
        ["lstm"] = ["bilstm", "recurrent", "sequence"],
        ["bert"] = ["transformer", "roberta", "distilbert", "electra", "albert"],
        ["linear-gd"] = ["sgdclassifier", "sgdregressor", "sgd"],
    };

    /// <summary>A sentence with the family that does what <paramref name="given"/> names elsewhere, or with the nearest name of ours, or an empty string.</summary>
    public static string Hint(string given, IReadOnlyList<string> known)
    {
        string bare = Bare(given);
        foreach (var (family, names) in Synonyms)
            if (known.Contains(family) && (bare == Bare(family) || names.Any(n => Bare(n) == bare)))
                return $" What we have of that kind is '{family}'.";
        return NearestName.Hint(given, known);
    }

    // Random-Forest, random_forest and RandomForestClassifier are one name.
    private static string Bare(string name)
    {
        string bare = string.Concat(name.ToLowerInvariant().Where(char.IsLetterOrDigit));
        foreach (string ending in (string[])["classifier", "regressor", "classification", "model", "cv"])
            if (bare.Length > ending.Length && bare.EndsWith(ending, StringComparison.Ordinal))
                bare = bare[..^ending.Length];
        return bare;
    }
}
