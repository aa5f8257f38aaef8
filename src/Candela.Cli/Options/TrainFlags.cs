using Candela.Experiments;
using Candela.Models;

namespace Candela.Cli.Options;

/// <summary>One option of <c>candela train</c>: a recipe key with the words of its help.</summary>
/// <param name="Key">The recipe key; the flag is <c>--key</c>.</param>
/// <param name="Value">What help calls its value.</param>
/// <param name="Help">One line.</param>
internal sealed record TrainFlag(string Key, string Value, string Help)
{
    /// <summary>The environment variable read when the flag is absent: <c>CANDELA_MAX_STEPS</c>.</summary>
    public string Variable => "CANDELA_" + Key.Replace('-', '_').ToUpperInvariant();

    /// <summary>Whether the bare flag means yes.</summary>
    public bool IsSwitch => Value == "yes|no";

    /// <summary>The request with this option set; given several times, lists are joined.</summary>
    public TrainRequest Apply(TrainRequest request, IReadOnlyList<string> texts) => Recipe.Set(request, Key, texts);
}

/// <summary>Every option of <c>candela train</c> in the order help shows them.</summary>
internal static class TrainFlags
{
    public static IReadOnlyList<TrainFlag> All { get; } =
    [
        // What to learn
        new("target", "COL|#INDEX|last", "Column to predict."),
        new("task", "T", "regression, classification, text-classification, language-model or masked-language-model (of a text), preference (of answers in JSON Lines), token-classification (of CoNLL or CoNLL-U sentences), translation or summarization (of pairs of texts), or forecast (of series, a row per time). Default: one of the first two, inferred from the target."),
        new("model", "M", "auto (default), linear, mlp, cnn, text, lstm, gru, rnn, bert (with --base), boosting, forest, tree, linear-gd or perceptron."),

        // How the file is read
        new("labels", "FILE", "Labels of an IDX images file."),
        new("header", "auto|yes|no", "Whether the first line holds names. Default: auto."),
        new("skip-lines", "N", "Lines to leave out at the start."),
        new("columns", "a,b,...", "Column names, instead of the header's."),
        new("na", "?,NA,...", "Cells that mean 'missing' too, besides the empty cell, NA, N/A, NaN, null, None and ?; 'none' drops these."),
        new("schema", "FILE", "Column kinds from a YAML file (name: kind)."),
        new("type", "COL=KIND", "Kind of one column (may be repeated): number, integer, category, boolean, date, text, constant or identifier."),
        new("exclude", "COLS", "Columns to leave out (may be repeated)."),
        new("keep", "COLS", "The only input columns to use (may be repeated)."),

        // Splits
        new("valid", "FILE|FRACTION", "Validation rows. Default: 0.15 of all rows."),
        new("test", "FILE|FRACTION", "Test rows. Default: 0.2 of all rows."),
        new("folds", "K", "Cross-validate with K folds as well."),

        // Training
        new("epochs", "N", "Passes over the training rows at the most."),
        new("max-steps", "N", "Optimiser steps at the most."),
        new("batch-size", "N", "Rows per step."),
        new("base", "FOLDER", "Language models and text classifiers: train on from this model folder."),
        new("tokenizer", "T", "Language models: char, bpe, or a tokenizer file. Default: by the text."),
        new("vocabulary", "N", "Language models: tokens of a trained vocabulary."),
        new("layers", "N", "Nets over text: layers. Default: 4 of a language model, 1 of a tagger and of lstm, gru and rnn."),
        new("heads", "N", "Language models: attention heads. Default: 4."),
        new("width", "N", "Nets over text: numbers per token. Default: 128; 64 of lstm, gru and rnn."),
        new("block", "N", "Nets over text: tokens of a training sequence. Default: 128."),
        new("evaluate-every", "N", "Language models: steps between evaluations."),
        new("lora-rank", "R", "Language models: train adapters of this rank beside --base's frozen weights (LoRA)."),
        new("lora-alpha", "A", "Language models: adapters count A/R times. Default: 2 R."),
        new("lora-dropout", "P", "Language models: dropout of adapters, 0 to 1."),
        new("lora-targets", "a,b", "Language models: names of the matrices that get adapters. Default: attention."),
        new("head-only", "yes|no", "With --base: train the output layers alone."),
        new("feed-forward", "N", "Language models: numbers inside the feed-forward half of a block. Default: 8/3 of the width, 4 of gpt2."),
        new("checkpoint-activations", "yes|no", "Language models: keep the inputs of blocks alone and run each again on the way back."),
        new("precision", "P", "Language models: auto (bf16 on CUDA, else fp32), fp32, or bf16 (products in bfloat16)."),
        new("beta", "X", "Preferences: how strongly the model is held to its base. Default: 0.1."),
        new("source", "COL", "Translation and summarization: column of the texts to be read; --target is that of the texts to be written. Default: by name."),
        new("target-file", "FILE", "Translation and summarization: the targets of the data's lines, where they are in a file of their own."),
        new("valid-target", "FILE", "The same of --valid. Default: the file named as the targets' is."),
        new("test-target", "FILE", "The same of --test."),
        new("beams", "N", "Translation and summarization: texts kept at each step of writing. Default: 5."),
        new("time", "COL", "Forecasts: column of times. Default: the only column of dates, else rows are equal steps."),
        new("group", "COL", "Forecasts: column that names the series a row belongs to. Default: one series."),
        new("horizon", "N", "Forecasts: steps ahead. Default: a season, or 12."),
        new("window", "N", "Forecasts: past steps the net looks at. Default: two seasons, or 24."),
        new("season", "N", "Forecasts: steps of a season, 1 for none. Default: found in the training part."),
        new("nsp", "yes|no", "Masked language models: whether pairs of texts are judged too. Default: where the text has documents."),
        new("optimizer", "O", $"{string.Join(", ", OptionNames.Optimizers)}."),
        new("learning-rate", "X", "Peak learning rate."),
        new("schedule", "S", $"{string.Join(", ", OptionNames.Schedules)}."),
        new("warmup", "STEPS", "Steps over which the rate rises before the schedule; 0 for none."),
        new("end-learning-rate", "X", "Rate at the end of a cosine."),
        new("beta2", "X", "Adam's second decay."),
        new("hidden", "64,32", "Widths of hidden dense layers; 'none' for none."),
        new("dropout", "P", "Dropout probability, 0 to 1."),
        new("l1", "X", "L1 penalty."),
        new("l2", "X", "L2 penalty or weight decay."),
        new("label-smoothing", "X", "0 to 1."),
        new("class-weights", "none|balanced", "Weights of classes in the loss. Default: none."),
        new("ema", "X", "Decay of the moving average of weights; 0 is off."),
        new("accumulate", "N", "Batches whose gradients are added before one step."),
        new("clip-norm", "X", "Clip the global gradient norm."),
        new("patience", "N", "Stop after N epochs without a better validation score."),
        new("max-seconds", "S", "Budget of the whole run in seconds."),
        new("max-joules", "J", "Budget of the whole run in joules."),

        // Where and how
        new("seed", "N", "Seed of split and training. Default: 0."),
        new("threads", "N", "Threads. Default: the processors available."),
        new("device", "D", "auto (default), cpu, cuda or mps."),
        new("region", "R", "Region of the carbon intensity. Default: world."),
    ];
}
