namespace Candela.Data;

/// <summary>Which rows train, validate and test. Up to <see cref="ExactRows"/> rows the shares are exact, overall and (to one row) in every stratum:
/// each class, or each tenth of a regression target. Larger tables use a pure hash of (seed, row): no memory per row, and shares that are stratified
/// in expectation (their relative error is about 1/sqrt(rows of the class)); classes of at most 100 rows are still shared out exactly.
/// A class never vanishes from the training rows. The same table, problem and options give the same split on every machine.</summary>
public sealed class TableSplit
{
    /// <summary>Tables up to this many rows are split exactly, at two bits of memory per row.</summary>
    public const long ExactRows = 4_000_000;

    private readonly byte[]? _parts;                       // two bits per row, exact mode
    private readonly Part? _whole;
    private readonly ShareHash _hash;                      // hash mode
    private readonly Dictionary<long, Part> _rare = [];    // rows of rare classes, hash mode
    private readonly long[] _counts = new long[4];

    private TableSplit(long rows, Part whole) => (Rows, _whole, _counts[(int)whole]) = (rows, whole, rows);

    private TableSplit(long rows, Strata strata, ShareHash hash, bool exact)
    {
        (Rows, _hash) = (rows, hash);
        if (exact)
            _parts = new byte[(rows + 3) / 4];
        strata.Assign((row, part) =>
        {
            if (_parts is not null)
                _parts[row >> 2] |= (byte)((int)part << (int)((row & 3) << 1));
            else
                _rare[row] = part;
        });
        for (long row = 0; row < rows; row++)
            _counts[(int)this[row]]++;
    }

    /// <summary>Rows of the table.</summary>
    public long Rows { get; }

    /// <summary>The part of a row of the table (0-based).</summary>
    public Part this[long row]
    {
        get
        {
            if (_whole is { } part)
                return part;
            if (_parts is not null)
                return (Part)((_parts[row >> 2] >> (int)((row & 3) << 1)) & 3);
            return _rare.Count > 0 && _rare.TryGetValue(row, out Part rare) ? rare : _hash.Of(row);
        }
    }

    /// <summary>Splits once by <see cref="SplitOptions.ValidFraction"/> and <see cref="SplitOptions.TestFraction"/> of all rows, each rounded to the
    /// nearest row; the rest trains. Reads the table two or three times.</summary>
    /// <exception cref="UsageException">A fraction outside 0..1, or a sum of 1 or more.</exception>
    /// <exception cref="DataException">A part that was asked for would have no row.</exception>
    public static TableSplit Create(Table table, Problem problem, SplitOptions options) => Create(table, problem, options, ExactRows);

    /// <summary>Fold <paramref name="fold"/> of <paramref name="folds"/>: its rows test, <paramref name="validFraction"/> of all rows (taken from the
    /// others) validates, the rest trains. The folds of one seed part the rows: each row tests exactly once; fold sizes differ by one row at most.</summary>
    /// <exception cref="UsageException">Fewer than 2 folds, a fold outside 0..folds-1, or a fraction that leaves nothing to train on.</exception>
    /// <exception cref="DataException">A part would have no row.</exception>
    public static TableSplit Fold(Table table, Problem problem, int folds, int fold, double validFraction, long seed) =>
        Fold(table, problem, folds, fold, validFraction, seed, ExactRows);

    /// <summary>Every row in one part.</summary>
    /// <exception cref="DataException">The table has no rows.</exception>
    public static TableSplit Whole(Table table, Part part)
    {
        if (table.Rows == 0)
            throw new DataException($"The table has no rows for the {Name(part)} part.");
        return new TableSplit(table.Rows, part);
    }

    internal static TableSplit Create(Table table, Problem problem, SplitOptions options, long exactRows)
    {
        double valid = options.ValidFraction, test = options.TestFraction;
        if (!(valid is >= 0 and < 1) || !(test is >= 0 and < 1) || valid + test >= 1)
            throw new UsageException($"The split asks for {valid} of the rows for validation and {test} for the test; each must be 0 or more and their sum below 1.");
        bool exact = table.Rows <= exactRows;
        var strata = new Strata(table, problem, options.Stratify, exact, options.Seed);
        strata.Share(test, valid, new Rng(options.Seed, 1));
        var split = new TableSplit(table.Rows, strata, new ShareHash(options.Seed, test, valid), exact);
        split.Check(valid, test, strata.Classes, null);
        return split;
    }

