using System.Security.Cryptography;

namespace Candela.Data;

/// <summary>A file that gives rows of text cells and can be opened again and again.</summary>
internal abstract class RowSource(string path)
{
    public string Path { get; } = path;

    /// <summary>The columns' names, unique.</summary>
    public abstract IReadOnlyList<string> Names { get; }

    /// <summary>How the columns got their names.</summary>
    public virtual TableReading Reading => new() { Names = [.. Names] };

    /// <summary>A reader before the first data row. Every row it gives has as many cells as there are names.</summary>
    public abstract RowReader Open(IncrementalHash? hash = null);

    /// <summary>"FILE line 12" for an error about the reader's current row.</summary>
    public virtual string Where(RowReader reader) => $"{Path} line {reader.Line}";
}

/// <summary>One pass over the rows.</summary>
internal abstract class RowReader : IDisposable
{
    /// <summary>The line (or the row, where there are no lines) on which the current row begins, from 1.</summary>
    public abstract long Line { get; }

    /// <summary>Goes to the next row; false at the end.</summary>
    public abstract bool Read();

    /// <summary>A cell of the current row, trimmed; valid until the next call.</summary>
    public abstract ReadOnlySpan<char> Cell(int column);

    public abstract void Dispose();
}
