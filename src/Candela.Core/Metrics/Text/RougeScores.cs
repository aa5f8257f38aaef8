namespace Candela.Metrics;

/// <summary>ROUGE of a corpus.</summary>
/// <param name="Rouge1">Common words.</param>
/// <param name="Rouge2">Common pairs of words.</param>
/// <param name="RougeL">Longest common subsequence of the whole texts.</param>
/// <param name="RougeLsum">Union of the longest common subsequences of each reference sentence with all sentences of the hypothesis; a line is a sentence.</param>
public sealed record RougeScores(RougeScore Rouge1, RougeScore Rouge2, RougeScore RougeL, RougeScore RougeLsum);
