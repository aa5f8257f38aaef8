using System.Buffers.Binary;
using System.Text;

namespace Candela.Formats;

/// <summary>The part of Python's pickle language that weights need, run without executing anything: a global is a name, and the few names on <see cref="PyTorchGlobals"/>'s list are
/// the only ones that may be called. Reference: pickletools of CPython, protocols 2 to 5.</summary>
/// <param name="path">For errors.</param>
/// <param name="bytes">The file, or its beginning.</param>
internal sealed class PyTorchPickle(string path, ReadOnlyMemory<byte> bytes)
{
    private const int MostValues = 10_000_000;
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly List<object?> _stack = [];
    private readonly Stack<int> _marks = [];
    private readonly Dictionary<int, object?> _memo = [];
    private int _at;

    /// <summary>Where the next pickle begins.</summary>
    public int Position
    {
        get => _at;
        set => _at = value;
    }

    /// <summary>Runs one pickle to its STOP and gives its value: null, bool, long, double, string, byte[], object?[] (a tuple), List, PickledDictionary, or what <see cref="PyTorchGlobals"/> makes.</summary>
    public object? Load()
    {
        _stack.Clear();
        _marks.Clear();
        _memo.Clear();
        while (true)
        {
            byte code = Byte();
            if (code == (byte)'.')
                return _stack.Count == 1 && _marks.Count == 0 ? _stack[0] : throw Bad($"the pickle ends with {_stack.Count} values instead of one");
            Step(code);
            if (_stack.Count > MostValues || _memo.Count > MostValues)
                throw Bad($"the pickle holds more than {MostValues} values");
        }
    }

