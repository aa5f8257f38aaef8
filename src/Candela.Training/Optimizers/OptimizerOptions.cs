using Candela.Models;

namespace Candela.Training;

/// <summary>Which optimiser and its numbers. Defaults are PyTorch's unless stated. The learning rate is given per step, by the schedule.</summary>
public abstract record OptimizerOptions
{
    /// <summary>The name in recipes: gd, sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw, amsgrad, lion, lbfgs.</summary>
    public abstract string Id { get; }

    /// <summary>A peak learning rate that suits this optimiser when nothing else is known.</summary>
    public abstract double UsualLearningRate { get; }

    /// <summary>L1 penalty of segments that decay: after the update every such number moves towards 0 by learning rate x L1 and stops there (proximal soft threshold), so zeros are
    /// exact. The threshold is scaled as the optimiser scales a steady gradient (by 1 / (1 - momentum), or by the adaptive denominator), so that it ends at the lasso's solution;
    /// with lion it is learning rate x L1 as it is. Default 0.</summary>
    public double L1 { get; init; }

    /// <summary>L2 penalty of segments that decay. For gd, sgd, momentum, nesterov, adagrad, rmsprop, adam, amsgrad, lbfgs it adds L2 x parameter to the gradient (a penalty
    /// of L2/2 times the squared norm); for adamw and lion it is decoupled: the parameter shrinks by the factor 1 - learning rate x L2. Default 0.</summary>
    public double L2 { get; init; }

    /// <summary>True when one step is meant to see the whole training set (gd, lbfgs).</summary>
    public virtual bool FullBatch => false;

    /// <summary>The known ids.</summary>
    public static IReadOnlyList<string> Ids => OptionNames.Optimizers;

    /// <summary>The options of the optimiser called <paramref name="id"/>, with its defaults.</summary>
    /// <exception cref="UsageException">The id is unknown; the message names the nearest.</exception>
    public static OptimizerOptions Of(string id) => id switch
    {
        "gd" => new SgdOptions { WholeSet = true },
        "sgd" => new SgdOptions(),
        "momentum" => new SgdOptions { Momentum = 0.9 },
        "nesterov" => new SgdOptions { Momentum = 0.9, Nesterov = true },
        "adagrad" => new AdagradOptions(),
        "rmsprop" => new RmspropOptions(),
        "adam" => new AdamOptions(),
        "adamw" => new AdamOptions { Decoupled = true, L2 = 0.01 },
        "amsgrad" => new AdamOptions { AmsGrad = true },
        "lion" => new LionOptions(),
        "lbfgs" => new LbfgsOptions(),
        _ => throw new UsageException($"There is no optimiser '{id}'.{NearestName.Hint(id, Ids)} Known: {string.Join(", ", Ids)}."),
    };

    /// <summary>The range a number must lie in; called by every optimiser's constructor.</summary>
    /// <exception cref="UsageException">It does not.</exception>
    protected static void Require(bool holds, string name, double received, string needed)
    {
        if (!holds)
            throw new UsageException($"Optimiser option {name} is {received}; it must be {needed}.");
    }

    /// <summary>Checks every number.</summary>
    /// <exception cref="UsageException">One is out of range; the message names it.</exception>
    public virtual void Check()
    {
        Require(L1 >= 0 && double.IsFinite(L1), nameof(L1), L1, "0 or more");
        Require(L2 >= 0 && double.IsFinite(L2), nameof(L2), L2, "0 or more");
    }
}

/// <summary>Gradient descent, stochastic gradient descent, momentum (Polyak 1964) and Nesterov momentum in the form of Sutskever et al. 2013 that PyTorch uses:
/// d = g + L2 p; v = Momentum v + (1 - Dampening) d (v = d at first); p -= lr v, or p -= lr (d + Momentum v) with Nesterov.</summary>
public sealed record SgdOptions : OptimizerOptions
{
    /// <summary>Share of the velocity kept per step, in [0, 1). Default 0.</summary>
    public double Momentum { get; init; }

