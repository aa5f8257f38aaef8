using Candela.Data;

namespace Candela.Classic.Trees;

/// <summary>What all tree learners ask of the data.</summary>
internal static class TreeInputs
{
    /// <summary>One feature per column, categories as codes; text is left out.</summary>
    public static FeatureRequest Request { get; } = new(FeatureStyle.Raw) { TextAsNgrams = false };

    /// <summary>Null when there is a column that trees can split on.</summary>
    public static string? WhyNot(TableSchema inputs) =>
        inputs.Columns.Any(c => c.Kind is ColumnKind.Number or ColumnKind.Integer or ColumnKind.Category or ColumnKind.Boolean or ColumnKind.Date)
            ? null : "trees need at least one number, date or category column";
}
