using System.Buffers.Binary;
using System.Text;

namespace Candela.Training.Engine;

/// <summary>One symbol version a shared object wants of another (an entry of <c>.gnu.version_r</c>).</summary>
/// <param name="Library">The object that must provide it, for example <c>libstdc++.so.6</c>.</param>
/// <param name="Version">The version's name, for example <c>GLIBCXX_3.4.32</c>.</param>
/// <param name="Weak">True when the loader only warns if the version is missing (<c>VER_FLG_WEAK</c>).</param>
/// <param name="FlagsOffset">Where in the file the entry's two flag bytes are.</param>
internal sealed record ElfVersionNeed(string Library, string Version, bool Weak, int FlagsOffset);

/// <summary>What the loader needs to know of a 64-bit little-endian ELF shared object: its needed libraries and its wanted and
/// provided symbol versions, found the way the loader finds them (program headers, then the dynamic section), so stripped files work.
/// Source: System V ABI, and the Linux Standard Base's chapter on symbol versioning.</summary>
internal sealed class ElfFile
{
    /// <summary>The flag that makes a missing version harmless.</summary>
    public const ushort WeakFlag = 2;

    private const uint LoadSegment = 1, DynamicSegment = 2;
    private const long TagNeeded = 1, TagStringTable = 5, TagStringSize = 10, TagSoname = 14;
    private const long TagVersionDefinitions = 0x6ffffffc, TagVersionDefinitionCount = 0x6ffffffd, TagVersionNeeds = 0x6ffffffe, TagVersionNeedCount = 0x6fffffff;

    private readonly byte[] _bytes;
    private readonly string _path;
    private readonly List<(ulong Address, ulong Offset, ulong Size)> _segments = [];
    private readonly List<string> _needed = [], _definitions = [];
    private readonly List<ElfVersionNeed> _needs = [];
    private ulong _strings, _stringsSize;

    private ElfFile(byte[] bytes, string path) => (_bytes, _path) = (bytes, path);

    /// <summary>The object's own name, or null.</summary>
    public string? Soname { get; private set; }

    /// <summary>Libraries it is linked to, in order.</summary>
    public IReadOnlyList<string> Needed => _needed;

    /// <summary>Symbol versions it wants.</summary>
    public IReadOnlyList<ElfVersionNeed> VersionNeeds => _needs;

    /// <summary>Symbol versions it provides.</summary>
    public IReadOnlyList<string> VersionDefinitions => _definitions;

    /// <summary>Reads a file that is already in memory; <paramref name="path"/> is for messages only.</summary>
    /// <exception cref="FileFormatException">It is not such an ELF file, or a table in it points outside it.</exception>
    public static ElfFile Parse(byte[] bytes, string path)
    {
        var file = new ElfFile(bytes, path);
        file.ReadSegments(out ulong dynamicOffset, out ulong dynamicSize);
        file.ReadDynamic(dynamicOffset, dynamicSize);
        return file;
    }

    private void ReadSegments(out ulong dynamicOffset, out ulong dynamicSize)
    {
        if (_bytes.Length < 64 || !_bytes.AsSpan(0, 4).SequenceEqual("\u007fELF"u8))
            throw Fail(Fault.WrongFormat, "not an ELF file");
        if (_bytes[4] != 2 || _bytes[5] != 1)
            throw Fail(Fault.Unsupported, "an ELF file, but not a 64-bit little-endian one");
        ulong table = U64(32);
        int entrySize = U16(54), count = U16(56);
        if (entrySize < 56)
            throw Fail(Fault.Corrupt, $"program header entries of {entrySize} bytes; at least 56 were expected");
        (dynamicOffset, dynamicSize) = (0, 0);
        for (int i = 0; i < count; i++)
        {
            ulong at = table + (ulong)(i * entrySize);
            uint type = U32(at);
            if (type == LoadSegment)
                _segments.Add((U64(at + 16), U64(at + 8), U64(at + 32)));
            else if (type == DynamicSegment)
                (dynamicOffset, dynamicSize) = (U64(at + 8), U64(at + 32));
        }

        if (dynamicSize == 0)
            throw Fail(Fault.WrongFormat, "an ELF file without a dynamic section, so not a shared object");
    }

