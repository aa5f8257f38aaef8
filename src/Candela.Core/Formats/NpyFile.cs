using System.Buffers.Binary;
using System.Text;
using System.Text.RegularExpressions;

namespace Candela.Formats;

/// <summary>NumPy's .npy format: reads versions 1 to 3, either byte order, C or Fortran order; writes version 1, little-endian, C order.
/// Element types: f8, f4, f2, i8, i4, i2, i1, u8, u4, u2, u1, b1. Reference: NEP 1 and numpy.lib.format.</summary>
public static partial class NpyFile
{
    private static readonly byte[] Magic = [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Reads an array; its name is the file's name without <c>.npy</c>.</summary>
    /// <exception cref="FileFormatException">The file is missing, cut short, not .npy, or has an unsupported element type.</exception>
    public static RawTensor Read(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return Read(stream, path, Path.GetFileNameWithoutExtension(path), stream.Length);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FileFormatException(path, Fault.Missing, "the file does not exist.", error);
        }
    }

    /// <summary>Writes an array in one step (see <see cref="AtomicFile"/>).</summary>
    /// <exception cref="ShapeException">BF16 or an 8-bit float was given, or bytes that do not fill the shape.</exception>
    public static void Write(string path, RawTensor array) => AtomicFile.Write(path, stream => Write(stream, array));

    internal static RawTensor Read(Stream stream, string path, string name, long length)
    {
        var prefix = new byte[8];
        if (stream.ReadAtLeast(prefix, 8, throwOnEndOfStream: false) < 8)
            throw Cut(path, length);
        if (!prefix.AsSpan(0, 6).SequenceEqual(Magic))
            throw new FileFormatException(path, Fault.WrongFormat, "the file does not begin with the mark of a .npy array.");
        int major = prefix[6];
        if (major is < 1 or > 3)
            throw new FileFormatException(path, Fault.Unsupported, $"the array is of .npy version {major}; versions 1 to 3 are supported.");
        var sizes = new byte[major == 1 ? 2 : 4];
        if (stream.ReadAtLeast(sizes, sizes.Length, throwOnEndOfStream: false) < sizes.Length)
            throw Cut(path, length);
        uint headerLength = major == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(sizes) : BinaryPrimitives.ReadUInt32LittleEndian(sizes);
        long dataStart = 8 + sizes.Length + (long)headerLength;
        if (dataStart > length)
            throw Cut(path, length);
        if (headerLength > 1 << 20)
            throw Bad(path, $"the header is {headerLength} bytes long");
        var header = new byte[headerLength];
        stream.ReadExactly(header);
        return ReadData(stream, path, name, length - dataStart, (major == 3 ? Encoding.UTF8 : Encoding.Latin1).GetString(header));
    }

    internal static void Write(Stream stream, RawTensor array)
    {
        long bytes = array.Shape.Aggregate((long)Safetensors.ElementBytes(array.Type), (a, b) => checked(a * b));
        if (bytes != array.Bytes.Length)
            throw new ShapeException($"Array '{array.Name}' of shape [{string.Join(", ", array.Shape)}] and type {array.Type} needs {bytes} bytes; got {array.Bytes.Length}.");
        string shape = string.Join(", ", array.Shape) + (array.Shape.Count == 1 ? "," : "");
        string header = $"{{'descr': '{Describe(array)}', 'fortran_order': False, 'shape': ({shape}), }}";
        int padded = (10 + header.Length + 1 + 63) / 64 * 64; // NumPy aligns the data to 64 bytes
        header = header.PadRight(padded - 11) + "\n";
        stream.Write([.. Magic, 1, 0, (byte)header.Length, (byte)(header.Length >> 8)]);
        stream.Write(Encoding.ASCII.GetBytes(header));
        stream.Write(array.Bytes.Span);
    }

    private static RawTensor ReadData(Stream stream, string path, string name, long available, string header)
    {
        string descr = DescrKey().Match(header) is { Success: true } d ? d.Groups[1].Value : throw Bad(path, "the header has no 'descr' of a plain type");
        bool fortran = FortranKey().Match(header) is { Success: true } f ? f.Groups[1].Value == "True" : throw Bad(path, "the header has no 'fortran_order'");
        string axes = ShapeKey().Match(header) is { Success: true } s ? s.Groups[1].Value : throw Bad(path, "the header has no 'shape'");
        var type = ParseType(path, descr[1..]);
        var shape = new List<int>();
        long count = 1;
        foreach (string axis in axes.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!int.TryParse(axis, out int n) || n < 0 || (n > 0 && count > Array.MaxLength / n))
                throw new FileFormatException(path, Fault.Unsupported, $"the shape ({axes}) is larger than one array can hold.");
            shape.Add(n);
            count *= n;
        }

