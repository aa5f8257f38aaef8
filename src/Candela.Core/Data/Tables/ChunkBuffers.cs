namespace Candela.Data;

/// <summary>The arrays one reader of a table has spilled chunks read into, so that passes over a large file leave nothing behind for the collector. A chunk read into them is overwritten
/// by the next; whoever needs several at a time has one of these for each. Not for several threads at once.</summary>
internal sealed class ChunkBuffers
{
    private readonly List<Array?> _columns = [];
    private byte[] _scratch = [];

    /// <summary>The array of a column. Its length is exact, because it is the column's number of rows: chunks of other lengths (the last one, long texts) get a new one.</summary>
    public T[] Column<T>(int index, int length)
    {
        while (_columns.Count <= index)
            _columns.Add(null);
        if (_columns[index] is T[] array && array.Length == length)
            return array;
        array = GC.AllocateUninitializedArray<T>(length);
        _columns[index] = array;
        return array;
    }

    /// <summary>Room for the stored form of texts.</summary>
    public Span<byte> Scratch(int length)
    {
        if (_scratch.Length < length)
            _scratch = GC.AllocateUninitializedArray<byte>(length);
        return _scratch.AsSpan(0, length);
    }
}
