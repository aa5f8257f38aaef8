using System.Security.Cryptography;
using System.Text;
using Candela.Data;
using Candela.Models;

namespace Candela.Experiments;

/// <summary>Everything that is known before training begins: tables, problem, inputs, profile, split. Making it refuses all unusable input.</summary>
internal sealed class PreparedData : IDisposable
{
    private readonly List<Table> _tables;

    private PreparedData(List<Table> tables, DataParts parts, DataProfile profile) => (_tables, Parts, Profile) = (tables, parts, profile);

    /// <summary>Rows, problem, inputs.</summary>
    public DataParts Parts { get; }

    /// <summary>What the data looks like.</summary>
    public DataProfile Profile { get; }

    /// <summary>SHA-256 of the data file, or of the hashes of all files when there are several.</summary>
    public string Hash => _tables.Count == 1 ? _tables[0].DataHash
        : Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(string.Join('\n', _tables.Select(t => t.DataHash)))));

    public static PreparedData Load(Session session)
    {
        var request = session.Request;
        var tables = new List<Table>();
        try
        {
            session.Stage($"reading {Path.GetFileName(Path.TrimEndingDirectorySeparator(request.Data))}");
            var table = Table.Load(request.Data, request.Table with { Unused = names => InputColumns.Unused(names, request) }, session, session.Cancellation);
            tables.Add(table);
            string target = InputColumns.Target(table.Schema, request.Target);
            session.Report(new TableRead(table.Rows, target, table.Schema));
            var problem = ProblemInference.Infer(table, target, request.Task);
            var inputs = InputColumns.Inputs(table.Schema, target, request);
            if (request.Task == ProblemInference.TextClassification && !table.Schema.Columns.Any(c => c.Kind == ColumnKind.Text && inputs.Contains(c.Name)))
                throw new DataException($"--task {request.Task} needs a text column, and none of {string.Join(", ", inputs.Take(20))} was taken for one. Say which it is with --type COLUMN=text.");

            session.Stage("profiling");
            var profile = Exclude(Profiler.Profile(table, problem, inputs, request.Fit.Seed), inputs, request, session);

            // A second file is read by the schema of the first: the inputs and the target, and nothing else is asked of it.
            var wanted = table.Schema with
            {
                Columns = [.. inputs.Append(target).Select(name => table.Schema.Columns[table.Schema.IndexOf(name)])],
                Reading = table.Schema.Reading is { } reading ? reading with { Target = target } : null,
            };
            Table? valid = Other(request.ValidFile, wanted, tables, session), test = Other(request.TestFile, wanted, tables, session);

            session.Stage("splitting");
            var split = TableSplit.Create(table, problem, new SplitOptions
            {
                ValidFraction = valid is null ? request.ValidFraction ?? TableShares.Valid : 0,
                TestFraction = test is null ? request.TestFraction ?? TableShares.Test : 0,
                Seed = request.Fit.Seed,
            });
            var parts = new DataParts(table, split, problem, inputs, valid, test);
            if (parts.Count(Part.Test) == 0)
                session.Warn("test-never-scored", "No rows are kept for the test: nothing in the record says how good the model is on rows that did not shape it. Give --test.");
            if (parts.Leakage() is { } leakage)
            {
                session.Warn(leakage.Code, leakage.Message);
                profile = profile with { Findings = [.. profile.Findings, leakage] };
            }

            return new PreparedData(tables, parts, profile);
        }
        catch
        {
            foreach (var table in tables)
                table.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var table in _tables)
            table.Dispose();
    }

    private static Table? Other(string? file, TableSchema wanted, List<Table> tables, Session session)
    {
        if (file is null)
            return null;
        session.Stage($"reading {Path.GetFileName(Path.TrimEndingDirectorySeparator(file))}");
        var options = session.Request.Table;
        var table = Table.LoadLike(file, wanted, options with { LabelsFile = options.LabelsFile is null ? null : LabelsFor(file) }, session, session.Cancellation);
        tables.Add(table);
        return table;
    }

    // t10k-images-idx3-ubyte.gz -> t10k-labels-idx1-ubyte.gz
    private static string LabelsFor(string images)
    {
        string name = Path.GetFileName(images);
        string labels = Path.Combine(Path.GetDirectoryName(images) ?? "", name.Replace("images", "labels", StringComparison.Ordinal).Replace("idx3", "idx1", StringComparison.Ordinal));
        return labels != images && File.Exists(labels) ? labels
            : throw new DataException($"{images}: no labels file was found beside it (looked for {Path.GetFileName(labels)}).");
    }

    // Leaking columns are left out unless they were asked for by --keep.
    private static DataProfile Exclude(DataProfile profile, List<string> inputs, TrainRequest request, Session session)
    {
        var findings = new List<Finding>();
        foreach (var finding in profile.Findings)
        {
            bool kept = finding.Excluded && finding.Columns.All(request.Keep.Contains);
            if (finding.Excluded && !kept)
                inputs.RemoveAll(finding.Columns.Contains);
            findings.Add(kept ? finding with { Excluded = false } : finding);
            session.Warn(finding.Code, finding.Message + (kept ? " It is kept because --keep names it." : ""));
        }

        if (inputs.Count == 0)
            throw new DataException("No input column is left after those that carry nothing or leak the target were left out. Give more columns, or keep some with --keep.");
        return profile with
        {
            Findings = findings,
            Columns = [.. profile.Columns.Select(c => c.Role == "excluded" && inputs.Contains(c.Name) ? c with { Role = "input" } : c)],
        };
    }
}
