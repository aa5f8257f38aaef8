namespace Candela.Decoding;

/// <summary>When a beam search that has as many finished texts as beams may stop (Hugging Face's <c>early_stopping</c>).</summary>
public enum BeamStopping
{
    /// <summary>When the best open beam, ranked at its present length, is no better than the worst finished text (<c>False</c>). Length is taken for settled, so a better text can be missed when longer ones are favoured.</summary>
    Heuristic,

    /// <summary>At once (<c>True</c>).</summary>
    First,

    /// <summary>When no open beam can become better at any length it may still reach (<c>"never"</c>).</summary>
    Exact,
}
