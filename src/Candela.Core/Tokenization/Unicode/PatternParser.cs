using System.Globalization;
using static Candela.Tokenization.UnicodePattern;

namespace Candela.Tokenization;

/// <summary>Reads the text of a <see cref="UnicodePattern"/> into its nodes.</summary>
internal sealed class PatternParser(string pattern, Func<string, Exception> refuse)
{
    private const int DeepestNesting = 200, LargestRepeat = 1000, LargestSize = 50_000;

    private int _at, _depth, _size;
    private bool _ignoreCase, _dotAll, _extended;

    /// <summary>How many slots the nodes use, once parsed.</summary>
    public int Slots { get; private set; }

    public Node Parse()
    {
        Expression whole = ReadAlternatives();
        return _at == pattern.Length ? whole(Accept.Instance) : throw refuse("closes a group that was not opened");
    }

    // An expression is compiled once it is known what follows.
    private delegate Node Expression(Node next);

    private bool More => _at < pattern.Length;

    private Expression ReadAlternatives()
    {
        if (++_depth > DeepestNesting)
            throw refuse("nests too deeply");
        bool ignoreCase = _ignoreCase, dotAll = _dotAll, extended = _extended;
        List<Expression> alternatives = [ReadSequence()];
        while (More && pattern[_at] == '|')
        {
            _at++;
            alternatives.Add(ReadSequence());
        }

        (_ignoreCase, _dotAll, _extended) = (ignoreCase, dotAll, extended);
        _depth--;
        return alternatives.Count == 1 ? alternatives[0] : next => Count(new Choice([.. alternatives.Select(a => a(next))]));
    }

    private Expression ReadSequence()
    {
        var items = new List<Expression>();
        while (More && pattern[_at] is not ('|' or ')'))
        {
            if (_extended && (char.IsWhiteSpace(pattern[_at]) || pattern[_at] == '#'))
            {
                if (pattern[_at] == '#')
                    while (More && pattern[_at] != '\n')
                        _at++;
                else
                    _at++;
                continue;
            }

            (Expression item, CharacterSet? set) = ReadAtom();
            items.Add(ReadQuantifiers(item, set));
        }

        return next =>
        {
            for (int i = items.Count - 1; i >= 0; i--)
                next = items[i](next);
            return next;
        };
    }

    private Expression ReadQuantifiers(Expression item, CharacterSet? set)
    {
        while (More && ReadQuantifier(out int min, out int max))
        {
            var greed = Greed.Greedy;
            if (More && pattern[_at] is '?' or '+')
                greed = pattern[_at++] == '?' ? Greed.Lazy : Greed.Possessive;
            item = set is not null ? RepeatSet(set, min, max, greed) : Repeat(item, min, max, greed);
            set = null;
        }

        return item;
    }

    private bool ReadQuantifier(out int min, out int max)
    {
        (min, max) = (0, int.MaxValue);
        switch (pattern[_at])
        {
            case '*':
                _at++;
                return true;
            case '+':
                _at++;
                min = 1;
                return true;
            case '?':
                _at++;
                max = 1;
                return true;
            case '{':
                int close = pattern.IndexOf('}', _at);
                string inside = close < 0 ? "" : pattern[(_at + 1)..close];
                string[] bounds = inside.Split(',');
                if (bounds.Length > 2 || inside is "" or "," || !bounds.All(b => b.Length <= 6 && b.All(char.IsAsciiDigit)) || bounds is [""])
                    return false; // a brace that is no quantifier is itself
                min = bounds[0].Length == 0 ? 0 : int.Parse(bounds[0], CultureInfo.InvariantCulture);
                max = bounds.Length == 1 ? min : bounds[1].Length == 0 ? int.MaxValue : int.Parse(bounds[1], CultureInfo.InvariantCulture);
                _at = close + 1;
                return min <= max ? true : throw refuse("repeats at least more often than at most");
            default:
                return false;
        }
    }

