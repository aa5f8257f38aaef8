namespace Candela.Classic.Trees;

/// <summary>A gradient boosting engine holding its binned rows, adding one round (a tree per sum) at a time.</summary>
internal interface IBooster : IDisposable
{
    /// <summary>Adds a round. False when no split improves the loss any more (nothing was added).</summary>
    bool AddRound();

    /// <summary>Loss on the training rows: log loss, or mean squared error of standardised targets.</summary>
    double TrainLoss();

    /// <summary>The same on the validation rows.</summary>
    double ValidLoss();

    /// <summary>The trees of the first <paramref name="rounds"/> rounds.</summary>
    TreeEnsemble Take(int rounds);
}
