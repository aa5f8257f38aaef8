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
    public static TextSample Sample(string path, int skipLines)
    {
        using var reader = new StrictTextReader(path, skipLines: skipLines);
        var buffer = new char[SampleChars];
        int count = reader.ReadBlock(buffer);
        bool whole = count < buffer.Length || reader.Peek() < 0;
        int lines = whole ? count : buffer.AsSpan().LastIndexOf('\n') + 1;
        return new TextSample(new string(buffer, 0, lines == 0 ? count : lines), whole);
    }

    /// <summary>The first rows of a sample, cells trimmed, empty lines left out.</summary>
    /// <param name="sample">The text.</param>
    /// <param name="broken">True when quotes that do not pair up end the rows early.</param>
    /// <param name="limit">The most rows.</param>
    public List<string[]> Rows(TextSample sample, out bool broken, int limit = SampleRows)
    {
        var rows = new List<string[]>();
        broken = false;
        try
        {
            Read(sample, limit, rows);
        }
        catch (CsvFormatException)
        {
            broken = true;
        }

        return rows;
    }

    private void Read(TextSample sample, int limit, List<string[]> rows)
    {
        string text = Delimiter == ' ' ? FoldSpaces(sample.Text) : sample.Text;
        long read = 0;
        using CsvDataReader reader = Open(new StringReader(text), Math.Max(4096, text.Length + 1));
        while (rows.Count < limit && Advance())
        {
            read += reader.GetRawRecordSpan().Length;
            var cells = new string[reader.RowFieldCount];
            for (int i = 0; i < cells.Length; i++)
                cells[i] = reader.GetFieldSpan(i).Trim().ToString();
            if (cells.Length > 1 || !reader.GetRawRecordSpan().IsWhiteSpace())
                rows.Add(cells);
        }

        bool Advance()
        {
            try
            {
                return reader.Read();
            }
            catch (CsvFormatException) when (!sample.Whole && read > 0.75 * text.Length)
            {
                // The sample ends within a quoted cell.
                return false;
            }
        }
    }

    /// <summary>The dialect whose rows agree best on a number of cells.</summary>
    public static CsvDialect Detect(string path, TextSample sample)
    {
        string extension = System.IO.Path.GetExtension(path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path);
        bool tabs = extension.Equals(".tsv", StringComparison.OrdinalIgnoreCase) || extension.Equals(".tab", StringComparison.OrdinalIgnoreCase);
        bool commas = extension.Equals(".csv", StringComparison.OrdinalIgnoreCase);
        Trial best = Try(Never, sample);
        Trial? broken = null;
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
            if (trial.Broken)
                broken ??= trial;
            else if (best.Dialect.Width < 2 || (trial.FirstAgrees, trial.Dialect.Width).CompareTo((best.FirstAgrees, best.Dialect.Width)) > 0)
                best = trial;
        }

        // Where quotes never pair up, the delimiter of the rows before is the better guess: the reading pass will name the line.
        if (best.Dialect.Width < 2 && broken != null)
            return broken.Dialect;
        if (!sample.Text.Contains('"'))
            return best.Dialect.Delimiter is '\t' or Never ? best.Dialect with { Quoted = false } : best.Dialect;
        // A stray quote may stand anywhere in the sample, not only in its first rows.
        return Try(best.Dialect.Delimiter, sample, int.MaxValue).Dialect;
    }

    private static Trial Try(char delimiter, TextSample sample, int rows = SampleRows)
    {
        Trial quoted = Measure(new CsvDialect(delimiter, true, 1), sample, rows);
        if ((!quoted.Broken && quoted.Agreement >= 0.98) || !sample.Text.Contains('"'))
            return quoted;
        Trial literal = Measure(new CsvDialect(delimiter, false, 1), sample, rows);
        return literal.Agreement >= 0.98 && (quoted.Broken || literal.Agreement > quoted.Agreement) ? literal : quoted;
    }

    private static Trial Measure(CsvDialect dialect, TextSample sample, int limit)
    {
        List<string[]> rows = dialect.Rows(sample, out bool broken, limit);
        if (rows.Count == 0)
            return new Trial(dialect, 0, false, broken);
        IGrouping<int, string[]> mode = rows.GroupBy(r => r.Length).MaxBy(g => g.Count())!;
        return new Trial(dialect with { Width = mode.Key }, mode.Count() / (double)rows.Count, rows[0].Length == mode.Key, broken);
    }

    private static string FoldSpaces(string sample)
    {
        var folded = new StringBuilder(sample.Length);
        foreach (string line in sample.Split('\n'))
            folded.AppendJoin(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).Append('\n');
        return folded.ToString();
    }

    private sealed record Trial(CsvDialect Dialect, double Agreement, bool FirstAgrees, bool Broken);
}

/// <summary>The beginning of a file's text.</summary>
/// <param name="Text">Whole lines.</param>
/// <param name="Whole">True when this is all of it.</param>
internal sealed record TextSample(string Text, bool Whole);
