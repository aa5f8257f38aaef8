using System.Globalization;
using System.Text;

namespace Candela.Templates;

internal enum TokenKind
{
    Text,
    BlockBegin,
    BlockEnd,
    PrintBegin,
    PrintEnd,
    Name,
    String,
    Integer,
    Float,
    Operator,
    End,
}

internal readonly record struct JinjaToken(TokenKind Kind, string Text, int Line)
{
    public bool Is(string op) => Kind == TokenKind.Operator && Text == op;

    public bool IsName(string name) => Kind == TokenKind.Name && Text == name;
}

/// <summary>Cuts a template into tokens, with the white-space rules that Hugging Face sets: the line break after a block or comment is dropped
/// (<c>trim_blocks</c>), blanks before one on its line too (<c>lstrip_blocks</c>), <c>-</c> strips, <c>+</c> keeps, one line break at the very end is dropped.</summary>
internal sealed class JinjaLexer
{
    private static readonly string[] Operators = ["**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",", ":", ".", "|"];

    private readonly string _source;
    private readonly List<JinjaToken> _tokens = [];
    private int _at;
    private int _line = 1;

    private JinjaLexer(string source)
    {
        source = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        _source = source.EndsWith('\n') ? source[..^1] : source;
    }

    public static List<JinjaToken> Run(string source)
    {
        var lexer = new JinjaLexer(source);
        lexer.Run();
        return lexer._tokens;
    }

    private void Run()
    {
        bool stripNext = false, trimNewline = false;
        while (_at < _source.Length)
        {
            int open = NextTag(_at);
            int end = open < 0 ? _source.Length : open;
            int from = _at;
            if (stripNext)
                while (from < end && char.IsWhiteSpace(_source[from]))
                    from++;
            else if (trimNewline && from < end && _source[from] == '\n')
                from++;
            int to = end;
            if (open >= 0)
            {
                char kind = _source[open + 1];
                char sign = open + 2 < _source.Length ? _source[open + 2] : ' ';
                if (sign == '-')
                    while (to > from && char.IsWhiteSpace(_source[to - 1]))
                        to--;
                else if (kind != '{' && sign != '+')
                    to = WithoutIndent(from, to);
            }

            if (to > from)
                _tokens.Add(new JinjaToken(TokenKind.Text, _source[from..to], _line + Lines(_at, from)));
            Advance(end);
            (stripNext, trimNewline) = (false, false);
            if (open >= 0)
                (stripNext, trimNewline) = Tag();
        }

        _tokens.Add(new JinjaToken(TokenKind.End, "", _line));
    }

    private int NextTag(int from)
    {
        for (int at = _source.IndexOf('{', from); at >= 0 && at + 1 < _source.Length; at = _source.IndexOf('{', at + 1))
        {
            if (_source[at + 1] is '%' or '{' or '#')
                return at;
        }

        return -1;
    }

    // Blanks between the beginning of the line and a block or comment go. `from` may lie after a tag on the same line: then they stay.
    private int WithoutIndent(int from, int to)
    {
        int start = to;
        while (start > from && _source[start - 1] is ' ' or '\t' && start > 0)
            start--;
        return start == 0 || (start <= to && start > 0 && _source[start - 1] == '\n') ? Math.Max(start, from) : to;
    }

    // Reads one tag from its opening; returns what is to happen to the text after it.
    private (bool Strip, bool Trim) Tag()
    {
        int line = _line;
        char kind = _source[_at + 1];
        if (kind == '#')
            return Comment(line);
        Advance(_at + 2);
        if (_at < _source.Length && _source[_at] is '-' or '+' && _at < _source.Length)
            Advance(_at + 1);
        bool print = kind == '{';
        if (!print && RawBegins(out int body))
            return Raw(body, line);
        _tokens.Add(new JinjaToken(print ? TokenKind.PrintBegin : TokenKind.BlockBegin, "", line));
        string close = print ? "}}" : "%}";
        var brackets = new Stack<char>();
        while (true)
        {
            while (_at < _source.Length && char.IsWhiteSpace(_source[_at]))
                Advance(_at + 1);
            if (_at >= _source.Length)
                throw new JinjaError($"the tag opened here is not closed by '{close}'", JinjaFault.Syntax, line);
            if (brackets.Count == 0)
            {
                char sign = _source[_at] is '-' or '+' && StartsWith(close, _at + 1) ? _source[_at] : ' ';
                if (sign != ' ' || StartsWith(close, _at))
                {
                    _tokens.Add(new JinjaToken(print ? TokenKind.PrintEnd : TokenKind.BlockEnd, "", _line));
                    Advance(_at + (sign == ' ' ? 2 : 3));
                    return (sign == '-', !print && sign != '+');
                }
            }

            Expression(brackets);
        }
    }

    private void Expression(Stack<char> brackets)
    {
        char c = _source[_at];
        int start = _at;
        if (c is '"' or '\'')
        {
            _tokens.Add(new JinjaToken(TokenKind.String, Quoted(c), _line));
            return;
        }

        if (char.IsAsciiDigit(c))
        {
            Number();
            return;
        }

        if (char.IsLetter(c) || c == '_')
        {
            while (_at < _source.Length && (char.IsLetterOrDigit(_source[_at]) || _source[_at] == '_'))
                _at++;
            _tokens.Add(new JinjaToken(TokenKind.Name, _source[start.._at], _line));
            return;
        }

        string? op = Operators.FirstOrDefault(o => StartsWith(o, _at)) ?? throw new JinjaError($"the character '{c}' has no place in an expression", JinjaFault.Syntax, _line);
        if (op is "(" or "[" or "{")
            brackets.Push(op[0]);
        else if (op is ")" or "]" or "}" && (!brackets.TryPop(out char open) || (open, op) is not (('(', ")") or ('[', "]") or ('{', "}"))))
            throw new JinjaError($"'{op}' closes nothing", JinjaFault.Syntax, _line);
        _tokens.Add(new JinjaToken(TokenKind.Operator, op, _line));
        _at += op.Length;
    }

    private void Number()
    {
        int start = _at;
        while (_at < _source.Length && (char.IsAsciiDigit(_source[_at]) || _source[_at] == '_'))
            _at++;
        bool isFloat = false;
        if (_at + 1 < _source.Length && _source[_at] == '.' && char.IsAsciiDigit(_source[_at + 1]))
        {
            isFloat = true;
            _at++;
            while (_at < _source.Length && char.IsAsciiDigit(_source[_at]))
                _at++;
        }

        if (_at + 1 < _source.Length && _source[_at] is 'e' or 'E' && (char.IsAsciiDigit(_source[_at + 1]) || (_source[_at + 1] is '+' or '-' && _at + 2 < _source.Length && char.IsAsciiDigit(_source[_at + 2]))))
        {
            isFloat = true;
            _at += 2;
            while (_at < _source.Length && char.IsAsciiDigit(_source[_at]))
                _at++;
        }

        _tokens.Add(new JinjaToken(isFloat ? TokenKind.Float : TokenKind.Integer, _source[start.._at].Replace("_", "", StringComparison.Ordinal), _line));
    }

    private string Quoted(char quote)
    {
        int line = _line;
        var text = new StringBuilder();
        for (Advance(_at + 1); _at < _source.Length; Advance(_at + 1))
        {
            char c = _source[_at];
            if (c == quote)
            {
                Advance(_at + 1);
                return text.ToString();
            }

            if (c != '\\' || _at + 1 >= _source.Length)
            {
                text.Append(c);
                continue;
            }

            Advance(_at + 1);
            Escape(text);
        }

        throw new JinjaError("the text opened here is not closed", JinjaFault.Syntax, line);
    }

    private void Escape(StringBuilder text)
    {
        char c = _source[_at];
        int digits = c switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits > 0 && _at + digits < _source.Length && int.TryParse(_source.AsSpan(_at + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int code) && code is >= 0 and <= 0x10FFFF)
        {
            text.Append(code > 0xFFFF ? char.ConvertFromUtf32(code) : ((char)code).ToString());
            _at += digits;
            return;
        }

        _ = c switch
        {
            'n' => text.Append('\n'),
            't' => text.Append('\t'),
            'r' => text.Append('\r'),
            'b' => text.Append('\b'),
            'f' => text.Append('\f'),
            'v' => text.Append('\v'),
            'a' => text.Append('\a'),
            '0' => text.Append('\0'),
            '\n' => text,
            '\\' or '\'' or '"' => text.Append(c),
            _ => text.Append('\\').Append(c),
        };
    }

    private (bool, bool) Comment(int line)
    {
        int end = _source.IndexOf("#}", _at + 2, StringComparison.Ordinal);
        if (end < 0)
            throw new JinjaError("the comment opened here is not closed by '#}'", JinjaFault.Syntax, line);
        char sign = end > _at + 2 ? _source[end - 1] : ' ';
        Advance(end + 2);
        return (sign == '-', sign != '+');
    }

    // {% raw %} ... {% endraw %}: `_at` is after the opening sign.
    private bool RawBegins(out int body)
    {
        body = SkipWord(_at, "raw");
        if (body < 0)
            return false;
        int close = body < _source.Length && _source[body] is '-' or '+' && body < _source.Length ? body + 1 : body;
        if (!StartsWith("%}", close))
            return false;
        body = close + 2;
        bool strip = _source[close - 1] == '-';
        if (strip)
            while (body < _source.Length && char.IsWhiteSpace(_source[body]))
                body++;
        else if (body < _source.Length && _source[body] == '\n' && _source[close - 1] != '+')
            body++;
        return true;
    }

    private (bool, bool) Raw(int body, int line)
    {
        for (int at = _source.IndexOf("{%", body, StringComparison.Ordinal); at >= 0; at = _source.IndexOf("{%", at + 2, StringComparison.Ordinal))
        {
            int inner = at + 2;
            char sign = inner < _source.Length ? _source[inner] : ' ';
            int word = SkipWord(sign is '-' or '+' ? inner + 1 : inner, "endraw");
            if (word < 0)
                continue;
            int close = word < _source.Length && _source[word] is '-' or '+' && word < _source.Length ? word + 1 : word;
            if (!StartsWith("%}", close))
                continue;
            int to = at;
            if (sign == '-')
                while (to > body && char.IsWhiteSpace(_source[to - 1]))
                    to--;
            else if (sign != '+')
                to = WithoutIndent(body, to);
            if (to > body)
                _tokens.Add(new JinjaToken(TokenKind.Text, _source[body..to], line));
            Advance(close + 2);
            return (_source[close - 1] == '-', _source[close - 1] != '+');
        }

        throw new JinjaError("'raw' is not closed by 'endraw'", JinjaFault.Syntax, line);
    }

    // After blanks, the word and blanks; -1 when the word is not there.
    private int SkipWord(int at, string word)
    {
        while (at < _source.Length && char.IsWhiteSpace(_source[at]))
            at++;
        if (!StartsWith(word, at))
            return -1;
        at += word.Length;
        while (at < _source.Length && char.IsWhiteSpace(_source[at]))
            at++;
        return at;
    }

    private bool StartsWith(string text, int at) => at <= _source.Length && _source.AsSpan(at).StartsWith(text, StringComparison.Ordinal);

    private int Lines(int from, int to) => _source.AsSpan(from, to - from).Count('\n');

    private void Advance(int to)
    {
        to = Math.Min(to, _source.Length);
        _line += Lines(_at, to);
        _at = to;
    }
}
