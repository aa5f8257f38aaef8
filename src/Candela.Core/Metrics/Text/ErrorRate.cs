namespace Candela.Metrics;

/// <summary>Word or character error rate of a corpus. Of the alignments with the fewest errors the counts are those of the one rapidfuzz (so jiwer) reads out; all have the same rate.</summary>
/// <param name="Value">Errors a unit of the references, from 0; above 1 with many insertions. Without any unit in the references it is the number of insertions. With its interval over segments.</param>
/// <param name="Hits">Units that are right.</param>
/// <param name="Substitutions">Units replaced by others.</param>
/// <param name="Deletions">Units of the references that the hypotheses lack.</param>
/// <param name="Insertions">Units of the hypotheses that the references lack.</param>
public sealed record ErrorRate(MetricValue Value, long Hits, long Substitutions, long Deletions, long Insertions)
{
    /// <summary>Units (words or characters) of the references.</summary>
    public long ReferenceLength => Hits + Substitutions + Deletions;

    /// <summary>Units of the hypotheses.</summary>
    public long HypothesisLength => Hits + Substitutions + Insertions;

    /// <summary>Match error rate, errors a unit aligned: 0 to 1 (Morris et al. 2004).</summary>
    public double MatchErrorRate => Hits == ReferenceLength + Insertions ? 0 : 1 - ((double)Hits / (ReferenceLength + Insertions));

    /// <summary>Word information lost, 0 to 1: 1 - hits^2 / (reference length x hypothesis length) (Morris et al. 2004).</summary>
    public double InformationLost => ReferenceLength + HypothesisLength == 0 ? 0 : Hits == 0 ? 1 : 1 - ((double)Hits / ReferenceLength * ((double)Hits / HypothesisLength));
}
