namespace Candela.Data;

/// <summary>Token ids of all text columns, one after the other, cut or padded with 0 to a fixed length. Id 1 is a unit that is not in the vocabulary.</summary>
internal sealed class TokenCode
{
    public const int Padding = 0, Unknown = 1, Special = 2;
    public const int MaxLength = 256, MaxVocabulary = 30_000;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ids;

    public TokenCode(TokenState state)
    {
        var ids = new Dictionary<string, int>(state.Vocabulary.Length, StringComparer.Ordinal);
        foreach (string token in state.Vocabulary)
            ids.Add(token, ids.Count + Special);
        _ids = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        (Length, Vocabulary) = (state.Length, ids.Count + Special);
    }

    public int Length { get; }

    public int Vocabulary { get; }

    /// <summary>Writes the ids of the units last read from <paramref name="at"/> on; returns the position after them.</summary>
    public int Append(TextUnits text, Span<int> row, int at)
    {
        foreach (ref readonly TextUnit unit in text.Units)
        {
            if (at == row.Length)
                break;
            row[at++] = _ids.TryGetValue(text.Text(unit), out int id) ? id : Unknown;
        }

        return at;
    }
}
