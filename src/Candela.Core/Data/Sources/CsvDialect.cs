using System.Text;
using Sylvan.Data.Csv;

namespace Candela.Data;

/// <summary>How cells are set apart in a text file, found by trying the usual ways on its first rows.</summary>
/// <param name="Delimiter">Between cells.</param>
/// <param name="Quoted">False when double quotes are ordinary characters.</param>
/// <param name="Width">Cells of most rows.</param>
internal sealed record CsvDialect(char Delimiter, bool Quoted, int Width)
{
    // Sylvan wants a delimiter and a quote below 128: control characters no text holds stand for "none".
    private const char Never = '\u0001', NoQuote = '\u0002', NoComment = '\uffff';
    private const int SampleChars = 1 << 20, SampleRows = 500, LongestRecord = 1 << 27;

    /// <summary>Sylvan's reader with this dialect; every row, the first one too, is data to it.</summary>
    public CsvDataReader Open(TextReader text, int bufferSize = 1 << 17) => CsvDataReader.Create(text, new CsvDataReaderOptions
    {
        HasHeaders = false,
        Delimiter = Delimiter,
        Quote = Quoted ? '"' : NoQuote,
        Escape = Quoted ? '"' : NoQuote,
        Comment = NoComment,
        BufferSize = bufferSize,
        MaxBufferSize = LongestRecord,
        OwnsReader = true,
    });

    /// <summary>The beginning of the file's text, up to the last whole line.</summary>
    public static string Sample(string path, int skipLines)
    {
        using var reader = new StrictTextReader(path, skipLines: skipLines);
        var buffer = new char[SampleChars];
        int count = reader.ReadBlock(buffer);
        int whole = count == buffer.Length ? buffer.AsSpan().LastIndexOf('\n') + 1 : count;
        return new string(buffer, 0, whole == 0 ? count : whole);
    }

    /// <summary>The first rows of a sample, cells trimmed, empty lines left out.</summary>
    public List<string[]> Rows(string sample, int limit = SampleRows)
    {
        var rows = new List<string[]>();
        using CsvDataReader reader = Open(Delimiter == ' ' ? new StringReader(FoldSpaces(sample)) : new StringReader(sample), Math.Max(4096, sample.Length + 1));
        while (rows.Count < limit && reader.Read())
        {
            var cells = new string[reader.RowFieldCount];
            for (int i = 0; i < cells.Length; i++)
                cells[i] = reader.GetFieldSpan(i).Trim().ToString();
            if (cells.Length > 1 || cells[0].Length > 0)
                rows.Add(cells);
        }

        return rows;
    }

    /// <summary>The dialect whose rows agree best on a number of cells.</summary>
    public static CsvDialect Detect(string path, string sample)
    {
        string extension = System.IO.Path.GetExtension(path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path);
        bool tabs = extension.Equals(".tsv", StringComparison.OrdinalIgnoreCase) || extension.Equals(".tab", StringComparison.OrdinalIgnoreCase);
        bool commas = extension.Equals(".csv", StringComparison.OrdinalIgnoreCase);
        Trial best = Try(Never, sample);
        foreach (char delimiter in "\t;|, ")
        {
            Trial trial = Try(delimiter, sample);
            if (trial.Dialect.Width < 2)
                continue;
            // Spaces stand between words too: they count only where nothing else does.
            bool unsure = delimiter == ' ' && (best.Dialect.Width > 1 || trial.Agreement < 0.98);
            bool expected = (delimiter == '\t' && tabs) || (delimiter == ',' && commas);
            if (unsure || (trial.Agreement < 0.9 && !expected))
                continue;
            if (best.Dialect.Width < 2 || (trial.FirstAgrees, trial.Dialect.Width).CompareTo((best.FirstAgrees, best.Dialect.Width)) > 0)
                best = trial;
        }

        return best.Dialect;
    }

    private static Trial Try(char delimiter, string sample)
    {
        Trial quoted = Measure(new CsvDialect(delimiter, true, 1), sample);
        if (quoted.Agreement >= 0.98 || !sample.Contains('"'))
            return quoted;
        Trial literal = Measure(new CsvDialect(delimiter, false, 1), sample);
        return literal.Agreement > quoted.Agreement && literal.Agreement >= 0.98 ? literal : quoted;
    }

    private static Trial Measure(CsvDialect dialect, string sample)
    {
        try
        {
            List<string[]> rows = dialect.Rows(sample);
            if (rows.Count == 0)
                return new Trial(dialect, 0, false);
            IGrouping<int, string[]> mode = rows.GroupBy(r => r.Length).MaxBy(g => g.Count())!;
            return new Trial(dialect with { Width = mode.Key }, mode.Count() / (double)rows.Count, rows[0].Length == mode.Key);
        }
        catch (CsvFormatException)
        {
            return new Trial(dialect, 0, false);
        }
    }

    private static string FoldSpaces(string sample)
    {
        var folded = new StringBuilder(sample.Length);
        foreach (string line in sample.Split('\n'))
            folded.AppendJoin(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).Append('\n');
        return folded.ToString();
    }

    private sealed record Trial(CsvDialect Dialect, double Agreement, bool FirstAgrees);
}
