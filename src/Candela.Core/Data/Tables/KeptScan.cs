namespace Candela.Data;

/// <summary>A stream of rows to score with some of their cells beside.</summary>
/// <param name="Names">The kept columns, in the order asked for (of all: of the file).</param>
/// <param name="Rows">The rows in order; read once.</param>
public sealed record KeptScan(IReadOnlyList<string> Names, IEnumerable<KeptRows> Rows);

/// <summary>Some rows of a <see cref="KeptScan"/>.</summary>
/// <param name="Inputs">The columns to score.</param>
/// <param name="Kept">Per row the kept cells, one per name, as text as they stand in the file (trimmed; empty where they are).</param>
public sealed record KeptRows(TableChunk Inputs, IReadOnlyList<IReadOnlyList<string>> Kept);
