namespace Candela.Data;

/// <summary>Which part of a split a row belongs to.</summary>
public enum Part
{
    /// <summary>Rows the model and every transform are fitted on.</summary>
    Train,

    /// <summary>Rows that choose: early stopping, thresholds, the model.</summary>
    Valid,

    /// <summary>Rows that only judge.</summary>
    Test,

    /// <summary>Rows left out.</summary>
    None,
}
