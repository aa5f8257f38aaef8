using System.Diagnostics;
using System.Globalization;
using System.Text;
using Candela.Data;

namespace Candela.Benchmarks;

/// <summary>From a CSV file to batches of features, on one core, against pandas.read_csv of the same file in the same run.
/// Each measurement is a process of its own that reports the processor time (user + system) of the work alone; ours includes just-in-time compilation, pandas' leaves out its import.</summary>
internal static class DataBenchmark
{
    private const int Numbers = 10, Pairs = 5;
    private const long DefaultBytes = 200_000_000;

    private const string PandasScript = """
        import resource, sys
        import pandas
        def used():
            u = resource.getrusage(resource.RUSAGE_SELF)
            return u.ru_utime + u.ru_stime
        start = used()
        frame = pandas.read_csv(sys.argv[1])
        print(used() - start, len(frame))
        """;

    private enum Work
    {
        Chunks,
        Features,
        Pandas,
    }

    /// <summary>Generates the file, measures, prints a Markdown table and deletes the file.</summary>
    /// <param name="rows">Rows of the file; null makes it 200 MB.</param>
    public static int Run(long? rows)
    {
        string folder = Directory.CreateTempSubdirectory("candela-data-").FullName;
        try
        {
            string path = Path.Combine(folder, "numbers.csv");
            (long written, long bytes) = Generate(path, rows);
            string? pandas = PandasVersion();
            Work[] works = pandas is null ? [Work.Chunks, Work.Features] : [Work.Features, Work.Pandas, Work.Chunks];
            var seconds = works.ToDictionary(w => w, _ => new List<double>());
            for (int pair = 0; pair < Pairs; pair++)
                foreach (Work work in works)
                    seconds[work].Add(Measure(work, path, written));

            double megabytes = bytes / 1e6;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{written:N0} rows, {Numbers} numbers (%.6g) and a label, {megabytes:F0} MB, one core; medians of {Pairs} processes each, in turn; processor time, user + system."));
            Console.WriteLine();
            Console.WriteLine("| work | includes | CPU seconds | range | MB per CPU second | against pandas |");
            Console.WriteLine("| --- | --- | --- | --- | --- | --- |");
            double? peer = pandas is null ? null : Median(seconds[Work.Pandas]);
            foreach (Work work in works)
            {
                double median = Median(seconds[work]);
                string ratio = peer is { } p ? string.Create(CultureInfo.InvariantCulture, $"{p / median:F2}x") : "not measured";
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"| {Name(work, pandas)} | {Includes(work)} | {median:F2} | {seconds[work].Min():F2} .. {seconds[work].Max():F2} | {megabytes / median:F0} | {ratio} |"));
            }

            if (pandas is null)
            {
                Console.WriteLine();
                Console.WriteLine("pandas was not found for /usr/bin/python3, so only Candela was measured: benchmarks/install-peers.sh installs it (Debian's python3-pandas).");
                return 0;
            }

            return peer / Median(seconds[Work.Features]) >= 1 ? 0 : 3;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>One measurement, in this process: prints processor seconds and rows.</summary>
    public static int Child(string work, string path)
    {
        TimeSpan before = Environment.CpuUsage.TotalTime;
        long rows = 0;
        using (Table table = Table.Load(path))
        {
            if (work == nameof(Work.Chunks))
            {
                rows = table.Rows;
            }
            else
            {
                Problem problem = ProblemInference.Infer(table, "label", null);
                TableSplit split = TableSplit.Create(table, problem, new SplitOptions());
                string[] inputs = [.. table.Schema.Columns.Select(c => c.Name).Where(n => n != "label")];
                FeatureEncoder encoder = FeatureEncoder.Fit(table, split, problem, inputs, new FeatureRequest(FeatureStyle.Scaled));
                foreach (FeatureBatch batch in new EncodedTable(table, split, Part.Train, encoder).Batches(new BatchPlan(1024)))
                    rows += batch.Count;
                rows += split.Count(Part.Valid) + split.Count(Part.Test);
            }
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(Environment.CpuUsage.TotalTime - before).TotalSeconds} {rows}"));
        return 0;
    }

    private static string Name(Work work, string? pandas) => work switch
    {
        Work.Chunks => "Candela, CSV to chunks",
        Work.Features => "Candela, CSV to feature batches",
        _ => $"pandas {pandas}, read_csv",
    };

    private static string Includes(Work work) => work switch
    {
        Work.Chunks => "Table.Load: kinds, parsing to 32-bit columns, SHA-256 of the file, the run-time's start-up compilation",
        Work.Features => "Table.Load as below, the problem, a stratified split, fitting the encoder on the training rows, one pass over all encoded training rows",
        _ => "parsing to 64-bit columns with the default parser; not the import of pandas",
    };

    private static (long Rows, long Bytes) Generate(string path, long? wanted)
    {
        var rng = new Rng(1);
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, 1 << 20);
        file.Write(Encoding.ASCII.GetBytes(string.Join(',', Enumerable.Range(1, Numbers).Select(i => $"x{i}")) + ",label\n"));
        Span<byte> line = stackalloc byte[Numbers * 16 + 8];
        long rows = 0;
        for (; wanted is { } n ? rows < n : file.Position < DefaultBytes; rows++)
        {
            int used = 0;
            double sum = 0;
            for (int i = 0; i < Numbers; i++)
            {
                double value = rng.NextGaussian() * (1 + i);
                sum += value;
                _ = value.TryFormat(line[used..], out int length, "G6", CultureInfo.InvariantCulture);
                used += length;
                line[used++] = (byte)',';
            }

            line[used++] = (byte)(sum > 0 ? '1' : '0');
            line[used++] = (byte)'\n';
            file.Write(line[..used]);
        }

        return (rows, file.Position);
    }

    private static double Measure(Work work, string path, long rows)
    {
        string[] command = work == Work.Pandas ? ["/usr/bin/python3", "-c", PandasScript, path] : [Environment.ProcessPath!, "data-child", work.ToString(), path];
        if (File.Exists("/usr/bin/taskset"))
            command = ["/usr/bin/taskset", "-c", "0", .. command];
        string[] result = Output(command).Split(' ', StringSplitOptions.TrimEntries);
        if (long.Parse(result[1], CultureInfo.InvariantCulture) != rows)
            throw new InvalidOperationException($"{work} read {result[1]} rows of {rows}.");
        return double.Parse(result[0], CultureInfo.InvariantCulture);
    }

    private static string? PandasVersion()
    {
        try
        {
            return Output(["/usr/bin/python3", "-c", "import pandas; print(pandas.__version__)"]).Trim();
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static string Output(string[] command)
    {
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_PROCESSOR_COUNT"] = "1";
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{command[0]} ended with {process.ExitCode}: {errors.Result}");
    }

    private static double Median(List<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