    private Expression RepeatSet(CharacterSet set, int min, int max, Greed greed) => next => Count(new Run1(set, min, max, greed, next));

    private Expression Repeat(Expression item, int min, int max, Greed greed)
    {
        if (min > LargestRepeat || max != int.MaxValue && max > LargestRepeat)
            throw refuse($"repeats a group more than {LargestRepeat} times");
        bool lazy = greed == Greed.Lazy;
        Expression whole = next =>
        {
            Node rest = next;
            if (max == int.MaxValue)
            {
                int slot = Slots++;
                var star = new Star(slot, lazy, next);
                star.Body = item(new Star.Back(slot, star));
                rest = Count(star);
            }
            else
            {
                for (int i = min; i < max; i++)
                {
                    Node inner = item(rest);
                    rest = Count(new Choice(lazy ? [next, inner] : [inner, next]));
                }
            }

            for (int i = 0; i < min; i++)
                rest = item(rest);
            return rest;
        };
        return greed == Greed.Possessive ? next => Count(new Atomic(whole(Accept.Instance), next)) : whole;
    }

    private (Expression, CharacterSet?) ReadAtom()
    {
        char c = pattern[_at++];
        switch (c)
        {
            case '(':
                return (ReadGroup(), null);
            case '[':
                return One(ReadClass());
            case '.':
                return One(_dotAll ? CharacterSet.Any : CharacterSet.Of('\n', '\n').Complement());
            case '^':
                return (AssertThat((before, _) => before is -1 or '\n'), null);
            case '$':
                return (AssertThat((_, after) => after is -1 or '\n'), null);
            case '*' or '+' or '?':
                throw refuse("repeats nothing");
            case '\\':
                return ReadEscape();
            default:
                _at--;
                return One(Literal(ReadCodePoint()));
        }
    }

    private (Expression, CharacterSet?) One(CharacterSet set) => (next => Count(new One(set, next)), set);

    private Expression AssertThat(Func<int, int, bool> test) => next => Count(new Assert(test, next));

    private CharacterSet Literal(int codePoint) => Fold(CharacterSet.Of(codePoint, codePoint));

    private CharacterSet Fold(CharacterSet set) => _ignoreCase ? set.IgnoreCase() : set;

    private Expression ReadGroup()
    {
        if (!More || pattern[_at] != '?')
            return Close(ReadAlternatives());
        _at++;
        string rest = pattern[_at..];
        if (rest.StartsWith("<=", StringComparison.Ordinal) || rest.StartsWith("<!", StringComparison.Ordinal))
        {
            _at += 2;
            Expression body = Close(ReadAlternatives());
            return next =>
            {
                int slot = Slots++;
                return Count(new LookBehind(slot, body(new LookBehind.End(slot)), rest[1] == '!', next));
            };
        }

        switch (rest.Length == 0 ? '\0' : rest[0])
        {
            case ':':
                _at++;
                return Close(ReadAlternatives());
            case '=' or '!':
                _at++;
                Expression look = Close(ReadAlternatives());
                return next => Count(new Look(look(Accept.Instance), rest[0] == '!', next));
            case '>':
                _at++;
                Expression atomic = Close(ReadAlternatives());
                return next => Count(new Atomic(atomic(Accept.Instance), next));
            case '<' or 'P':
                int name = pattern.IndexOf('>', _at);
                if (name < 0 || rest.StartsWith("P=", StringComparison.Ordinal) || rest.StartsWith("P>", StringComparison.Ordinal))
                    throw refuse("refers to groups, which is not supported");
                _at = name + 1;
                return Close(ReadAlternatives());
            default:
                return ReadFlags();
        }
    }