    internal static TableSplit Fold(Table table, Problem problem, int folds, int fold, double validFraction, long seed, long exactRows)
    {
        if (folds < 2 || fold < 0 || fold >= folds)
            throw new UsageException($"Fold {fold} of {folds} was asked for; needed: 2 or more folds, and a fold from 0 to folds - 1.");
        if (!(validFraction >= 0) || validFraction + (1.0 / folds) >= 1)
            throw new UsageException($"{validFraction} of the rows for validation and 1/{folds} for the test leave nothing to train on.");
        if (folds > table.Rows)
            throw new DataException($"{folds} folds were asked of {table.Rows} rows; needed: at least one row per fold.");
        bool exact = table.Rows <= exactRows;
        var strata = new Strata(table, problem, true, exact, seed);
        strata.ShareFold(folds, fold, validFraction, new Rng(seed, 1), new Rng(seed, 2 + fold));
        var split = new TableSplit(table.Rows, strata, new ShareHash(seed, folds, fold, validFraction), exact);
        split.Check(validFraction, 1.0 / folds, strata.Classes, folds);
        return split;
    }

    /// <summary>Rows in a part.</summary>
    public long Count(Part part) => _counts[(int)part];

    /// <summary>The rows of a part within a chunk of the table: indices in the chunk, ascending.</summary>
    public int[] RowsIn(TableChunk chunk, Part part)
    {
        var rows = new int[CountIn(chunk.FirstRow, chunk.Rows, part)];
        Fill(chunk, part, rows);
        return rows;
    }

    /// <summary>The same in an array that is lent from chunk to chunk.</summary>
    internal ReadOnlySpan<int> RowsIn(TableChunk chunk, Part part, ref int[] buffer)
    {
        int count = CountIn(chunk.FirstRow, chunk.Rows, part);
        if (buffer.Length < count)
            buffer = new int[Math.Max(count, Math.Min(chunk.Rows, Table.ChunkRows))];
        Span<int> rows = buffer.AsSpan(0, count);
        Fill(chunk, part, rows);
        return rows;
    }

    /// <summary>How many of the <paramref name="rows"/> rows from <paramref name="firstRow"/> on are in a part.</summary>
    internal int CountIn(long firstRow, int rows, Part part)
    {
        if (_whole is { } whole)
            return whole == part ? rows : 0;
        int count = 0;
        for (int i = 0; i < rows; i++)
            count += this[firstRow + i] == part ? 1 : 0;
        return count;
    }

    private void Fill(TableChunk chunk, Part part, Span<int> rows)
    {
        for (int i = 0, n = 0; n < rows.Length; i++)
            if (this[chunk.FirstRow + i] == part)
                rows[n++] = i;
    }

    private void Check(double valid, double test, int classes, int? folds)
    {
        foreach (var (part, share) in new[] { (Part.Train, 1 - valid - test), (Part.Valid, valid), (Part.Test, test) })
        {
            if (share == 0 || Count(part) > 0)
                continue;
            // Each part needs half a row to be rounded up to one, and a class keeps a row to train on.
            long needed = Math.Max(new[] { valid, test }.Where(s => s > 0).Select(s => (long)Math.Ceiling(0.5 / s)).DefaultIfEmpty(1).Max(),
                Math.Max(1, classes) + (valid > 0 ? 1 : 0) + (test > 0 ? 1 : 0));
            string rows = needed > Rows ? $"at least {needed} are needed" : "more are needed";
            string instead = folds is not null ? "fewer --folds" : part == Part.Train ? "smaller shares by --valid and --test"
                : $"a larger share by --{(part == Part.Valid ? "valid" : "test")}, or --{(part == Part.Valid ? "valid" : "test")} 0 to do without";
            throw new DataException(FormattableString.Invariant($"The table has {Rows} rows, which leave none for the {Name(part)} part when {(folds is null ? $"{test:0.####} of them test" : $"they are parted into {folds} folds")} and {valid:0.####} validate: {rows}. Give more rows, or {instead}."));
        }
    }

    private static string Name(Part part) => part switch { Part.Train => "training", Part.Valid => "validation", Part.Test => "test", _ => "unused" };
}
