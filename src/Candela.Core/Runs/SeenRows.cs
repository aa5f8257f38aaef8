using Candela.Data;
using Candela.Experiments;
using Candela.Models;

namespace Candela.Runs;

/// <summary>Tells whether rows to evaluate on have shaped the model: a score on them says little.</summary>
internal static class SeenRows
{
    public const string Code = "seen-in-training";

    // A second reading of the training data must stay cheap.
    private const long LargestFile = 32L << 20;
    private const double Many = 0.005;

    /// <summary>The warning about <paramref name="rows"/>, or null. A file of the run is known by its hash; the rows of another are compared with the training rows where those are still
    /// where they were, unchanged and in a file of at most 32 MB. A few equal rows in a thousand are natural.</summary>
    public static Warned? Find(RunRecord record, TrainRequest request, TableSchema labelled, Table rows)
    {
        IReadOnlyDictionary<string, string> hashes = record.FileHashes.Count > 0 ? record.FileHashes : new Dictionary<string, string> { ["data"] = record.DataHash };
        if (hashes.TryGetValue("data", out string? data) && rows.DataHash == data)
        {
            bool sharesValid = !hashes.ContainsKey("valid"), sharesTest = !hashes.ContainsKey("test");
            string also = sharesValid && record.Rows["valid"] > 0 ? $", {record.Rows["valid"]:N0} chose among models or weights" : "";
            string rest = sharesTest && record.Rows["test"] > 0 ? $" and {record.Rows["test"]:N0} were its test, whose figures are in run.json" : "";
            return new Warned(Code, $"This is the data the run was trained on: {record.Rows["train"]:N0} of its {rows.Rows:N0} rows trained the model{also}{rest}. These figures are too good; use rows the run has not seen.");
        }

        if (hashes.TryGetValue("valid", out string? valid) && rows.DataHash == valid)
            return new Warned(Code, $"These {rows.Rows:N0} rows are the run's validation file, by which models or weights were chosen: these figures are too good.");
        return Shared(record, request, labelled, rows) is not (> 0 and var shared) || shared < Many * rows.Rows ? null
            : new Warned(Code, $"{shared:N0} of these {rows.Rows:N0} rows equal a row the model was trained on, in every input and in the target: the figures are too good by what was memorised.");
    }

    private static long? Shared(RunRecord record, TrainRequest request, TableSchema labelled, Table rows)
    {
        var file = new FileInfo(record.Data);
        if (!file.Exists || file.Length > LargestFile)
            return null;
        using var train = Table.LoadLike(record.Data, labelled, request.Table);
        if (!record.FileHashes.TryGetValue("data", out string? data) || train.DataHash != data)
            return null;
        var split = TableSplit.Create(train, record.Problem, new SplitOptions
        {
            ValidFraction = request.ValidFile is null ? request.ValidFraction ?? TableShares.Valid : 0,
            TestFraction = request.TestFile is null ? request.TestFraction ?? TableShares.Test : 0,
            Seed = record.Seed,
        });
        return Profiler.CountSharedRows(train, split, rows, TableSplit.Whole(rows, Part.Test), Part.Test, [.. labelled.Columns.Select(c => c.Name)]);
    }
}