    // (?i) holds to the end of the enclosing group, (?i:...) inside its own.
    private Expression ReadFlags()
    {
        (bool ignoreCase, bool dotAll, bool extended) = (_ignoreCase, _dotAll, _extended);
        for (bool on = true; More; _at++)
        {
            switch (pattern[_at])
            {
                case 'i':
                    _ignoreCase = on;
                    continue;
                case 'm':
                    _dotAll = on;
                    continue;
                case 'x':
                    _extended = on;
                    continue;
                case 'u':
                    continue;
                case '-':
                    on = false;
                    continue;
                case ')':
                    _at++;
                    return ReadAlternatives();
                case ':':
                    _at++;
                    Expression body = Close(ReadAlternatives());
                    (_ignoreCase, _dotAll, _extended) = (ignoreCase, dotAll, extended);
                    return body;
                default:
                    throw refuse($"uses the group (?{pattern[_at]}, which is not supported");
            }
        }

        throw refuse("does not close a group");
    }

    private Expression Close(Expression inner) => More && pattern[_at++] == ')' ? inner : throw refuse("does not close a group");

    private (Expression, CharacterSet?) ReadEscape()
    {
        if (!More)
            throw refuse("ends in a backslash");
        switch (pattern[_at])
        {
            case 'A':
                _at++;
                return (AssertThat((before, _) => before == -1), null);
            case 'z':
                _at++;
                return (AssertThat((_, after) => after == -1), null);
            case 'Z':
                _at++;
                return (next => Count(new BeforeFinalLineFeed(next)), null);
            case 'b' or 'B':
                bool wanted = pattern[_at++] == 'b';
                return (AssertThat((before, after) => (before >= 0 && CharacterSet.WordOutsideClass.Contains(before)) != (after >= 0 && CharacterSet.WordOutsideClass.Contains(after)) == wanted), null);
            case >= '1' and <= '9' or 'k' or 'g' or 'G' or 'K' or 'R' or 'X':
                throw refuse($"uses \\{pattern[_at]}, which is not supported");
            case 'w' or 'W':
                bool inside = pattern[_at++] == 'w'; // outside a class \w has a few digits more
                return One(inside ? CharacterSet.WordOutsideClass : CharacterSet.WordOutsideClass.Complement());
            default:
                return One(Fold(ReadSetEscape()));
        }
    }

    // What follows a backslash, where it stands for one character.
    private CharacterSet ReadSetEscape()
    {
        char c = pattern[_at];
        switch (c)
        {
            case 's':
                _at++;
                return CharacterSet.WhiteSpace;
            case 'S':
                _at++;
                return CharacterSet.WhiteSpace.Complement();
            case 'd':
                _at++;
                return CharacterSet.Digit;
            case 'D':
                _at++;
                return CharacterSet.Digit.Complement();
            case 'w':
                _at++;
                return CharacterSet.Word;
            case 'W':
                _at++;
                return CharacterSet.Word.Complement();
            case 'h':
                _at++;
                return CharacterSet.Property("xdigit")!;
            case 'H':
                _at++;
                return CharacterSet.Property("xdigit")!.Complement();
            case 'p' or 'P':
                _at++;
                return ReadProperty(c == 'P');
            default:
                int codePoint = ReadEscapedCodePoint();
                return CharacterSet.Of(codePoint, codePoint);
        }
    }

    private CharacterSet ReadProperty(bool negative)
    {
        string name;
        if (More && pattern[_at] == '{')
        {
            int close = pattern.IndexOf('}', _at);
            if (close < 0)
                throw refuse("does not close \\p{");
            name = pattern[(_at + 1)..close];
            _at = close + 1;
        }
        else
        {
            name = More ? pattern[_at++].ToString() : throw refuse("ends after \\p");
        }

        bool caret = name.StartsWith('^');
        CharacterSet set = CharacterSet.Property(caret ? name[1..] : name) ?? throw refuse($"uses the property {name}, which is not known");
        return negative != caret ? set.Complement() : set;
    }

