namespace Candela.Tokenization;

public sealed partial class Tokenizer
{
    /// <summary>Encodes one text or two with offsets into the originals, framed, truncated and padded as the file says.</summary>
    /// <param name="text">The first text.</param>
    /// <param name="pair">The second text, if any.</param>
    /// <param name="addSpecialTokens">Whether the tokens that frame a text are added.</param>
    /// <exception cref="DataException">The file's truncation leaves no room for the text it must cut.</exception>
    public TokenEncoding EncodeFull(string text, string? pair = null, bool addSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        Half first = EncodeHalf(text);
        Half? second = pair is null ? null : EncodeHalf(pair);
        IReadOnlyList<FramePart> frame = Frame(second is not null, addSpecialTokens);
        List<Half> firsts = [first], seconds = second is null ? [] : [second];
        if (_parts.Truncation is { } truncation)
            Truncate(truncation, frame.Count(p => p.Sequence < 0), firsts, seconds);
        var overflowing = new List<TokenEncoding>();
        foreach (Half rest in firsts.Skip(1))
            overflowing.Add(Pad(Assemble(frame, rest, seconds.FirstOrDefault())));
        foreach (Half rest in seconds.Skip(1))
            overflowing.Add(Pad(Assemble(frame, firsts[0], rest)));
        return Pad(Assemble(frame, firsts[0], seconds.FirstOrDefault())) with { Overflowing = overflowing };
    }

    /// <summary>Encodes one text or two, framed and cut to a length: tokens are taken off the end of the longer text. The file's own truncation and padding are not heeded.</summary>
    /// <param name="text">The first text.</param>
    /// <param name="pair">The second text, or null.</param>
    /// <param name="maxTokens">Tokens at the most, those of the frame included.</param>
    /// <exception cref="DataException">The frame alone is longer.</exception>
    public TokenEncoding EncodeWithin(string text, string? pair, int maxTokens)
    {
        List<Half> first = [EncodeHalf(text)], second = pair is null ? [] : [EncodeHalf(pair)];
        IReadOnlyList<FramePart> frame = Frame(pair is not null, addSpecialTokens: true);
        Truncate(new TruncationOptions(maxTokens), frame.Count(p => p.Sequence < 0), first, second);
        return Assemble(frame, first[0], second.FirstOrDefault());
    }

    private IReadOnlyList<FramePart> Frame(bool isPair, bool addSpecialTokens) =>
        addSpecialTokens && _parts.PostProcessor is { } post ? post.Frame(isPair) : isPair ? PostProcessor.BarePair : PostProcessor.Bare;

    // The tokens of one text without any frame.
    private sealed record Half(int[] Ids, int[] Starts, int[] Ends, int[] Words)
    {
        public int Count => Ids.Length;

        public Half Range(int start, int stop) => new(Ids[start..stop], Starts[start..stop], Ends[start..stop], Words[start..stop]);
    }

    private Half EncodeHalf(string text)
    {
        List<int> ids = [], starts = [], ends = [], words = [];
        var sink = new TokenSink();
        int word = 0;
        foreach (Piece piece in Cut(AlignedText.Original(text, tracked: true)))
        {
            sink.Clear();
            if (piece.Id >= 0)
                sink.Add(piece.Id, 0, piece.Length);
            else
                _parts.Model.Tokenize(piece.Span, sink);
            int[] from = piece.Source.Starts!, to = piece.Source.Ends!;
            for (int i = 0; i < sink.Count; i++)
            {
                ids.Add(sink.Id(i));
                words.Add(word);
                bool empty = sink.End(i) <= sink.Start(i);
                int start = empty ? 0 : from[piece.Start + sink.Start(i)], end = empty ? 0 : to[piece.Start + sink.End(i) - 1];
                starts.Add(start);
                ends.Add(Math.Max(start, end));
            }

            if (piece.Length > 0)
                word++;
        }

        if (_parts.PostProcessor is { TrimOffsets: true } post)
            Trim(post.AddPrefixSpace, text, ids, starts, ends);
        return new Half([.. ids], [.. starts], [.. ends], [.. words]);
    }

    // Leaves white space at the edges of a token out of its range; the space that the pre-tokenizer put in front was never in the text.
    private void Trim(bool addPrefixSpace, string text, List<int> ids, List<int> starts, List<int> ends)
    {
        for (int i = 0; i < ids.Count; i++)
        {
            string token = TokenOf(ids[i]) ?? "";
            int leading = token.TakeWhile(IsSpaceStandIn).Count(), trailing = token.Reverse().TakeWhile(IsSpaceStandIn).Count();
            if (leading > 0 && addPrefixSpace && (i == 0 || starts[i] == 0))
                leading--;
            if (leading > 0)
                starts[i] = Math.Min(starts[i] + leading, ends[i]);
            if (trailing > 0)
                ends[i] = Math.Max(ends[i] - trailing, starts[i]);
            if (ends[i] > starts[i] && ends[i] < text.Length && char.IsSurrogatePair(text, ends[i] - 1))
                ends[i]--; // the space that was put there stands for the character after it
        }
    }

    private static bool IsSpaceStandIn(char unit) => unit == ByteAlphabet.Of((byte)' ') || char.IsWhiteSpace(unit);

