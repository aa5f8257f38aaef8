namespace Candela.Metrics;

/// <summary>What BLEU does with orders without a match (Chen and Cherry 2014); the names are sacreBLEU's.</summary>
public enum BleuSmoothing
{
    /// <summary><c>exp</c>: the k-th order without a match counts 2^-k matches (NIST's). The default.</summary>
    Exp,

    /// <summary><c>floor</c>: such an order counts a small number of matches (0.1).</summary>
    Floor,

    /// <summary><c>add-k</c>: k (1) is added to matches and totals of the orders above 1.</summary>
    AddK,

    /// <summary><c>none</c>: such an order makes the score 0.</summary>
    None,
}