    private int ReadEscapedCodePoint()
    {
        char c = pattern[_at++];
        switch (c)
        {
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'f':
                return '\f';
            case 'v':
                return '\v';
            case 'a':
                return '\a';
            case 'e':
                return 0x1B;
            case '0':
                return 0;
            case 'x' when More && pattern[_at] == '{':
                int close = pattern.IndexOf('}', _at);
                string inside = close < 0 ? "" : pattern[(_at + 1)..close];
                _at = close + 1;
                return Hex(inside);
            case 'x':
                return Hex(Take(2));
            case 'u':
                return Hex(Take(4));
            case 'U':
                return Hex(Take(8));
            default:
                if (char.IsAsciiLetterOrDigit(c))
                    throw refuse($"uses \\{c}, which is not supported");
                _at--;
                return ReadCodePoint();
        }
    }

    private string Take(int count)
    {
        if (_at + count > pattern.Length)
            throw refuse("ends inside an escape");
        _at += count;
        return pattern.Substring(_at - count, count);
    }

    private int Hex(string digits) => int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value) && value is >= 0 and <= 0x10FFFF ? value : throw refuse("has an escape that is no code point");

    private int ReadCodePoint()
    {
        char c = pattern[_at++];
        return char.IsHighSurrogate(c) && More && char.IsLowSurrogate(pattern[_at]) ? char.ConvertToUtf32(c, pattern[_at++]) : c;
    }

    private CharacterSet ReadClass()
    {
        if (++_depth > DeepestNesting)
            throw refuse("nests too deeply");
        bool negative = More && pattern[_at] == '^';
        if (negative)
            _at++;
        var parts = new List<CharacterSet>();
        CharacterSet? left = null;
        for (bool first = true; ; first = false)
        {
            if (!More)
                throw refuse("does not close a class");
            if (pattern[_at] == ']' && !first)
                break;
            if (pattern.AsSpan(_at).StartsWith("&&"))
            {
                _at += 2;
                left = left is null ? CharacterSet.Union(parts) : CharacterSet.Intersection(left, CharacterSet.Union(parts));
                parts = [];
            }
            else if (pattern.AsSpan(_at).StartsWith("[:") && pattern.IndexOf(":]", _at, StringComparison.Ordinal) is > 0 and int end)
            {
                string name = pattern[(_at + 2)..end];
                bool caret = name.StartsWith('^');
                CharacterSet set = CharacterSet.Property(caret ? name[1..] : name) ?? throw refuse($"uses the class [:{name}:], which is not known");
                parts.Add(caret ? set.Complement() : set);
                _at = end + 2;
            }
            else if (pattern[_at] == '[')
            {
                _at++;
                parts.Add(ReadClass());
            }
            else
            {
                parts.Add(ReadRange());
            }
        }

        _at++;
        _depth--;
        CharacterSet whole = left is null ? CharacterSet.Union(parts) : CharacterSet.Intersection(left, CharacterSet.Union(parts));
        whole = Fold(whole);
        return negative ? whole.Complement() : whole;
    }

    private CharacterSet ReadRange()
    {
        if (pattern[_at] == '\\' && _at + 1 < pattern.Length && pattern[_at + 1] is 's' or 'S' or 'd' or 'D' or 'w' or 'W' or 'h' or 'H' or 'p' or 'P')
        {
            _at++;
            return ReadSetEscape();
        }

        int from = ReadClassCodePoint(), to = from;
        if (_at + 1 < pattern.Length && pattern[_at] == '-' && pattern[_at + 1] is not (']' or '['))
        {
            _at++;
            to = ReadClassCodePoint();
            if (to < from)
                throw refuse("has a range that ends before it starts");
        }

        return CharacterSet.Of(from, to);
    }

    private int ReadClassCodePoint()
    {
        if (pattern[_at] != '\\')
            return ReadCodePoint();
        _at++;
        if (!More)
            throw refuse("ends in a backslash");
        if (pattern[_at] == 'b')
        {
            _at++;
            return '\b';
        }

        return ReadEscapedCodePoint();
    }

    private T Count<T>(T node) where T : Node => ++_size <= LargestSize ? node : throw refuse("is too large once its repeats are written out");
}
