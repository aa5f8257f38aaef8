using System.Runtime.CompilerServices;

namespace Candela.Tokenization;

/// <summary>A regular expression over code points with the meaning Oniguruma and Rust's regex give it, which the split patterns of tokenizer files are written for (.NET's own works on UTF-16 units,
/// where a letter beyond the Basic Multilingual Plane is no \p{L}). Backtracking, leftmost, first alternative; groups capture nothing. Immutable.</summary>
/// <remarks>Understood: literals, escapes (\n \r \t \f \v \a \e \xHH \x{H} \uHHHH), classes with nesting, &amp;&amp; and [:posix:], \s \S \d \D \w \W \h \H \p{..} \P{..}, ./^/$ (of lines, as in Oniguruma's Ruby syntax) \A \z \Z \b \B, groups (?:) (?i:) (?&gt;) (?=) (?!) (?&lt;=) (?&lt;!),
/// inline flags i, m (a dot matches line feeds too), x, quantifiers ? * + {n,m} with lazy and possessive forms.</remarks>
internal sealed class UnicodePattern
{
    // Far above what any sane pattern needs; a hostile one ends here instead of never.
    private const long StepsPerUnit = 20_000, BaseSteps = 2_000_000;

    private readonly Node _start;
    private readonly int _slots;

    private UnicodePattern(string text, PatternParser parser)
    {
        Text = text;
        _start = parser.Parse();
        _slots = parser.Slots;
    }

    public string Text { get; }

    /// <summary>Compiles a pattern; <paramref name="part"/> is named when it uses what is not supported.</summary>
    public static UnicodePattern Parse(string pattern, JsonPart part) => new(pattern, new PatternParser(pattern, what => part.Unsupported($"the pattern {Vocabulary.Quote(pattern)} {what}")));

    /// <summary>Compiles a pattern of our own.</summary>
    public static UnicodePattern Parse(string pattern) => new(pattern, new PatternParser(pattern, what => new UsageException($"The pattern {Vocabulary.Quote(pattern)} {what}.")));

    /// <summary>The end of the match that starts exactly at <paramref name="at"/>, or -1.</summary>
    public int MatchAt(ReadOnlySpan<char> text, int at)
    {
        var state = new MatchState(text, BaseSteps + StepsPerUnit * text.Length, _slots);
        return Run(ref state, at);
    }

    /// <summary>Cuts the text into matches and what lies between, without gaps.</summary>
    public void Cut(ReadOnlySpan<char> text, List<Cut> into)
    {
        int done = 0, last = -1; // where the last match ended
        var state = new MatchState(text, BaseSteps + StepsPerUnit * text.Length, _slots);
        for (int at = 0; at <= text.Length;)
        {
            int end = Run(ref state, at);
            if (end < 0 || end == at)
            {
                // An empty match cuts, except where a match has just ended.
                if (end == at && at != last)
                {
                    if (at > done)
                        into.Add(new Cut(done, at - done, false));
                    into.Add(new Cut(at, 0, true));
                    done = at;
                }

                at += at + 1 < text.Length && char.IsHighSurrogate(text[at]) && char.IsLowSurrogate(text[at + 1]) ? 2 : 1;
                continue;
            }

            if (at > done)
                into.Add(new Cut(done, at - done, false));
            into.Add(new Cut(at, end - at, true));
            at = done = last = end;
        }

        if (done < text.Length)
            into.Add(new Cut(done, text.Length - done, false));
    }

    private int Run(ref MatchState state, int at)
    {
        try
        {
            return _start.Match(ref state, at);
        }
        catch (InsufficientExecutionStackException error)
        {
            throw new DataException($"The pattern {Vocabulary.Quote(Text)} nests too deeply on this text; use a pattern without nested repeats.", error);
        }
    }

    /// <summary>The text being matched and how many steps are left.</summary>
    internal ref struct MatchState(ReadOnlySpan<char> text, long steps, int slots)
    {
        public readonly ReadOnlySpan<char> Text = text;
        public readonly int[] Slots = slots == 0 ? [] : new int[slots];
        private long _steps = steps;

        public void Step()
        {
            if (--_steps < 0)
                throw new DataException("A split pattern took too many steps on this text: it backtracks without end; use a pattern without nested repeats.");
        }

        /// <summary>The code point at a place and its length; half a surrogate pair counts as U+FFFD.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly int At(int at, out int length)
        {
            char unit = Text[at];
            length = 1;
            if (!char.IsSurrogate(unit))
                return unit;
            if (!char.IsHighSurrogate(unit) || at + 1 >= Text.Length || !char.IsLowSurrogate(Text[at + 1]))
                return 0xFFFD;
            length = 2;
            return char.ConvertToUtf32(unit, Text[at + 1]);
        }

        /// <summary>The code point before a place, or -1 at the start.</summary>
        public readonly int Before(int at, out int length)
        {
            length = 0;
            if (at == 0)
                return -1;
            length = at >= 2 && char.IsLowSurrogate(Text[at - 1]) && char.IsHighSurrogate(Text[at - 2]) ? 2 : 1;
            return At(at - length, out _);
        }
    }

