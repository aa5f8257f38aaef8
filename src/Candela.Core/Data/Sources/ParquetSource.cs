using System.Globalization;
using System.Security.Cryptography;
using Parquet;
using Parquet.Schema;

namespace Candela.Data;

/// <summary>Parquet files of flat columns. One row group is held at a time.</summary>
internal sealed class ParquetSource : RowSource
{
    // A group of equal cells takes next to no bytes; beyond the row groups of the usual writers a group must be as large as its rows make likely.
    private const long UsualGroupRows = 1 << 20, MostRowsPerByte = 1024;

    private readonly DataField[] _fields;
    private readonly long _length;
    private readonly string[] _names;

    public ParquetSource(string path) : base(path)
    {
        using FileStream file = DataBytes.Open(path);
        CheckEnds(file);
        _length = file.Length;
        ParquetSchema schema = Guard(() =>
        {
            ParquetReader reader = Await(ParquetReader.CreateAsync(file, leaveStreamOpen: true));
            Await(reader.DisposeAsync());
            return reader.Schema;
        });
        _fields = schema.GetDataFields();
        _names = [.. _fields.Select(f => f.Name)];
        foreach (Field field in schema.Fields)
            if (field is not DataField { IsArray: false } flat || Column.For(flat, 0) == null)
                throw new DataException($"{path}: column '{field.Name}' is {Describe(field)}; only numbers, text, booleans and dates can be cells. Flatten or drop it.");
        if (_names.Length == 0 || _names.Distinct().Count() < _names.Length)
            throw new DataException($"{path}: {(_names.Length == 0 ? "the file has no columns." : $"two columns are called '{_names.GroupBy(n => n).First(g => g.Count() > 1).Key}'.")}");
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Names => _names;

    /// <inheritdoc/>
    public override RowReader Open(IncrementalHash? hash = null)
    {
        FileStream file = DataBytes.Open(Path);
        try
        {
            if (hash != null)
            {
                var buffer = new byte[1 << 17];
                for (int count; (count = file.Read(buffer)) > 0;)
                    hash.AppendData(buffer, 0, count);
                file.Position = 0;
            }

            return Guard(() => new Rows(this, Await(ParquetReader.CreateAsync(file))));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override string Where(RowReader reader) => $"{Path} row {reader.Line}";

    private static string Describe(Field field) => field switch
    {
        DataField { IsArray: true } => "a list",
        DataField data => $"of type {data.ClrType.Name}",
        _ => field.SchemaType.ToString().ToLowerInvariant() switch { "list" => "a list", "map" => "a map", _ => "nested" },
    };

    private static T Await<T>(Task<T> task) => task.GetAwaiter().GetResult();

    private static void Await(ValueTask task) => task.AsTask().GetAwaiter().GetResult();

    private void CheckEnds(FileStream file)
    {
        Span<byte> end = stackalloc byte[4];
        file.Position = Math.Max(0, file.Length - 4);
        if (file.Length < 12 || file.ReadAtLeast(end, 4, false) < 4 || !end.SequenceEqual("PAR1"u8))
            throw new FileFormatException(Path, Fault.Truncated, "begins like Parquet but does not end with PAR1; the file was cut short. Copy or write it again.");
        file.Position = 0;
    }

    private T Guard<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is not CandelaException and not OutOfMemoryException)
        {
            // The reader meets broken bytes with whatever its parser runs into.
            throw new FileFormatException(Path, Fault.Corrupt, $"the Parquet data cannot be decoded ({e.Message.TrimEnd('.')}). Write the file again.", e);
        }
    }

    private sealed class Rows(ParquetSource source, ParquetReader parquet) : RowReader
    {
        private readonly char[] _scratch = new char[64];
        private Column[] _columns = [];
        private int _group, _row = -1, _groupRows;
        private long _line;

        public override long Line => _line;

        public override bool Read()
        {
            while (++_row >= _groupRows)
            {
                if (_group == parquet.RowGroupCount)
                    return false;
                source.Guard(() =>
                {
                    _columns = ReadGroup(_group++);
                    return 0;
                });
                _row = -1;
            }

            _line++;
            return true;
        }

        public override ReadOnlySpan<char> Cell(int column) => _columns[column].Cell(_row, _scratch);

        public override void Dispose() => Await(parquet.DisposeAsync());

        private Column[] ReadGroup(int index)
        {
            using ParquetRowGroupReader group = parquet.OpenRowGroupReader(index);
            if (group.RowCount < 0 || group.RowCount > Math.Min(UsualGroupRows + (MostRowsPerByte * source._length), Array.MaxLength))
                throw new FileFormatException(source.Path, Fault.Corrupt, $"row group {index} is said to have {group.RowCount} rows, in a file of {source._length} bytes. Write the file again.");
            _groupRows = (int)group.RowCount;
            var columns = new Column[source._fields.Length];
            for (int i = 0; i < columns.Length; i++)
            {
                columns[i] = Column.For(source._fields[i], _groupRows)!;
                Await(columns[i].Read(group, source._fields[i]));
            }

            return columns;
        }
    }

    /// <summary>The cells of one column of one row group.</summary>
    private abstract class Column
    {
        public static Column? For(DataField field, int rows) => Type.GetTypeCode(field.ClrType) switch
        {
            TypeCode.Boolean => new Values<bool>(rows, field.IsNullable, null),
            TypeCode.SByte => new Values<sbyte>(rows, field.IsNullable, ""),
            TypeCode.Byte => new Values<byte>(rows, field.IsNullable, ""),
            TypeCode.Int16 => new Values<short>(rows, field.IsNullable, ""),
            TypeCode.UInt16 => new Values<ushort>(rows, field.IsNullable, ""),
            TypeCode.Int32 => new Values<int>(rows, field.IsNullable, ""),
            TypeCode.UInt32 => new Values<uint>(rows, field.IsNullable, ""),
            TypeCode.Int64 => new Values<long>(rows, field.IsNullable, ""),
            TypeCode.UInt64 => new Values<ulong>(rows, field.IsNullable, ""),
            TypeCode.Single => new Values<float>(rows, field.IsNullable, "R"),
            TypeCode.Double => new Values<double>(rows, field.IsNullable, "R"),
            TypeCode.Decimal => new Values<decimal>(rows, field.IsNullable, ""),
            TypeCode.DateTime => new Values<DateTime>(rows, field.IsNullable, "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF"),
            _ when field.ClrType == typeof(string) || field.ClrType == typeof(ReadOnlyMemory<char>) => new Texts(rows),
            _ when field.ClrType == typeof(DateOnly) => new Values<DateOnly>(rows, field.IsNullable, "yyyy-MM-dd"),
            _ when field.ClrType == typeof(Guid) => new Values<Guid>(rows, field.IsNullable, "D"),
            _ => null,
        };

        public abstract ValueTask Read(ParquetRowGroupReader group, DataField field);

        public abstract ReadOnlySpan<char> Cell(int row, char[] scratch);
    }

    private sealed class Texts(int rows) : Column
    {
        private readonly string?[] _values = new string?[rows];

        public override ValueTask Read(ParquetRowGroupReader group, DataField field) => group.ReadAsync(field, _values.AsMemory()!);

        public override ReadOnlySpan<char> Cell(int row, char[] scratch) => _values[row].AsSpan().Trim();
    }

    /// <param name="rows">Rows of the group.</param>
    /// <param name="nullable">Whether the file may hold nulls.</param>
    /// <param name="format">How a value is written; null for booleans.</param>
    private sealed class Values<T>(int rows, bool nullable, string? format) : Column where T : struct
    {
        private readonly T[] _values = nullable ? [] : new T[rows];
        private readonly T?[] _nullable = nullable ? new T?[rows] : [];

        public override ValueTask Read(ParquetRowGroupReader group, DataField field) =>
            nullable ? group.ReadAsync<T>(field, _nullable.AsMemory()) : group.ReadAsync<T>(field, _values.AsMemory());

        public override ReadOnlySpan<char> Cell(int row, char[] scratch)
        {
            if (nullable && _nullable[row] == null)
                return [];
            T value = nullable ? _nullable[row]!.Value : _values[row];
            if (format == null)
                return value is true ? "true" : "false";
            int count = 0;
            _ = value is ISpanFormattable text && text.TryFormat(scratch, out count, format, CultureInfo.InvariantCulture);
            return scratch.AsSpan(0, count);
        }
    }
}
