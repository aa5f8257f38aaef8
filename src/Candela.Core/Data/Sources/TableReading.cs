namespace Candela.Data;

/// <summary>How a file's columns got their names: kept with a model, so that later files are read in the same way and nothing is guessed again.</summary>
internal sealed record TableReading
{
    /// <summary>Whether the first line held names; null where the format itself names the columns.</summary>
    public bool? Header { get; init; }

    /// <summary>The columns' names in file order.</summary>
    public required string[] Names { get; init; }

    /// <summary>The header's own cells where other names were given instead; else null.</summary>
    public string[]? Replaced { get; init; }

    /// <summary>The column a later file may lack, or null.</summary>
    public string? Target { get; init; }

    /// <summary>True when the file did not name its columns itself: those of a later file are known by their place.</summary>
    public bool ByPlace() => Header == false || Replaced != null;

    /// <summary>The names of a later file's columns, by place: the same columns, the same without the target, or the inputs alone.</summary>
    /// <returns>Null when its number of columns is none of these.</returns>
    public string[]? NamesOf(int width, IReadOnlyList<string> inputs)
    {
        if (width == Names.Length)
            return Names;
        if (width == Names.Length - 1 && Target != null && Names.Contains(Target))
            return [.. Names.Where(n => n != Target)];
        return width == inputs.Count ? [.. Names.Where(inputs.Contains)] : null;
    }
}
