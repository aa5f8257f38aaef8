namespace Candela.Templates;

/// <summary>Tokens to statements. Blocks nest at most <see cref="MaxNesting"/> deep.</summary>
internal sealed class JinjaParser
{
    internal const int MaxNesting = 100;

    private readonly JinjaTokens _tokens;
    private readonly JinjaExpressionParser _expressions;
    private int _depth, _loops;

    private JinjaParser(JinjaTokens tokens) => (_tokens, _expressions) = (tokens, new JinjaExpressionParser(tokens));

    public static IReadOnlyList<JinjaStatement> Parse(string source)
    {
        var tokens = new JinjaTokens(JinjaLexer.Run(source));
        var body = new JinjaParser(tokens).Body();
        return tokens.Current.Kind == TokenKind.End ? body : throw tokens.Error($"'{tokens.Next.Text}' closes nothing here");
    }

    // Statements up to the end of the template or a block that begins with one of `ends`; that block's BlockBegin is the current token.
    private List<JinjaStatement> Body(params ReadOnlySpan<string> ends)
    {
        if (++_depth > MaxNesting)
            throw new JinjaError($"blocks nest deeper than {MaxNesting}", JinjaFault.Unsupported, _tokens.Current.Line);
        var statements = new List<JinjaStatement>();
        int opened = _tokens.Current.Line;
        while (true)
        {
            var token = _tokens.Current;
            if (token.Kind == TokenKind.End)
            {
                if (ends.Length > 0)
                    throw new JinjaError($"the block opened here is not closed by '{ends[^1]}'", JinjaFault.Syntax, opened);
                break;
            }

            if (token.Kind == TokenKind.Text)
            {
                statements.Add(new TextStatement(_tokens.Take().Text, token.Line));
            }
            else if (token.Kind == TokenKind.PrintBegin)
            {
                _tokens.Take();
                statements.Add(new PrintStatement(_expressions.Expression(tuples: true), token.Line));
                _tokens.Expect(TokenKind.PrintEnd, "'}}'");
            }
            else
            {
                string word = _tokens.Next.Text;
                if (ends.Contains(word) || (word.StartsWith("end", StringComparison.Ordinal) && ends.Length == 0) || word is "elif" or "else" or "elseif")
                    break;
                _tokens.Take();
                statements.Add(Block(_tokens.Name("the name of a block"), token.Line));
            }
        }

        _depth--;
        return statements;
    }

    private JinjaStatement Block(string word, int line)
    {
        switch (word)
        {
            case "if":
                return If(line);
            case "for":
                return For(line);
            case "set":
                return Set(line);
            case "macro":
                return Macro(line);
            case "call":
                return Call(line);
            case "filter":
                return Filter(line);
            case "with":
                return With(line);
            case "generation":
                Close();
                return new ScopeStatement([], Until("endgeneration"), line);
            case "break" or "continue":
                if (_loops == 0)
                    throw new JinjaError($"'{word}' stands outside a loop", JinjaFault.Syntax, line);
                Close();
                return new LeaveStatement(word == "break", line);
            case "include" or "import" or "from" or "extends" or "block" or "autoescape" or "do" or "trans":
                throw new JinjaError($"the block '{word}' is not supported in chat templates", JinjaFault.Unsupported, line);
            default:
                throw new JinjaError($"the block '{word}' is not known.{NearestName.Hint(word, ["if", "for", "set", "macro", "call", "filter", "with", "generation", "break", "continue", "raw"])}", JinjaFault.Syntax, line);
        }
    }

    private IfStatement If(int line)
    {
        var condition = _expressions.Expression(tuples: true);
        Close();
        var then = Body("elif", "else", "endif");
        _tokens.Take();
        string word = _tokens.Name("'elif', 'else' or 'endif'");
        if (word == "elif")
        {
            // a chain of a thousand is legal but would nest as deep
            if (++_depth > MaxNesting)
                throw new JinjaError($"more than {MaxNesting} 'elif' in nested blocks", JinjaFault.Unsupported, line);
            var rest = If(_tokens.Current.Line);
            _depth--;
            return new IfStatement(condition, then, [rest], line);
        }

        if (word == "endif")
        {
            Close();
            return new IfStatement(condition, then, [], line);
        }

        if (word != "else")
            throw new JinjaError($"'{word}' was met where 'elif', 'else' or 'endif' was needed", JinjaFault.Syntax, line);
        Close();
        return new IfStatement(condition, then, Until("endif"), line);
    }

