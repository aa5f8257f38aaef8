namespace Candela.Models;

/// <summary>The ids that options take by name. Recipes and command-line flags are checked against them; the rooms that train offer exactly these.</summary>
public static class OptionNames
{
    /// <summary>Optimisers.</summary>
    public static IReadOnlyList<string> Optimizers { get; } = ["gd", "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "amsgrad", "lion", "lbfgs"];

    /// <summary>Learning-rate schedules; <c>warmup+X</c> warms up and then follows X.</summary>
    public static IReadOnlyList<string> Schedules { get; } = ["constant", "step", "cosine", "warmup", "one-cycle", "plateau", "warmup+step", "warmup+cosine", "warmup+plateau"];

    /// <summary>Class weights: none, or rows / (classes x rows of the class).</summary>
    public static IReadOnlyList<string> ClassWeights { get; } = ["none", "balanced"];
}
