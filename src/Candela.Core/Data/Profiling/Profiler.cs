using System.Globalization;

namespace Candela.Data;

/// <summary>Describes a table and finds what deserves attention before training: leaks, duplicates, imbalance, useless columns.</summary>
public static class Profiler
{
    /// <summary>Rows whose duplicates are looked for.</summary>
    public const int DuplicateRowsChecked = 1_000_000;

    /// <summary>Leak when 1 - r^2 of a number with a regression target is below this: |r| above 0.99999, a copy up to rounding, offset and unit.</summary>
    private const double CopyUnexplained = 2e-5;

    /// <summary>Worth a word, but natural among, say, prices of one day.</summary>
    private const double NearUnexplained = 2e-4;

    private const double Imbalanced = 0.1, MostlyMissing = 0.5, ManyDuplicates = 0.005, FarOut = 10;

    /// <summary>Profiles all rows in one pass; memory is bounded: at most 100,000 sampled and as many distinct values per column, 1,000,000 row hashes.
    /// <para>A leak is a column that is the target under other names: for classes, a one-to-one mapping that 99.5 % of the rows of every value and of every class follow, on at
    /// least 30 rows; for a regression, a number with |r| above 0.99999, or a one-to-one mapping when the target has at most 256 values. Leaks are marked excluded, unless
    /// they are all there is to learn from.</para></summary>
    /// <param name="table">The rows.</param>
    /// <param name="problem">Task, target and classes.</param>
    /// <param name="inputs">The columns to learn from; others but the target are reported as excluded.</param>
    /// <param name="seed">Of the samples behind medians and histograms of more than 100,000 rows. Default 0.</param>
    public static DataProfile Profile(Table table, Problem problem, IReadOnlyList<string> inputs, long seed = 0)
    {
        var pass = new ProfilePass(table, problem, inputs, seed);
        foreach (TableChunk chunk in table.Pass())
            pass.Add(chunk);
        var findings = new List<Finding>();
        HashSet<string> leaks = Leaks(pass, findings);
        var columns = new ColumnProfile[table.Schema.Columns.Count];
        for (int i = 0; i < columns.Length; i++)
            columns[i] = Describe(pass, i, leaks);
        ColumnFindings(pass, columns, findings);
        if (table.ChunkCount > 0)
            foreach (List<string> group in Redundancy.Find(table.ReadChunk(0), [.. pass.Usable.Where(name => !leaks.Contains(name))]))
                findings.Add(new Finding("redundant-columns", $"{Quoted(group)} say the same, one-to-one: one of them would do.", group, false));
        if (pass.Duplicates >= ManyDuplicates * Math.Max(1, pass.Hashed))
            findings.Add(new Finding("duplicate-rows", $"{pass.Duplicates} of {pass.Hashed} rows ({Percent(pass.Duplicates, pass.Hashed)}) equal an earlier one: in different parts of a split they make the test too easy.", [], false));
        if (problem.IsClassification)
            Imbalance(problem, pass.ClassCounts, findings);
        return new DataProfile(table.Rows, pass.Duplicates, columns, findings);
    }

    /// <summary>Counts rows of one part that equal, in inputs and target, a row another part was fitted on. At most <see cref="DuplicateRowsChecked"/> rows of each are compared.</summary>
    /// <param name="train">The table trained on, and its split.</param>
    /// <param name="trainSplit">Its <see cref="Part.Train"/> rows are compared with.</param>
    /// <param name="other">The table judged on; may be the same.</param>
    /// <param name="otherSplit">Its split.</param>
    /// <param name="part">The part judged on.</param>
    /// <param name="columns">The columns that must be equal: the inputs and the target.</param>
    public static long CountSharedRows(Table train, TableSplit trainSplit, Table other, TableSplit otherSplit, Part part, IReadOnlyList<string> columns)
    {
        var known = new HashSet<ulong>((int)Math.Min(trainSplit.Count(Part.Train), DuplicateRowsChecked + Table.ChunkRows));
        var hash = new RowHash(columns);
        int[] buffer = [];
        foreach (TableChunk chunk in train.Pass())
        {
            ReadOnlySpan<ulong> hashes = hash.Of(chunk);
            foreach (int row in trainSplit.RowsIn(chunk, Part.Train, ref buffer))
                known.Add(hashes[row]);
            if (known.Count >= DuplicateRowsChecked)
                break;
        }

        long shared = 0, compared = 0;
        foreach (TableChunk chunk in other.Pass())
        {
            ReadOnlySpan<int> rows = otherSplit.RowsIn(chunk, part, ref buffer);
            if (rows.Length == 0)
                continue;
            ReadOnlySpan<ulong> hashes = hash.Of(chunk);
            foreach (int row in rows)
                shared += known.Contains(hashes[row]) ? 1 : 0;
            if ((compared += rows.Length) >= DuplicateRowsChecked)
                break;
        }

        return shared;
    }

    /// <summary>The finding <c>split-leakage</c> when at least one in 200 test rows equals a training row, else null. A warning, not an error: with few columns of few values equal rows are natural.</summary>
    public static Finding? SplitLeakage(Table train, TableSplit trainSplit, Table test, TableSplit testSplit, IReadOnlyList<string> inputs, string target)
    {
        long shared = CountSharedRows(train, trainSplit, test, testSplit, Part.Test, [.. inputs, target]), rows = Math.Min(testSplit.Count(Part.Test), DuplicateRowsChecked);
        return shared < Math.Max(1, ManyDuplicates * rows) ? null
            : new Finding("split-leakage", $"{shared} of {rows} test rows ({Percent(shared, rows)}) equal a training row in every input and in the target: the test score is too good by what was memorised.", [], false);
    }

