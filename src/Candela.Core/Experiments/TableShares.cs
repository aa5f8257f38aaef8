namespace Candela.Experiments;

/// <summary>The shares of a table's rows that are held back where the request leaves them open.</summary>
internal static class TableShares
{
    public const double Valid = 0.15;

    public const double Test = 0.2;

    /// <summary>The request with both shares filled in, so that its recipe says them.</summary>
    public static TrainRequest Fill(TrainRequest request) => request with { ValidFraction = request.ValidFraction ?? Valid, TestFraction = request.TestFraction ?? Test };
}