    private ForStatement For(int line)
    {
        var names = Names();
        if (!_tokens.TakeName("in"))
            throw _tokens.Error("'in' was needed");
        var items = _expressions.Expression(tuples: true, conditional: false);
        var where = _tokens.TakeName("if") ? _expressions.Expression() : null;
        if (_tokens.Current.IsName("recursive"))
            throw new JinjaError("recursive loops are not supported", JinjaFault.Unsupported, line);
        Close();
        _loops++;
        var body = Body("else", "endfor");
        _loops--;
        _tokens.Take();
        string word = _tokens.Name("'else' or 'endfor'");
        Close();
        if (word is not ("else" or "endfor"))
            throw new JinjaError($"'{word}' was met where 'else' or 'endfor' was needed", JinjaFault.Syntax, line);
        return new ForStatement(names, items, where, body, word == "else" ? Until("endfor") : [], line);
    }

    private JinjaStatement Set(int line)
    {
        var names = Names();
        string? attribute = _tokens.TakeOperator(".") ? _tokens.Name("an attribute") : null;
        if (attribute is not null && names.Count > 1)
            throw _tokens.Error("one namespace attribute can be set at a time");
        if (_tokens.TakeOperator("="))
        {
            var value = _expressions.Expression(tuples: true);
            Close();
            return new SetStatement(names, attribute, value, line);
        }

        var filters = _expressions.Filters();
        Close();
        return names.Count > 1 ? throw new JinjaError("a block sets one variable", JinjaFault.Syntax, line)
            : new BlockStatement(names[0], attribute, Until("endset"), filters, line);
    }

    private MacroStatement Macro(int line)
    {
        string name = _tokens.Name("the macro's name");
        var (parameters, defaults) = Parameters();
        Close();
        return new MacroStatement(name, parameters, defaults, OutsideLoops("endmacro"), line);
    }

    private CallStatement Call(int line)
    {
        var (parameters, defaults) = _tokens.Current.Is("(") ? Parameters() : ([], new Dictionary<string, JinjaExpression>());
        if (_expressions.Expression() is not CallExpression call)
            throw new JinjaError("'call' needs a call of a macro", JinjaFault.Syntax, line);
        Close();
        return new CallStatement(call, new MacroStatement("caller", parameters, defaults, OutsideLoops("endcall"), line), line);
    }

    private BlockStatement Filter(int line)
    {
        var filters = _expressions.Filters(first: true);
        Close();
        return new BlockStatement(null, null, Until("endfilter"), filters, line);
    }

    private ScopeStatement With(int line)
    {
        var sets = new List<SetStatement>();
        while (_tokens.Current.Kind != TokenKind.BlockEnd)
        {
            if (sets.Count > 0)
                _tokens.ExpectOperator(",");
            string name = _tokens.Name("a variable");
            _tokens.ExpectOperator("=");
            sets.Add(new SetStatement([name], null, _expressions.Expression(), line));
        }

        Close();
        return new ScopeStatement(sets, Until("endwith"), line);
    }

    private (List<string> Names, Dictionary<string, JinjaExpression> Defaults) Parameters()
    {
        var names = new List<string>();
        var defaults = new Dictionary<string, JinjaExpression>(StringComparer.Ordinal);
        _tokens.ExpectOperator("(");
        while (!_tokens.TakeOperator(")"))
        {
            if (names.Count > 0)
                _tokens.ExpectOperator(",");
            if (names.Count > 0 && _tokens.TakeOperator(")"))
                break;
            string name = _tokens.Name("a parameter");
            names.Add(name);
            if (_tokens.TakeOperator("="))
                defaults[name] = _expressions.Expression();
        }

        return (names, defaults);
    }

    private List<string> Names()
    {
        bool parenthesis = _tokens.TakeOperator("(");
        var names = new List<string> { _tokens.Name("a variable") };
        while (_tokens.TakeOperator(","))
            names.Add(_tokens.Name("a variable"));
        if (parenthesis)
            _tokens.ExpectOperator(")");
        return names;
    }

    private List<JinjaStatement> OutsideLoops(string end)
    {
        int loops = _loops;
        _loops = 0;
        var body = Until(end);
        _loops = loops;
        return body;
    }

    private List<JinjaStatement> Until(string end)
    {
        var body = Body(end);
        _tokens.Take();
        string word = _tokens.Name($"'{end}'");
        if (word != end)
            throw _tokens.Error($"'{word}' was met where '{end}' was needed");
        Close();
        return body;
    }

    private void Close() => _tokens.Expect(TokenKind.BlockEnd, "'%}'");
}