    private void ReadDynamic(ulong offset, ulong size)
    {
        List<ulong> needed = [];
        ulong soname = 0, needs = 0, needCount = 0, definitions = 0, definitionCount = 0;
        for (ulong at = offset; at - offset + 16 <= size; at += 16)
        {
            long tag = (long)U64(at);
            ulong value = U64(at + 8);
            if (tag == 0)
                break;
            switch (tag)
            {
                case TagNeeded: needed.Add(value); break;
                case TagSoname: soname = value; break;
                case TagStringTable: _strings = OffsetOf(value); break;
                case TagStringSize: _stringsSize = value; break;
                case TagVersionNeeds: needs = OffsetOf(value); break;
                case TagVersionNeedCount: needCount = value; break;
                case TagVersionDefinitions: definitions = OffsetOf(value); break;
                case TagVersionDefinitionCount: definitionCount = value; break;
            }
        }

        foreach (ulong name in needed)
            _needed.Add(Text(name));
        if (soname != 0)
            Soname = Text(soname);
        ReadNeeds(needs, needCount);
        ReadDefinitions(definitions, definitionCount);
    }

    // Verneed: version u16, count u16, file u32, aux u32, next u32. Vernaux: hash u32, flags u16, other u16, name u32, next u32.
    private void ReadNeeds(ulong at, ulong count)
    {
        for (ulong i = 0; i < count && at != 0; i++)
        {
            int entries = U16(at + 2);
            string library = Text(U32(at + 4));
            ulong entry = at + U32(at + 8);
            for (int j = 0; j < entries; j++)
            {
                ushort flags = U16(entry + 4);
                _needs.Add(new ElfVersionNeed(library, Text(U32(entry + 8)), (flags & WeakFlag) != 0, (int)entry + 4));
                uint step = U32(entry + 12);
                if (step == 0)
                    break;
                entry += step;
            }

            uint next = U32(at + 12);
            if (next == 0)
                break;
            at += next;
        }
    }

    // Verdef: version u16, flags u16, index u16, count u16, hash u32, aux u32, next u32. Verdaux: name u32, next u32.
    private void ReadDefinitions(ulong at, ulong count)
    {
        for (ulong i = 0; i < count && at != 0; i++)
        {
            if (U16(at + 6) > 0)
                _definitions.Add(Text(U32(at + U32(at + 12))));
            uint next = U32(at + 16);
            if (next == 0)
                break;
            at += next;
        }
    }

    private ulong OffsetOf(ulong address)
    {
        foreach ((ulong start, ulong offset, ulong size) in _segments)
        {
            if (address >= start && address - start < size)
                return offset + (address - start);
        }

        throw Fail(Fault.Corrupt, $"address 0x{address:x} is in no loaded segment");
    }

    private string Text(ulong index)
    {
        if (index >= _stringsSize)
            throw Fail(Fault.Corrupt, $"string {index} lies outside the string table of {_stringsSize} bytes");
        ReadOnlySpan<byte> rest = Slice(_strings + index, 1, toEnd: true);
        int end = rest.IndexOf((byte)0);
        return end < 0 ? throw Fail(Fault.Truncated, "a string runs past the end of the file") : Encoding.UTF8.GetString(rest[..end]);
    }

    private ushort U16(ulong at) => BinaryPrimitives.ReadUInt16LittleEndian(Slice(at, 2));

    private uint U32(ulong at) => BinaryPrimitives.ReadUInt32LittleEndian(Slice(at, 4));

    private ulong U64(ulong at) => BinaryPrimitives.ReadUInt64LittleEndian(Slice(at, 8));

    private ReadOnlySpan<byte> Slice(ulong at, int length, bool toEnd = false)
    {
        if (at > (ulong)_bytes.Length || (ulong)_bytes.Length - at < (ulong)length)
            throw Fail(Fault.Truncated, $"the file ends at byte {_bytes.Length}, but a table in it points to byte {at}");
        return toEnd ? _bytes.AsSpan((int)at) : _bytes.AsSpan((int)at, length);
    }

    private FileFormatException Fail(Fault fault, string message) => new(_path, fault, message + ".");
}