    /// <summary>Share of each gradient left out of the velocity, in [0, 1]. Default 0.</summary>
    public double Dampening { get; init; }

    /// <summary>Looks ahead along the velocity; needs momentum and no dampening. Default false.</summary>
    public bool Nesterov { get; init; }

    /// <summary>Batches are the whole training set (gd). Default false.</summary>
    public bool WholeSet { get; init; }

    /// <inheritdoc/>
    public override string Id => WholeSet ? "gd" : Nesterov ? "nesterov" : Momentum > 0 ? "momentum" : "sgd";

    /// <inheritdoc/>
    public override double UsualLearningRate => Momentum > 0 ? 0.01 : 0.1;

    /// <inheritdoc/>
    public override bool FullBatch => WholeSet;

    /// <inheritdoc/>
    public override void Check()
    {
        base.Check();
        Require(Momentum is >= 0 and < 1, nameof(Momentum), Momentum, "in [0, 1)");
        Require(Dampening is >= 0 and <= 1, nameof(Dampening), Dampening, "in [0, 1]");
        Require(!Nesterov || (Momentum > 0 && Dampening == 0), nameof(Nesterov), Momentum, "used with a momentum above 0 and no dampening");
    }
}

/// <summary>AdaGrad (Duchi et al. 2011): s += d^2; p -= lr / (1 + (t - 1) RateDecay) d / (sqrt(s) + Epsilon). Its effective rate only falls.</summary>
public sealed record AdagradOptions : OptimizerOptions
{
    /// <summary>Extra decay of the rate per step. Default 0.</summary>
    public double RateDecay { get; init; }

    /// <summary>First value of the sums of squares. Default 0.</summary>
    public double InitialSum { get; init; }

    /// <summary>Keeps the division finite. Default 1e-10.</summary>
    public double Epsilon { get; init; } = 1e-10;

    /// <inheritdoc/>
    public override string Id => "adagrad";

    /// <inheritdoc/>
    public override double UsualLearningRate => 0.01;

    /// <inheritdoc/>
    public override void Check()
    {
        base.Check();
        Require(RateDecay >= 0, nameof(RateDecay), RateDecay, "0 or more");
        Require(InitialSum >= 0, nameof(InitialSum), InitialSum, "0 or more");
        Require(Epsilon > 0, nameof(Epsilon), Epsilon, "above 0");
    }
}

/// <summary>RMSprop (Hinton's lecture 6e, 2012; centred: Graves 2013): s = Alpha s + (1 - Alpha) d^2; centred also m = Alpha m + (1 - Alpha) d and s - m^2 in place of s;
/// u = d / (sqrt(s) + Epsilon); p -= lr u, or v = Momentum v + u; p -= lr v.</summary>
public sealed record RmspropOptions : OptimizerOptions
{
    /// <summary>Share of the mean square kept per step, in [0, 1). Default 0.99.</summary>
    public double Alpha { get; init; } = 0.99;

    /// <summary>Keeps the division finite. Default 1e-8.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Divides by the deviation instead of the root mean square. Default false.</summary>
    public bool Centered { get; init; }

    /// <summary>Momentum of the scaled gradient, in [0, 1). Default 0.</summary>
    public double Momentum { get; init; }

    /// <inheritdoc/>
    public override string Id => "rmsprop";

    /// <inheritdoc/>
    public override double UsualLearningRate => 0.001;

    /// <inheritdoc/>
    public override void Check()
    {
        base.Check();
        Require(Alpha is >= 0 and < 1, nameof(Alpha), Alpha, "in [0, 1)");
        Require(Momentum is >= 0 and < 1, nameof(Momentum), Momentum, "in [0, 1)");
        Require(Epsilon > 0, nameof(Epsilon), Epsilon, "above 0");
    }
}

