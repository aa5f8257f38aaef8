using System.IO.Compression;

namespace Candela.Formats;

/// <summary>NumPy's .npz format: a zip of .npy arrays, each entry called <c>name.npy</c>. The zip's own CRC-32 guards the content.</summary>
public static class NpzFile
{
    /// <summary>Reads all arrays, in the order they are stored; their names lose <c>.npy</c>.</summary>
    /// <exception cref="FileFormatException">The file is missing, is no zip, or an entry cannot be read.</exception>
    public static IReadOnlyList<RawTensor> Read(string path)
    {
        try
        {
            using var zip = ZipFile.OpenRead(path);
            var arrays = new List<RawTensor>();
            foreach (var entry in zip.Entries)
            {
                string name = entry.FullName.EndsWith(".npy", StringComparison.Ordinal) ? entry.FullName[..^4] : entry.FullName;
                using var content = new MemoryStream();
                using (var stream = entry.Open())
                    Inflate(stream, content, entry.Length);
                if (content.Length != entry.Length || Crc32(content.GetBuffer().AsSpan(0, (int)content.Length)) != entry.Crc32)
                    throw new FileFormatException(path, Fault.Corrupt, $"entry '{entry.FullName}' does not match its CRC-32. The file is damaged.");
                content.Position = 0;
                arrays.Add(NpyFile.Read(content, $"{path}({entry.FullName})", name, content.Length));
            }

            return arrays;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FileFormatException(path, Fault.Missing, "the file does not exist.", error);
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException)
        {
            throw new FileFormatException(path, Fault.Corrupt, $"not a readable .npz (zip) file: {error.Message}", error);
        }
    }

    /// <summary>Writes arrays under their names in one step (see <see cref="AtomicFile"/>).</summary>
    public static void Write(string path, IEnumerable<RawTensor> arrays, bool compress = false) => AtomicFile.Write(path, stream =>
    {
        using var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        foreach (var array in arrays)
        {
            var entry = zip.CreateEntry(array.Name + ".npy", compress ? CompressionLevel.Fastest : CompressionLevel.NoCompression);
            entry.LastWriteTime = new DateTimeOffset(1980, 1, 1, 0, 0, 0, TimeSpan.Zero); // the same arrays give the same bytes
            using var content = entry.Open();
            NpyFile.Write(content, array);
        }
    });

    // A few bytes can inflate to gigabytes: no more is taken than was declared (and one byte, which shows that there is more).
    private static void Inflate(Stream from, MemoryStream into, long declared)
    {
        var buffer = new byte[1 << 16];
        while (into.Length <= declared)
        {
            int count = from.Read(buffer, 0, (int)Math.Min(buffer.Length, declared + 1 - into.Length));
            if (count == 0)
                return;
            into.Write(buffer, 0, count);
        }
    }

    // The zip reader of .NET does not compare it (reflected polynomial 0xEDB88320).
    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        Span<uint> table = stackalloc uint[256];
        for (uint i = 0; i < 256; i++)
        {
            uint entry = i;
            for (int bit = 0; bit < 8; bit++)
                entry = (entry & 1) != 0 ? (entry >> 1) ^ 0xEDB88320 : entry >> 1;
            table[(int)i] = entry;
        }

        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
            crc = (crc >> 8) ^ table[(int)((crc ^ b) & 255)];
        return ~crc;
    }
}
