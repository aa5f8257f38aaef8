namespace Candela.Tokenization;

/// <summary>Text on its way through the pipeline and, when asked for, where each of its UTF-16 units came from: unit i stands for the units [Starts[i], Ends[i]) of the original.</summary>
internal sealed class AlignedText
{
    public AlignedText(string text, int[]? starts = null, int[]? ends = null) => (Text, Starts, Ends) = (text, starts, ends);

    public string Text { get; }

    /// <summary>Start in the original of each unit; null when offsets are not tracked.</summary>
    public int[]? Starts { get; }

    /// <summary>End (exclusive) in the original of each unit; null when offsets are not tracked.</summary>
    public int[]? Ends { get; }

    public bool Tracked => Starts is not null;

    /// <summary>The original itself, each unit standing for itself; the two halves of a surrogate pair stand for the pair.</summary>
    public static AlignedText Original(string text, bool tracked)
    {
        if (!tracked)
            return new AlignedText(text);
        int[] starts = new int[text.Length], ends = new int[text.Length];
        for (int i = 0; i < text.Length; i++)
        {
            bool high = char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]);
            starts[i] = i;
            ends[i] = i + (high ? 2 : 1);
            if (!high)
                continue;
            starts[i + 1] = i;
            ends[++i] = starts[i] + 2;
        }

        return new AlignedText(text, starts, ends);
    }

    /// <summary>A part of the text as a text of its own.</summary>
    public AlignedText Slice(int start, int length) => start == 0 && length == Text.Length
        ? this
        : new AlignedText(Text.Substring(start, length), Starts?.AsSpan(start, length).ToArray(), Ends?.AsSpan(start, length).ToArray());
}

/// <summary>A part of a text, not copied: the unit that pre-tokenizers cut further. <paramref name="Id"/> at least 0 marks an added token, which nothing cuts.</summary>
internal readonly record struct Piece(AlignedText Source, int Start, int Length, int Id = -1)
{
    public Piece(AlignedText source) : this(source, 0, source.Text.Length) { }

    public ReadOnlySpan<char> Span => Source.Text.AsSpan(Start, Length);

    /// <summary>The part of this piece at [start, start + length) of it.</summary>
    public Piece Part(int start, int length) => this with { Start = Start + start, Length = length };

    public AlignedText ToText() => Source.Slice(Start, Length);
}

/// <summary>Collects a transformed text with its alignment.</summary>
internal sealed class AlignedBuilder(bool tracked, int capacity)
{
    private readonly System.Text.StringBuilder _text = new(capacity);
    private readonly List<int>? _starts = tracked ? new List<int>(capacity) : null, _ends = tracked ? new List<int>(capacity) : null;

    public int Length => _text.Length;

    /// <summary>Appends units that all stand for the same stretch of the original.</summary>
    public void Append(ReadOnlySpan<char> units, int start, int end)
    {
        _text.Append(units);
        if (_starts is null)
            return;
        for (int i = 0; i < units.Length; i++)
        {
            _starts.Add(start);
            _ends!.Add(end);
        }
    }

    /// <summary>Appends units that stand for [from, to) of <paramref name="source"/> (one unit or more of it).</summary>
    public void Append(ReadOnlySpan<char> units, AlignedText source, int from, int to)
    {
        if (_starts is null)
            _text.Append(units);
        else
            Append(units, from < to ? source.Starts![from] : Edge(source, from), from < to ? source.Ends![to - 1] : Edge(source, from));
    }

    /// <summary>Appends a part of <paramref name="source"/> as it is.</summary>
    public void Copy(AlignedText source, int start, int length)
    {
        _text.Append(source.Text, start, length);
        if (_starts is null)
            return;
        _starts.AddRange(source.Starts.AsSpan(start, length));
        _ends!.AddRange(source.Ends.AsSpan(start, length));
    }

    public AlignedText ToText() => new(_text.ToString(), _starts?.ToArray(), _ends?.ToArray());

    // Where something that stands for nothing lies: before the unit at `at`.
    private static int Edge(AlignedText source, int at) => source.Text.Length == 0 ? 0 : at < source.Text.Length ? source.Starts![at] : source.Ends![^1];
}