/// <summary>Adam with bias correction (Kingma and Ba 2015, algorithm 1), AdamW (Loshchilov and Hutter 2019: Decoupled) and AMSGrad (Reddi et al. 2018):
/// m = Beta1 m + (1 - Beta1) d; v = Beta2 v + (1 - Beta2) d^2; p -= lr m / (1 - Beta1^t) / (sqrt(v / (1 - Beta2^t)) + Epsilon), AMSGrad with the largest v so far.</summary>
public sealed record AdamOptions : OptimizerOptions
{
    /// <summary>Share of the first moment kept per step, in [0, 1). Default 0.9.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Share of the second moment kept per step, in [0, 1). Default 0.999.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Keeps the division finite. Default 1e-8.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Decay shrinks the parameter instead of joining the gradient (AdamW). Default false.</summary>
    public bool Decoupled { get; init; }

    /// <summary>Divides by the largest second moment so far. Default false.</summary>
    public bool AmsGrad { get; init; }

    /// <inheritdoc/>
    public override string Id => AmsGrad ? "amsgrad" : Decoupled ? "adamw" : "adam";

    /// <inheritdoc/>
    public override double UsualLearningRate => 0.001;

    /// <inheritdoc/>
    public override void Check()
    {
        base.Check();
        Require(Beta1 is >= 0 and < 1, nameof(Beta1), Beta1, "in [0, 1)");
        Require(Beta2 is >= 0 and < 1, nameof(Beta2), Beta2, "in [0, 1)");
        Require(Epsilon > 0, nameof(Epsilon), Epsilon, "above 0");
    }
}

/// <summary>Lion (Chen et al. 2023, algorithm 2): u = sign(Beta1 m + (1 - Beta1) g); p -= lr (u + L2 p); m = Beta2 m + (1 - Beta2) g.</summary>
public sealed record LionOptions : OptimizerOptions
{
    /// <summary>Weight of the moment in the update, in [0, 1). Default 0.9.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Share of the moment kept per step, in [0, 1). Default 0.99.</summary>
    public double Beta2 { get; init; } = 0.99;

    /// <inheritdoc/>
    public override string Id => "lion";

    /// <inheritdoc/>
    public override double UsualLearningRate => 1e-4;

    /// <inheritdoc/>
    public override void Check()
    {
        base.Check();
        Require(Beta1 is >= 0 and < 1, nameof(Beta1), Beta1, "in [0, 1)");
        Require(Beta2 is >= 0 and < 1, nameof(Beta2), Beta2, "in [0, 1)");
    }
}

/// <summary>Limited-memory BFGS (Nocedal and Wright 2006, algorithms 7.4 and 7.5) with a strong-Wolfe line search (algorithms 3.5 and 3.6). Full batch. No L1: its proximal
/// step and the curvature pairs do not fit together.</summary>
public sealed record LbfgsOptions : OptimizerOptions
{
    /// <summary>Curvature pairs kept. Default 10.</summary>
    public int History { get; init; } = 10;

    /// <summary>Loss evaluations of one line search at the most. Default 25.</summary>
    public int MaxEvaluations { get; init; } = 25;

    /// <summary>Sufficient-decrease constant c1. Default 1e-4.</summary>
    public double Armijo { get; init; } = 1e-4;

    /// <summary>Curvature constant c2, above <see cref="Armijo"/>. Default 0.9.</summary>
    public double Wolfe { get; init; } = 0.9;

    /// <inheritdoc/>
    public override string Id => "lbfgs";

    /// <inheritdoc/>
    public override double UsualLearningRate => 1;

    /// <inheritdoc/>
    public override bool FullBatch => true;

    /// <inheritdoc/>
    public override void Check()
    {
        base.Check();
        Require(L1 == 0, nameof(L1), L1, "0 with lbfgs (choose adam, sgd or gd for an L1 penalty)");
        Require(History >= 1, nameof(History), History, "1 or more");
        Require(MaxEvaluations >= 1, nameof(MaxEvaluations), MaxEvaluations, "1 or more");
        Require(Armijo > 0 && Armijo < Wolfe && Wolfe < 1, nameof(Wolfe), Wolfe, $"between Armijo ({Armijo}) and 1");
    }
}