        int size = Safetensors.ElementBytes(type);
        long bytes = count * size;
        if (bytes > available)
            throw new FileFormatException(path, Fault.Truncated, $"shape ({axes}) of type {descr} needs {bytes} bytes of data, the file has {available}. It was cut short: copy it again.");
        if (bytes < available)
            throw Bad(path, $"{available - bytes} bytes follow the array");
        if (bytes > Array.MaxLength)
            throw new FileFormatException(path, Fault.Unsupported, $"the array has {bytes} bytes, more than one array can hold.");
        var data = new byte[bytes];
        stream.ReadExactly(data);
        if (descr[0] == '>' && size > 1)
            for (int i = 0; i < data.Length; i += size)
                Array.Reverse(data, i, size);
        return new RawTensor(name, type, shape, fortran && shape.Count > 1 ? FromFortran(data, shape, size) : data);
    }

    // First axis fastest -> last axis fastest.
    private static byte[] FromFortran(byte[] data, List<int> shape, int size)
    {
        var result = new byte[data.Length];
        var index = new int[shape.Count];
        var strides = new long[shape.Count];
        long stride = size;
        for (int axis = 0; axis < shape.Count; stride *= shape[axis], axis++)
            strides[axis] = stride;
        for (int to = 0; to < result.Length; to += size)
        {
            long from = 0;
            for (int axis = 0; axis < index.Length; axis++)
                from += index[axis] * strides[axis];
            data.AsSpan((int)from, size).CopyTo(result.AsSpan(to));
            for (int axis = index.Length - 1; axis >= 0 && ++index[axis] == shape[axis]; axis--)
                index[axis] = 0;
        }

        return result;
    }

    private static TensorType ParseType(string path, string code) => code switch
    {
        "f8" => TensorType.F64,
        "f4" => TensorType.F32,
        "f2" => TensorType.F16,
        "i8" => TensorType.I64,
        "i4" => TensorType.I32,
        "i2" => TensorType.I16,
        "i1" => TensorType.I8,
        "u8" => TensorType.U64,
        "u4" => TensorType.U32,
        "u2" => TensorType.U16,
        "u1" => TensorType.U8,
        "b1" => TensorType.BOOL,
        _ => throw new FileFormatException(path, Fault.Unsupported, $"the element type is '{code}'; supported are f8, f4, f2, i8, i4, i2, i1, u8, u4, u2, u1, b1. Convert it with .astype(...) in NumPy."),
    };

    private static string Describe(RawTensor array) => array.Type switch
    {
        TensorType.F64 => "<f8",
        TensorType.F32 => "<f4",
        TensorType.F16 => "<f2",
        TensorType.I64 => "<i8",
        TensorType.I32 => "<i4",
        TensorType.I16 => "<i2",
        TensorType.I8 => "|i1",
        TensorType.U64 => "<u8",
        TensorType.U32 => "<u4",
        TensorType.U16 => "<u2",
        TensorType.U8 => "|u1",
        TensorType.BOOL => "|b1",
        _ => throw new ShapeException($"Array '{array.Name}' has the element type {array.Type}, which NumPy lacks; convert it to F32 first."),
    };

    private static FileFormatException Cut(string path, long length) => new(path, Fault.Truncated, $"the file has only {length} bytes and ends inside its header.");

    private static FileFormatException Bad(string path, string what) => new(path, Fault.Corrupt, what + ". The file is damaged.");

    [GeneratedRegex("""['"]descr['"]\s*:\s*['"]([<>|=]\w+)['"]""")]
    private static partial Regex DescrKey();

    [GeneratedRegex("""['"]fortran_order['"]\s*:\s*(True|False)""")]
    private static partial Regex FortranKey();

    [GeneratedRegex("""['"]shape['"]\s*:\s*\(([\d,\s]*)\)""")]
    private static partial Regex ShapeKey();
}