    private static HashSet<string> Leaks(ProfilePass pass, List<Finding> findings)
    {
        var copies = new List<string>();
        var near = new List<(string Name, double R)>();
        foreach (string name in pass.Usable)
        {
            if (pass.IsCopy(name))
            {
                copies.Add(name);
            }
            else if (pass.CorrelationOf(name) is { } r && r.Count >= TargetCopy.LeastRows && r.Count >= pass.Rows / 2)
            {
                if (r.Unexplained < CopyUnexplained)
                    copies.Add(name);
                else if (r.Unexplained < NearUnexplained)
                    near.Add((name, Math.Sqrt(1 - r.Unexplained)));
            }
        }

        bool exclude = copies.Count < pass.Usable.Count;
        foreach (string name in copies)
            findings.Add(new Finding("leak-copy-of-target", $"Column '{name}' is a copy of the target '{pass.Problem.Target}' "
                + (pass.Problem.IsClassification ? "(each of its values stands for one class)" : "(up to offset and unit)")
                + (exclude ? ": a model would read the answer from it. It was excluded." : ". It is all there is to learn from, so it was kept: the score says nothing."), [name], exclude));
        foreach ((string name, double r) in near)
            findings.Add(new Finding("near-copy-of-target", $"Column '{name}' correlates with the target '{pass.Problem.Target}' at |r| = {r.ToString("0.00000", CultureInfo.InvariantCulture)}: known at prediction time, or a leak? Kept; --exclude {name} leaves it out.", [name], false));
        return exclude ? [.. copies] : [];
    }

    private static ColumnProfile Describe(ProfilePass pass, int index, HashSet<string> leaks)
    {
        ColumnSchema column = pass.Table.Schema.Columns[index];
        ColumnProfile profile = pass.Statistics[index].Profile(column);
        if (profile.Note.Length == 0)
            profile = profile with { Note = column.Note };
        if (column.Name == pass.Problem.Target)
        {
            profile = profile with { Role = "target" };
            // Every class, not the twelve most frequent names.
            return pass.Problem.IsClassification
                ? profile with { Top = [.. pass.Problem.Classes.Select((name, i) => new NameCount(name, pass.ClassCounts[i])).OrderByDescending(c => c.Count).Take(100)] }
                : profile;
        }

        if (leaks.Contains(column.Name))
            return profile with { Role = "excluded", Note = $"copy of the target '{pass.Problem.Target}'" };
        return pass.Usable.Contains(column.Name) ? profile : profile with { Role = "excluded" };
    }

    private static void ColumnFindings(ProfilePass pass, ColumnProfile[] columns, List<Finding> findings)
    {
        List<string> constant = [], keys = [];
        List<(string Name, double Value, double Far)> outliers = [];
        foreach (ColumnProfile column in columns)
        {
            if (column.Role == "target")
                continue;
            if (column.Kind == ColumnKind.Constant)
                constant.Add(column.Name);
            else if (column.Kind == ColumnKind.Identifier)
                keys.Add(column.Name);
            else if (column.Role == "input" && column.Missing > MostlyMissing * pass.Rows)
                findings.Add(new Finding("mostly-missing", $"Column '{column.Name}' is empty in {Percent(column.Missing, pass.Rows)} of the rows.", [column.Name], false));
            if (column is { Role: "input", Deviation: > 0, Kind: not ColumnKind.Date })
            {
                double above = column.Max!.Value - column.Mean!.Value, below = column.Mean.Value - column.Min!.Value;
                if (Math.Max(above, below) / column.Deviation.Value is > FarOut and var far)
                    outliers.Add((column.Name, above > below ? column.Max.Value : column.Min.Value, far));
            }
        }

        if (outliers.Count > 0)
            findings.Add(new Finding("outliers", "Values far from their column's mean: " + string.Join(", ", outliers.OrderByDescending(o => o.Far).Take(5)
                .Select(o => $"'{o.Name}' has {o.Value.ToString("G6", CultureInfo.InvariantCulture)} ({o.Far:0} deviations)")) + (outliers.Count > 5 ? $", and {outliers.Count - 5} more columns." : "."),
                [.. outliers.Select(o => o.Name)], false));
        if (constant.Count > 0)
            findings.Add(new Finding("constant-column", $"{Quoted(constant)}: one value only, nothing to learn from.", constant, true));
        if (keys.Count > 0)
            findings.Add(new Finding("identifier-column", $"{Quoted(keys)}: another value in every row, a key and no property.", keys, true));
    }

    private static void Imbalance(Problem problem, long[] counts, List<Finding> findings)
    {
        long rows = counts.Sum(), least = counts.Min(), most = counts.Max();
        // A tenth of the rows, or of the largest class when there are many classes.
        if (least >= Imbalanced * rows || (problem.Classes.Count > 2 && least >= Imbalanced * most))
            return;
        var shares = problem.Classes.Select((name, i) => (Name: name, Count: counts[i])).OrderByDescending(c => c.Count).ToArray();
        string list = string.Join(", ", shares.Take(8).Select(c => $"{c.Name} {Percent(c.Count, rows)}")) + (shares.Length > 8 ? $", ..., {shares[^1].Name} {Percent(shares[^1].Count, rows)}" : "");
        findings.Add(new Finding("class-imbalance", $"The classes of '{problem.Target}' are uneven: {list}. Accuracy alone misleads; look at F1 and PR AUC, or train with balanced class weights.", [problem.Target], false));
    }

    private static string Quoted(IEnumerable<string> names) => string.Join(", ", names.Take(20).Select(name => $"'{name}'")) + (names.Skip(20).Any() ? ", ..." : "");

    private static string Percent(long part, long whole) => (100.0 * part / Math.Max(1, whole)).ToString("0.##", CultureInfo.InvariantCulture) + " %";
}
