using System.Globalization;
using System.Security.Cryptography;
using Candela.Models;
using Sylvan.Data.Csv;

namespace Candela.Data;

/// <summary>Delimited text, parsed by Sylvan.Data.Csv.</summary>
internal sealed class CsvSource : RowSource
{
    private readonly CsvDialect _dialect;
    private readonly int _skipLines;
    private readonly bool _header;
    private readonly string[] _names;
    private readonly TableReading _reading;

    /// <summary>Finds out how the file is written.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">What the user said about it.</param>
    /// <param name="events">Told of a count line left out, and of quotes read as ordinary characters.</param>
    /// <param name="like">The columns wanted, and how the file they were found in was read; null when nothing is known.</param>
    public CsvSource(string path, TableOptions options, IProgress<TrainEvent>? events = null, TableSchema? like = null) : base(path)
    {
        _skipLines = options.SkipLines;
        TextSample sample = CsvDialect.Sample(path, _skipLines);
        _dialect = CsvDialect.Detect(path, sample);
        List<string[]> rows = _dialect.Rows(sample, out bool broken);
        if (rows.Count == 0 && broken)
            throw BadQuotes(path, _skipLines + 1, null);
        if (rows.Count == 0)
            throw new DataException($"{path}: the file is empty{(_skipLines > 0 ? $" after {_skipLines} skipped lines" : "")}; a table with at least one row is needed.");
        if (!_dialect.Quoted && sample.Text.Contains('"'))
            events?.Report(new Warned("quotes-literal", $"{path}: double quotes do not pair up, so they are read as ordinary characters."));

        var missing = new MissingMarks(options.MissingMarks);
        if (CsvHeader.IsCountLine(rows[0], rows[1..], missing, RowsBelowFirst))
        {
            string classes = rows[0].Length > 2 && rows[0][2].Length > 0 ? $", classes {string.Join(", ", rows[0].Skip(2).Select((c, i) => $"{i}={c}"))}" : "";
            events?.Report(new Warned("count-line-skipped", $"{path} line {_skipLines + 1}: '{Cut(string.Join(_dialect.Delimiter, rows[0]))}' counts rows and features ({rows[0][0]} rows, {rows[0][1]} features{classes}) and is left out."));
            _skipLines++;
            rows.RemoveAt(0);
        }

        string[]? expected = like is null ? null : [.. like.Columns.Select(c => c.Name)];
        TableReading? first = like?.Reading is { Header: not null } known ? known : null;
        bool named = expected is { Length: > 0 } && expected.All(rows[0].Contains);
        bool byPlace = first != null && first.ByPlace() && !named;
        _header = options.Header switch
        {
            _ when first is { Header: false } => named,
            // Where the header's names were replaced, a later file may come without one: its first row must not be lost.
            _ when byPlace => rows[0].Any(first!.Replaced!.Contains) || CsvHeader.IsHeader(rows[0], rows[1..], missing),
            _ when first != null => true,
            HeaderMode.Yes => true,
            HeaderMode.No => false,
            // A model trained on a file without a header knows its columns by place.
            _ when expected is { Length: > 0 } && expected.All(n => n.StartsWith('#') && int.TryParse(n.AsSpan(1), out _)) => false,
            _ when expected != null && rows[0].Count(expected.Contains) * 2 > Math.Min(expected.Length, rows[0].Length) => true,
            _ => CsvHeader.IsHeader(rows[0], rows[1..], missing),
        };
        if (_header && rows.Count == 1 && !broken)
            throw new DataException($"{path} line {_skipLines + 1}: there is a header but no data row below it; a table with at least one row is needed.{(options.Header == HeaderMode.Auto ? " If this line is data, say --header no." : "")}");
        string[] cells = _header ? rows[0] : [.. Enumerable.Repeat("", _dialect.Width)];
        _names = byPlace ? first!.NamesOf(cells.Length, expected!) ?? throw NotThePlaces(path, first, cells.Length)
            : Unique(first == null ? options.ColumnNames : null, cells, _skipLines + 1);
        _reading = new TableReading { Header = _header, Names = _names, Replaced = _header && (byPlace || options.ColumnNames != null) ? rows[0] : null };
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Names => _names;

    /// <inheritdoc/>
    public override TableReading Reading => _reading;

    /// <inheritdoc/>
    public override RowReader Open(IncrementalHash? hash = null)
    {
        var text = new StrictTextReader(Path, hash, _skipLines, _dialect.Delimiter == ' ');
        var reader = new CsvRows(this, _dialect.Open(text), text.SkippedLines);
        if (_header)
            reader.Read(checkWidth: false);
        return reader;
    }

    // Goes through the whole file; asked for only when its first line looks like a count of rows.
    private long RowsBelowFirst()
    {
        long rows = -1;
        try
        {
            using CsvDataReader csv = _dialect.Open(new StrictTextReader(Path, null, _skipLines, _dialect.Delimiter == ' '));
            while (csv.Read())
                if (csv.RowFieldCount > 1 || !csv.GetRawRecordSpan().IsWhiteSpace())
                    rows++;
        }
        catch (CsvFormatException)
        {
            return -1; // the reading pass names the line
        }

        return rows;
    }

    private static string Cut(string text) => text.Length <= 60 ? text : text[..57] + "...";

    private static DataException BadQuotes(string path, long line, Exception? inner) => new(
        $"{path} line {line}: a quoted cell is not closed, or characters follow its closing quote. A quote inside a quoted cell is written twice (\"\").", inner);

    private static DataException NotThePlaces(string path, TableReading first, int width) => new(
        $"{path}: {width} columns where the model's data has {first.Names.Length}{(first.Target != null ? $" ({first.Names.Length - 1} without the target '{first.Target}')" : "")}: {Cut(string.Join(", ", first.Names))}. "
        + "That data had no names of its own, so columns are known by their place: give the same columns, or a first line with the names.");

    private string[] Unique(IReadOnlyList<string>? given, string[] cells, int line)
    {
        if (given != null && given.Count != cells.Length)
            throw new DataException($"{Path}: {given.Count} column names were given for {cells.Length} columns ({Cut(string.Join(", ", given))}). Give one name per column.");
        var names = new string[cells.Length];
        var places = new Dictionary<string, int>();
        for (int i = 0; i < names.Length; i++)
        {
            names[i] = given?[i] ?? (cells[i].Length > 0 ? cells[i] : string.Create(CultureInfo.InvariantCulture, $"#{i}"));
            if (!places.TryAdd(names[i], i))
                throw new DataException($"{Path} line {line}: columns {places[names[i]] + 1} and {i + 1} are both called '{names[i]}'. Rename one, or give names with --columns.");
        }

        return names;
    }

    private sealed class CsvRows(CsvSource source, CsvDataReader csv, long skippedLines) : RowReader
    {
        private readonly int _width = source._names.Length;
        private readonly CsvDataReader _csv = csv;
        private long _line = skippedLines + 1;
        private int _linesOfRow;

        public override long Line => _line;

        public override bool Read() => Read(checkWidth: true);

        public bool Read(bool checkWidth)
        {
            while (true)
            {
                _line += _linesOfRow;
                _linesOfRow = 0;
                if (!Advance())
                    return false;
                _linesOfRow = Math.Max(1, _csv.GetRawRecordSpan().Count('\n'));
                int count = _csv.RowFieldCount;
                if (count == 1 && _csv.GetRawRecordSpan().IsWhiteSpace())
                    continue;
                if (checkWidth && count != _width)
                    CheckRagged(count);
                return true;
            }
        }

        public override ReadOnlySpan<char> Cell(int column)
        {
            ReadOnlySpan<char> cell = _csv.GetFieldSpan(column);
            return cell.Length > 0 && (cell[0] <= ' ' || cell[^1] <= ' ' || cell[0] > 127 || cell[^1] > 127) ? cell.Trim() : cell;
        }

        public override void Dispose() => _csv.Dispose();

        private bool Advance()
        {
            try
            {
                return _csv.Read();
            }
            catch (CsvRecordTooLargeException e)
            {
                throw new DataException($"{source.Path} line {_line}: the row that begins here is longer than {LongestText}; most likely a quote is not closed.", e);
            }
            catch (CsvFormatException e)
            {
                throw BadQuotes(source.Path, _line, e);
            }
        }

        private void CheckRagged(int count)
        {
            // A trailing delimiter is no cell.
            bool onlyEmpty = count > _width;
            for (int i = _width; i < count && onlyEmpty; i++)
                onlyEmpty = _csv.GetFieldSpan(i).IsWhiteSpace();
            if (!onlyEmpty)
            {
                string has = source._header ? "the header has" : "most rows have";
                throw new DataException($"{source.Path} line {_line}: {count} cell{(count == 1 ? "" : "s")} where {has} {_width}. Give every row {_width} (a cell that holds the delimiter must stand in double quotes).");
            }
        }

        private const string LongestText = "134 million characters";
    }
}
