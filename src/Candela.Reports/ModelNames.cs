namespace Candela.Reports;

/// <summary>What model families are called in a sentence, and which of them are neural nets.</summary>
internal static class ModelNames
{
    public static string Of(string family) => family switch
    {
        "mlp" => "multilayer perceptron",
        "cnn" => "convolutional net",
        "text" => "text net",
        "linear" => "linear model",
        "perceptron" => "perceptron",
        "regression" => "linear regression",
        "tree" => "decision tree",
        "forest" => "random forest",
        "boosting" => "gradient-boosted trees",
        "llama" => "Llama transformer",
        "gpt2" => "GPT-2 transformer",
        "bert" => "BERT transformer",
        "transformer" => "transformer",
        "rnn" => "plain recurrent net",
        "lstm" => "LSTM net",
        "gru" => "GRU net",
        "naive" => "last value",
        "seasonal-naive" => "seasonal naive",
        "drift" => "drift",
        "autoregression" => "linear autoregression",
        "feature-crf" => "CRF over features",
        _ => family,
    };

    /// <summary>"the convolutional net (cnn)"; singular.</summary>
    public static string InSentence(string family) => Of(family) == family ? $"the {family} model" : $"the {(family == "boosting" ? "gradient-boosted tree model" : Of(family))} ({family})";

    public static bool IsNet(string family) => family is "mlp" or "cnn" or "text" or "rnn" or "lstm" or "gru" or "bert" || family.Contains("net", StringComparison.Ordinal);
}