    private void Step(byte code)
    {
        switch (code)
        {
            case 0x80: // PROTO
                if (Byte() is > 5 and var protocol)
                    throw new FileFormatException(path, Fault.Unsupported, $"pickle protocol {protocol}; 2 to 5 are supported.");
                break;
            case 0x95: _ = Take(8); break; // FRAME
            case (byte)'(': _marks.Push(_stack.Count); break;
            case (byte)'0': _ = Pop(); break;
            case (byte)'1': _ = PopMark(); break;
            case (byte)'2': _stack.Add(Peek()); break;
            case (byte)'N': _stack.Add(null); break;
            case 0x88: _stack.Add(true); break;
            case 0x89: _stack.Add(false); break;
            case (byte)'J': _stack.Add((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
            case (byte)'K': _stack.Add((long)Byte()); break;
            case (byte)'M': _stack.Add((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
            case 0x8A: _stack.Add(Long(Take(Byte()))); break;
            case 0x8B: _stack.Add(Long(Take(Length(4)))); break;
            case (byte)'G': _stack.Add(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;
            case (byte)'X': _stack.Add(Text(Take(Length(4)))); break;
            case 0x8C: _stack.Add(Text(Take(Byte()))); break;
            case 0x8D: _stack.Add(Text(Take(Length(8)))); break;
            case (byte)'U': _stack.Add(Text(Take(Byte()))); break;
            case (byte)'T': _stack.Add(Text(Take(Length(4)))); break;
            case (byte)'C': _stack.Add(Take(Byte()).ToArray()); break;
            case (byte)'B': _stack.Add(Take(Length(4)).ToArray()); break;
            case (byte)']': _stack.Add(new List<object?>()); break;
            case (byte)')': _stack.Add(Array.Empty<object?>()); break;
            case (byte)'}': _stack.Add(new PickledDictionary()); break;
            case (byte)'t': _stack.Add(PopMark()); break;
            case 0x85: Tuple(1); break;
            case 0x86: Tuple(2); break;
            case 0x87: Tuple(3); break;
            case (byte)'a': Append(Pop()); break;
            case (byte)'e':
                object?[] items = PopMark();
                Append(items);
                break;
            case (byte)'s':
                object? value = Pop(), key = Pop();
                SetItems([key, value]);
                break;
            case (byte)'u':
                object?[] pairs = PopMark();
                SetItems(pairs);
                break;
            case (byte)'q': _memo[Byte()] = Peek(); break;
            case (byte)'r': _memo[Length(4)] = Peek(); break;
            case 0x94: _memo[_memo.Count] = Peek(); break;
            case (byte)'h': Recall(Byte()); break;
            case (byte)'j': Recall(Length(4)); break;
            case (byte)'c': _stack.Add(PyTorchGlobals.Find(path, Line(), Line())); break;
            case 0x93:
                object? name = Pop(), module = Pop();
                _stack.Add(module is string m && name is string n ? PyTorchGlobals.Find(path, m, n) : throw Bad("a global is named by something else than two texts"));
                break;
            case (byte)'R':
                object? arguments = Pop();
                _stack.Add(PyTorchGlobals.Call(path, Pop(), arguments));
                break;
            case (byte)'Q': _stack.Add(PyTorchGlobals.Storage(path, Pop())); break;
            case (byte)'b': // BUILD: attributes of a state dict (its _metadata) say nothing of weights
                _ = Pop();
                if (Peek() is not PickledDictionary)
                    throw Refused("BUILD of anything but a dictionary");
                break;
            default: throw Refused($"opcode 0x{code:x2}{(code is > 32 and < 127 ? $" ('{(char)code}')" : "")}");
        }
    }

    private void Append(params object?[] items)
    {
        if (Peek() is not List<object?> list)
            throw Bad("items are appended to something that is no list");
        list.AddRange(items);
    }

    private void SetItems(object?[] pairs)
    {
        if (pairs.Length % 2 != 0 || Peek() is not PickledDictionary dictionary)
            throw Bad("entries are set in something that is no dictionary, or a key has no value");
        for (int i = 0; i < pairs.Length; i += 2)
            dictionary.Set(pairs[i], pairs[i + 1]);
    }

    private void Tuple(int count)
    {
        var items = new object?[count];
        for (int i = count - 1; i >= 0; i--)
            items[i] = Pop();
        _stack.Add(items);
    }

    private void Recall(int index) => _stack.Add(_memo.TryGetValue(index, out object? value) ? value : throw Bad($"value {index} is recalled but was never kept"));

    private object? Peek() => _stack.Count > (_marks.Count > 0 ? _marks.Peek() : 0) ? _stack[^1] : throw Bad("a value is used but none is there");

    private object? Pop()
    {
        object? value = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private object?[] PopMark()
    {
        if (!_marks.TryPop(out int from))
            throw Bad("a group ends that never began");
        object?[] items = [.. _stack.Skip(from)];
        _stack.RemoveRange(from, _stack.Count - from);
        return items;
    }

    private byte Byte() => Take(1)[0];

    private int Length(int width)
    {
        long length = width == 4 ? BinaryPrimitives.ReadUInt32LittleEndian(Take(4)) : BinaryPrimitives.ReadInt64LittleEndian(Take(8));
        return length is >= 0 and <= int.MaxValue ? (int)length : throw Bad($"a length of {length} bytes");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > bytes.Length - _at)
            throw new FileFormatException(path, Fault.Truncated, $"the pickle needs {count} bytes at {_at} and {bytes.Length - _at} are left. It was cut short: copy it again.");
        _at += count;
        return bytes.Span.Slice(_at - count, count);
    }

    private string Line()
    {
        int end = bytes.Span[_at..].IndexOf((byte)'\n');
        if (end is < 0 or > 1000)
            throw Bad("a global's name does not end");
        string line = Text(Take(end));
        _at++;
        return line;
    }

    private string Text(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return Strict.GetString(utf8);
        }
        catch (DecoderFallbackException error)
        {
            throw new FileFormatException(path, Fault.Corrupt, "the pickle holds text that is not valid UTF-8. Restore the file from where it came.", error);
        }
    }

    // Little-endian two's complement; what does not fit (the magic number of old files) is kept as bytes.
    private static object Long(ReadOnlySpan<byte> little)
    {
        if (little.Length > 8)
            return little.ToArray();
        long value = little.Length > 0 && (little[^1] & 0x80) != 0 ? -1 : 0;
        for (int i = little.Length - 1; i >= 0; i--)
            value = (value << 8) | little[i];
        return value;
    }

    private FileFormatException Bad(string what) => new(path, Fault.Corrupt, $"{what}, near byte {_at} of the pickle. The file is damaged: restore it from where it came.");

    private FileFormatException Refused(string what) => new(path, Fault.Unsupported, $"{what} is refused, near byte {_at} of the pickle: a file of weights needs none. Load it where it came from and save its state_dict.");
}

/// <summary>A dict or OrderedDict of text keys; entries with other keys are dropped, because weights have none.</summary>
internal sealed class PickledDictionary
{
    public Dictionary<string, object?> Entries { get; } = new(StringComparer.Ordinal);

    public void Set(object? key, object? value)
    {
        if (key is string text)
            Entries[text] = value;
    }
}