    private static void Truncate(TruncationOptions options, int framing, List<Half> firsts, List<Half> seconds)
    {
        Half first = firsts[0];
        Half? second = seconds.FirstOrDefault();
        int room = options.MaxLength - framing, total = first.Count + (second?.Count ?? 0);
        if (room < 0)
            throw new DataException($"Truncation to {options.MaxLength} tokens leaves no room beside {framing} special tokens; encode without special tokens or change the file's truncation.");
        if (total <= room)
            return;
        int lengthOne = first.Count, lengthTwo = second?.Count ?? 0;
        if (second is null && options.Strategy == "OnlySecond")
            throw new DataException($"The text has {first.Count} tokens where {room} fit, and the file's truncation cuts only a second text; give one or change the file's truncation.");
        if (second is null)
        {
            lengthOne = room;
        }
        else if (options.Strategy == "LongestFirst")
        {
            (int small, int large) = (Math.Min(lengthOne, lengthTwo), Math.Max(lengthOne, lengthTwo));
            large = small > room ? small : Math.Max(small, room - small);
            if (small + large > room)
                (small, large) = (room / 2, room / 2 + room % 2);
            (lengthOne, lengthTwo) = lengthOne > lengthTwo ? (large, small) : (small, large);
        }
        else
        {
            int excess = total - room, target = options.Strategy == "OnlyFirst" ? lengthOne : lengthTwo;
            if (target <= excess)
                throw new DataException($"Truncation must take {excess} tokens from a text of {target}: {options.Strategy} cannot bring the pair to {options.MaxLength} tokens; shorten the other text.");
            if (options.Strategy == "OnlyFirst")
                lengthOne -= excess;
            else
                lengthTwo -= excess;
        }

        Windows(options, first, lengthOne, firsts);
        if (second is not null)
            Windows(options, second, lengthTwo, seconds);
    }

    // The kept window, then the windows of what was cut off, each overlapping the one before by the stride.
    private static void Windows(TruncationOptions options, Half half, int length, List<Half> into)
    {
        if (half.Count <= length)
            return;
        into.Clear();
        if (length == 0)
        {
            into.Add(half.Range(0, 0));
            into.Add(half);
            return;
        }

        int step = length - options.Stride;
        if (step <= 0)
            throw new DataException($"Truncation with a stride of {options.Stride} needs windows of more than {options.Stride} tokens, {length} are left; lower the stride.");
        if (options.Direction == "Right")
        {
            for (int start = 0, stop = 0; stop < half.Count; start += step)
            {
                stop = Math.Min(start + length, half.Count);
                into.Add(half.Range(start, stop));
            }
        }
        else
        {
            for (int stop = half.Count, start = half.Count; start > 0; stop -= step)
            {
                start = Math.Max(0, stop - length);
                into.Add(half.Range(start, stop));
            }
        }
    }

    private TokenEncoding Assemble(IReadOnlyList<FramePart> frame, Half first, Half? second)
    {
        List<int> ids = [], types = [], starts = [], lengths = [], words = [], sequences = [];
        List<bool> special = [];
        foreach (FramePart part in frame)
        {
            Half? half = part.Sequence == 0 ? first : part.Sequence == 1 ? second : null;
            int count = part.Sequence < 0 ? 1 : half?.Count ?? 0;
            for (int i = 0; i < count; i++)
            {
                ids.Add(half is null ? part.Id : half.Ids[i]);
                starts.Add(half is null ? 0 : half.Starts[i]);
                lengths.Add(half is null ? 0 : half.Ends[i] - half.Starts[i]);
                words.Add(half is null ? -1 : half.Words[i]);
                types.Add(part.TypeId);
                sequences.Add(part.Sequence);
                special.Add(half is null);
            }
        }

        return new TokenEncoding
        {
            Ids = [.. ids],
            Tokens = [.. ids.Select(id => TokenOf(id) ?? "")],
            TypeIds = [.. types],
            SpecialMask = [.. special],
            AttentionMask = [.. Enumerable.Repeat(true, ids.Count)],
            Starts = [.. starts],
            Lengths = [.. lengths],
            Words = [.. words],
            Sequences = [.. sequences],
        };
    }

    private TokenEncoding Pad(TokenEncoding encoding)
    {
        if (_parts.Padding is not { } padding)
            return encoding;
        int target = padding.Length ?? encoding.Count;
        if (padding.MultipleOf is int multiple && multiple > 0)
            target = (target + multiple - 1) / multiple * multiple;
        int missing = target - encoding.Count;
        if (missing <= 0)
            return encoding;
        T[] Fill<T>(T[] values, T value)
        {
            T[] fill = [.. Enumerable.Repeat(value, missing)];
            return padding.Direction == "Right" ? [.. values, .. fill] : [.. fill, .. values];
        }

        return encoding with
        {
            Ids = Fill(encoding.Ids, padding.PadId),
            Tokens = Fill(encoding.Tokens, padding.PadToken),
            TypeIds = Fill(encoding.TypeIds, padding.PadTypeId),
            SpecialMask = Fill(encoding.SpecialMask, true),
            AttentionMask = Fill(encoding.AttentionMask, false),
            Starts = Fill(encoding.Starts, 0),
            Lengths = Fill(encoding.Lengths, 0),
            Words = Fill(encoding.Words, -1),
            Sequences = Fill(encoding.Sequences, -1),
        };
    }
}