    /// <summary>A step of the match that goes on with what follows it.</summary>
    internal abstract class Node
    {
        /// <summary>The end of the whole match when this node matches at <paramref name="at"/>, or -1.</summary>
        public abstract int Match(ref MatchState state, int at);
    }

    internal sealed class Accept : Node
    {
        public static readonly Accept Instance = new();

        public override int Match(ref MatchState state, int at) => at;
    }

    internal sealed class One(CharacterSet set, Node next) : Node
    {
        public override int Match(ref MatchState state, int at) => at < state.Text.Length && set.Contains(state.At(at, out int length)) ? next.Match(ref state, at + length) : -1;
    }

    /// <summary>One character between min and max times.</summary>
    internal sealed class Run1(CharacterSet set, int min, int max, Greed greed, Node next) : Node
    {
        public override int Match(ref MatchState state, int at)
        {
            RuntimeHelpers.EnsureSufficientExecutionStack();
            int count = 0, floor = at;
            while (count < min)
            {
                if (floor >= state.Text.Length || !set.Contains(state.At(floor, out int length)))
                    return -1;
                floor += length;
                count++;
            }

            int end = floor;
            if (greed == Greed.Lazy)
            {
                while (true)
                {
                    state.Step();
                    int found = next.Match(ref state, end);
                    if (found >= 0)
                        return found;
                    if (count == max || end >= state.Text.Length || !set.Contains(state.At(end, out int length)))
                        return -1;
                    end += length;
                    count++;
                }
            }

            while (count < max && end < state.Text.Length && set.Contains(state.At(end, out int size)))
            {
                end += size;
                count++;
            }

            if (greed == Greed.Possessive)
                return next.Match(ref state, end);
            while (true)
            {
                state.Step();
                int found = next.Match(ref state, end);
                if (found >= 0 || end == floor)
                    return found;
                _ = state.Before(end, out int back);
                end -= back;
            }
        }
    }

    internal sealed class Choice(Node[] alternatives) : Node
    {
        public override int Match(ref MatchState state, int at)
        {
            RuntimeHelpers.EnsureSufficientExecutionStack();
            foreach (Node alternative in alternatives)
            {
                state.Step();
                int end = alternative.Match(ref state, at);
                if (end >= 0)
                    return end;
            }

            return -1;
        }
    }

    /// <summary>Repeats its body any number of times. The body ends in <see cref="Back"/>; the slot remembers where its current round began, so that an empty round ends the repeat.</summary>
    internal sealed class Star(int slot, bool lazy, Node next) : Node
    {
        public Node? Body { get; set; }

        public override int Match(ref MatchState state, int at)
        {
            RuntimeHelpers.EnsureSufficientExecutionStack();
            state.Step();
            if (lazy && next.Match(ref state, at) is int done && done >= 0)
                return done;
            int saved = state.Slots[slot];
            state.Slots[slot] = at;
            int end = Body!.Match(ref state, at);
            state.Slots[slot] = saved;
            return end >= 0 || lazy ? end : next.Match(ref state, at);
        }

        internal sealed class Back(int slot, Star star) : Node
        {
            public override int Match(ref MatchState state, int at) => at == state.Slots[slot] ? -1 : star.Match(ref state, at);
        }
    }

    internal sealed class Look(Node body, bool negative, Node next) : Node
    {
        public override int Match(ref MatchState state, int at) => body.Match(ref state, at) >= 0 != negative ? next.Match(ref state, at) : -1;
    }

    /// <summary>Whether something that ends here precedes: tries every start, nearest first. The slot holds where it must end.</summary>
    internal sealed class LookBehind(int slot, Node body, bool negative, Node next) : Node
    {
        public override int Match(ref MatchState state, int at)
        {
            int saved = state.Slots[slot];
            state.Slots[slot] = at;
            bool found = false;
            for (int start = at; start >= 0 && !found; start--)
            {
                state.Step();
                found = body.Match(ref state, start) >= 0;
            }

            state.Slots[slot] = saved;
            return found != negative ? next.Match(ref state, at) : -1;
        }

        internal sealed class End(int slot) : Node
        {
            public override int Match(ref MatchState state, int at) => at == state.Slots[slot] ? at : -1;
        }
    }

    internal sealed class Atomic(Node body, Node next) : Node
    {
        public override int Match(ref MatchState state, int at) => body.Match(ref state, at) is int end && end >= 0 ? next.Match(ref state, end) : -1;
    }

    internal sealed class Assert(Func<int, int, bool> test, Node next) : Node
    {
        // The test sees the code points before and after, -1 where there is none.
        public override int Match(ref MatchState state, int at) =>
            test(state.Before(at, out _), at < state.Text.Length ? state.At(at, out _) : -1) ? next.Match(ref state, at) : -1;
    }

    /// <summary>The end, or a line feed that is the end.</summary>
    internal sealed class BeforeFinalLineFeed(Node next) : Node
    {
        public override int Match(ref MatchState state, int at) => at == state.Text.Length || at == state.Text.Length - 1 && state.Text[at] == '\n' ? next.Match(ref state, at) : -1;
    }

    internal enum Greed
    {
        Greedy,
        Lazy,
        Possessive,
    }
}

/// <summary>A stretch of text and whether it matched.</summary>
internal readonly record struct Cut(int Start, int Length, bool IsMatch);
