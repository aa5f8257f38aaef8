namespace Candela.Formats;

/// <summary>The only Python names a file of weights may mention, and what a call of each stands for. Nothing is imported or run.</summary>
internal static class PyTorchGlobals
{
    private const string Rebuild = "torch._utils._rebuild_tensor_v2", Parameter = "torch._utils._rebuild_parameter", Ordered = "collections.OrderedDict", Size = "torch.Size";

    private static readonly Dictionary<string, TensorType> Storages = new(StringComparer.Ordinal)
    {
        ["torch.FloatStorage"] = TensorType.F32,
        ["torch.DoubleStorage"] = TensorType.F64,
        ["torch.HalfStorage"] = TensorType.F16,
        ["torch.BFloat16Storage"] = TensorType.BF16,
        ["torch.LongStorage"] = TensorType.I64,
        ["torch.IntStorage"] = TensorType.I32,
        ["torch.ShortStorage"] = TensorType.I16,
        ["torch.CharStorage"] = TensorType.I8,
        ["torch.ByteStorage"] = TensorType.U8,
        ["torch.BoolStorage"] = TensorType.BOOL,
    };

    /// <summary>A name on the list.</summary>
    public sealed record Global(string Name);

    /// <summary>A block of numbers in the file, by key.</summary>
    public sealed record StorageReference(TensorType Type, string Key, long Count);

    /// <summary>A view of a storage.</summary>
    public sealed record TensorReference(StorageReference Storage, long Offset, int[] Shape, long[] Strides);

    public static Global Find(string path, string module, string name)
    {
        string full = $"{module}.{name}";
        return Storages.ContainsKey(full) || full is Rebuild or Parameter or Ordered or Size ? new Global(full)
            : throw new FileFormatException(path, Fault.Unsupported, $"the file wants to use '{full}', which is refused: only tensors and dictionaries of them are read, and nothing is executed. Allowed are {string.Join(", ", Storages.Keys.Append(Rebuild).Append(Parameter).Append(Ordered).Append(Size))}.");
    }

    public static StorageReference Storage(string path, object? id) =>
        id is object?[] { Length: 5 or 6 } tuple && tuple[0] is "storage" && tuple[1] is Global { Name: var type } && Storages.TryGetValue(type, out TensorType element) && tuple[2] is string key && tuple[4] is long count and >= 0
            && (tuple.Length == 5 || tuple[5] is null)
            ? new StorageReference(element, key, count)
            : throw Bad(path, "a storage is described in an unknown way");

    public static object? Call(string path, object? callable, object? arguments)
    {
        if (callable is not Global { Name: var name } || arguments is not object?[] given)
            throw new FileFormatException(path, Fault.Unsupported, "the file wants to call a value that is no name, which is refused.");
        switch (name)
        {
            case Rebuild when given.Length is 6 or 7 && given[0] is StorageReference storage && given[1] is long offset and >= 0 && given[2] is object[] sizes && given[3] is object[] strides && sizes.Length == strides.Length:
                return new TensorReference(storage, offset, [.. sizes.Select(s => s is long n and >= 0 and <= int.MaxValue ? (int)n : throw Bad(path, $"a tensor with the size {s ?? "None"}"))],
                    [.. strides.Select(s => s is long n and >= 0 ? n : throw Bad(path, $"a tensor with the stride {s ?? "None"}"))]);
            case Parameter when given.Length is 2 or 3 && given[0] is TensorReference:
                return given[0];
            case Size when given.Length == 1 && given[0] is object[]:
                return given[0];
            case Ordered when given.Length == 0:
                return new PickledDictionary();
            case Ordered when given.Length == 1 && given[0] is List<object?> pairs:
                var dictionary = new PickledDictionary();
                foreach (object? pair in pairs)
                {
                    IReadOnlyList<object?> both = pair switch { object?[] { Length: 2 } tuple => tuple, List<object?> { Count: 2 } list => list, _ => throw Bad(path, "an ordered dictionary of something else than pairs") };
                    dictionary.Set(both[0], both[1]);
                }

                return dictionary;
            default:
                throw Bad(path, $"'{name}' is called with {given.Length} arguments of unknown kinds");
        }
    }

    private static FileFormatException Bad(string path, string what) => new(path, Fault.Corrupt, $"{what}. The file is damaged, or of a version of PyTorch that is not known here.");
}
