using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace Candela.Data;

/// <summary>IDX images (the format of MNIST): unsigned bytes, 3 dimensions [N, H, W] or 4 ([N, C, H, W] or [N, H, W, C], told apart by which of the two is 1 or 3), gzipped or not,
/// and optionally a file of labels of 1 dimension. Layout: http://yann.lecun.com/exdb/mnist/, "THE IDX FILE FORMAT".</summary>
internal sealed class IdxFile : ImageSource
{
    private const int UnsignedByte = 8;
    private readonly string? _labelsPath;
    private readonly byte[] _labels = [];
    private readonly string[]? _classes;
    private readonly int[] _classOf = new int[256];
    private readonly bool _interleaved;
    private readonly int _headerBytes;

    public IdxFile(string path, string? labelsPath) : base(path)
    {
        _labelsPath = labelsPath;
        using (var bytes = new DataBytes(path))
        {
            int[] sizes = Header(bytes, "images");
            if (sizes.Length < 3)
                throw new FileFormatException(path, Fault.WrongFormat, $"an IDX file of {sizes.Length} dimensions holds no images{(sizes.Length == 1 ? " but labels; give the images file as data and this one with --labels" : "")}.");
            _headerBytes = 4 + (4 * sizes.Length);
            Count = sizes[0];
            if (sizes.Length == 3)
                Shape = new ImageShape(1, sizes[1], sizes[2]);
            else if (sizes[1] is 1 or 3)
                Shape = new ImageShape(sizes[1], sizes[2], sizes[3]);
            else if (sizes[3] is 1 or 3)
                (Shape, _interleaved) = (new ImageShape(sizes[3], sizes[1], sizes[2]), true);
            else
                throw new FileFormatException(path, Fault.Unsupported, $"images of [{sizes[1]}, {sizes[2]}, {sizes[3]}]; 1 or 3 channels are needed, first or last.");
            // Up to 93 bits.
            UInt128 image = (UInt128)sizes[1] * (UInt128)sizes[2] * (UInt128)(sizes.Length == 4 ? sizes[3] : 1);
            if (image > 1 << 28)
                throw new FileFormatException(path, Fault.Corrupt, $"the header says images of {string.Join(" x ", sizes.Skip(1))} bytes.");
            if (bytes.Length is { } length && (UInt128)(length - _headerBytes) / image is var there && there < (UInt128)Count)
                throw new FileFormatException(path, Fault.Truncated, $"ends after {there} of the {Count} images its header announces.");
        }

        if (Count == 0)
            throw new DataException($"{path}: the file holds no image; at least one is needed.");
        if (labelsPath == null)
            return;
        _labels = ReadLabels(labelsPath);
        byte[] values = [.. _labels.Distinct().Order()];
        _classes = [.. values.Select(v => v.ToString(CultureInfo.InvariantCulture))];
        for (int i = 0; i < values.Length; i++)
            _classOf[values[i]] = i;
    }

    /// <inheritdoc/>
    public override ImageShape Shape { get; }

    /// <inheritdoc/>
    public override int Count { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string>? Classes => _classes;

    /// <inheritdoc/>
    public override string Note => "IDX images";

    /// <inheritdoc/>
    public override int Label(int image) => _classOf[_labels[image]];

    /// <inheritdoc/>
    public override ImagePass Open(IncrementalHash? hash = null) => new Pass(this, hash);

    private static int[] Header(DataBytes bytes, string what)
    {
        Span<byte> magic = stackalloc byte[4];
        if (bytes.Read(magic) < 4)
            throw new FileFormatException(bytes.Path, Fault.Truncated, $"shorter than the 4 bytes an IDX {what} file begins with.");
        if (magic[0] != 0 || magic[1] != 0 || magic[3] is < 1 or > 4)
            throw new FileFormatException(bytes.Path, Fault.WrongFormat, $"begins with {Convert.ToHexStringLower(magic)}, not with the 000008nn of an IDX {what} file.");
        if (magic[2] != UnsignedByte)
            throw new FileFormatException(bytes.Path, Fault.Unsupported, $"IDX values of type 0x{magic[2]:x2}; unsigned bytes (0x08) are needed.");
        var sizes = new int[magic[3]];
        Span<byte> size = stackalloc byte[4];
        for (int i = 0; i < sizes.Length; i++)
        {
            if (bytes.Read(size) < 4)
                throw new FileFormatException(bytes.Path, Fault.Truncated, $"ends within its header of {4 + (4 * sizes.Length)} bytes.");
            sizes[i] = BinaryPrimitives.ReadInt32BigEndian(size);
            if (sizes[i] < 0 || (i > 0 && sizes[i] == 0))
                throw new FileFormatException(bytes.Path, Fault.Corrupt, $"the header gives dimension {i} the size {sizes[i]}.");
        }

        return sizes;
    }

    private byte[] ReadLabels(string path)
    {
        using var bytes = new DataBytes(path);
        int[] sizes = Header(bytes, "labels");
        if (sizes.Length != 1)
            throw new FileFormatException(path, Fault.WrongFormat, $"an IDX labels file has 1 dimension, this one has {sizes.Length}.");
        if (sizes[0] != Count)
            throw new DataException($"{path}: {sizes[0]} labels for the {Count} images of {Path}. Give the labels file that belongs to the images.");
        // As many as there are, not as many as are announced.
        byte[] labels = [];
        while (labels.Length < sizes[0])
        {
            int before = labels.Length;
            Array.Resize(ref labels, (int)Math.Min(sizes[0], Math.Max(1 << 16, 2L * before)));
            int count = bytes.Read(labels.AsSpan(before));
            if (before + count < labels.Length)
                throw new FileFormatException(path, Fault.Truncated, $"ends after {before + count} of {sizes[0]} labels.");
        }

        CheckEnd(bytes, "labels");
        return labels;
    }

    private static void CheckEnd(DataBytes bytes, string what)
    {
        Span<byte> more = stackalloc byte[1];
        if (bytes.Read(more) > 0)
            throw new FileFormatException(bytes.Path, Fault.Corrupt, $"goes on after the last of the {what} its header announces.");
    }

    private sealed class Pass : ImagePass
    {
        private readonly IdxFile _file;
        private readonly IncrementalHash? _hash;
        private readonly DataBytes _bytes;
        private readonly byte[] _image;
        private int _next;

        public Pass(IdxFile file, IncrementalHash? hash)
        {
            (_file, _hash, _bytes, _image) = (file, hash, new DataBytes(file.Path, hash), new byte[file.Shape.Length]);
            _ = _bytes.Read(new byte[file._headerBytes]);
        }

        public override void Next(Span<byte> into)
        {
            if (_bytes.Read(_image) < _image.Length)
                throw new FileFormatException(_file.Path, Fault.Truncated, $"ends after {_next} of the {_file.Count} images its header announces.");
            _next++;
            if (_file._interleaved)
                Bilinear.Resize(_image, _file.Shape, into, _file.Shape);
            else
                _image.CopyTo(into);
        }

        public override void End()
        {
            CheckEnd(_bytes, "images");
            if (_hash == null || _file._labelsPath == null)
                return;
            using var labels = new DataBytes(_file._labelsPath, _hash);
            var buffer = new byte[1 << 16];
            while (labels.Read(buffer) == buffer.Length)
            {
            }
        }

        public override void Dispose()
        {
            _bytes.Dispose();
            base.Dispose();
        }
    }
}
