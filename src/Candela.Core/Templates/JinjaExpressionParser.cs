using System.Globalization;
using System.Text;

namespace Candela.Templates;

/// <summary>Tokens to expressions, with Jinja2's precedence: conditional, or, and, not, comparison, + -, ~, * / // %, **, unary, postfix, filters and tests.</summary>
internal sealed class JinjaExpressionParser(JinjaTokens tokens)
{
    private int _depth;

    /// <param name="tuples">Whether a comma makes a tuple.</param>
    /// <param name="conditional">Whether <c>a if b else c</c> may stand here; not in the items of a loop, whose <c>if</c> filters.</param>
    public JinjaExpression Expression(bool tuples = false, bool conditional = true)
    {
        if (++_depth > JinjaParser.MaxNesting)
            throw new JinjaError($"expressions nest deeper than {JinjaParser.MaxNesting}", JinjaFault.Unsupported, tokens.Current.Line);
        int line = tokens.Current.Line;
        var first = conditional ? Conditional() : Or();
        if (tuples && tokens.Current.Is(","))
        {
            var items = new List<JinjaExpression> { first };
            while (tokens.TakeOperator(","))
            {
                if (tokens.Current.Kind is TokenKind.PrintEnd or TokenKind.BlockEnd || tokens.Current.Is(")"))
                    break;
                items.Add(conditional ? Conditional() : Or());
            }

            first = new ListExpression(items, Tuple: true, line);
        }

        _depth--;
        return first;
    }

    /// <summary><c>| a | b(1)</c>, or <c>a | b(1)</c> when <paramref name="first"/>; perhaps none.</summary>
    public List<FilterExpression> Filters(bool first = false)
    {
        var filters = new List<FilterExpression>();
        while (first || tokens.TakeOperator("|"))
        {
            first = false;
            filters.Add(Filter(null));
        }

        return filters;
    }

    private JinjaExpression Conditional()
    {
        var value = Or();
        while (tokens.Current.IsName("if"))
        {
            int line = tokens.Take().Line;
            var condition = Or();
            JinjaExpression? other = null;
            if (tokens.TakeName("else"))
                other = Nested(Conditional);
            value = new ConditionalExpression(value, condition, other, line);
        }

        return value;
    }

    private JinjaExpression Or() => Chain(And, name: "or");

    private JinjaExpression And() => Chain(Not, name: "and");

    private JinjaExpression Not()
    {
        if (!tokens.Current.IsName("not"))
            return Comparison();
        int line = tokens.Take().Line;
        return new UnaryExpression("not", Nested(Not), line);
    }

    private JinjaExpression Comparison()
    {
        int line = tokens.Current.Line;
        var first = Sum();
        var rest = new List<KeyValuePair<string, JinjaExpression>>();
        while (true)
        {
            var token = tokens.Current;
            string? op = token.Kind == TokenKind.Operator && token.Text is "==" or "!=" or "<" or ">" or "<=" or ">=" ? token.Text
                : token.IsName("in") ? "in"
                : token.IsName("not") && tokens.Next.IsName("in") ? "not in" : null;
            if (op is null)
                return rest.Count == 0 ? first : new ComparisonExpression(first, rest, line);
            tokens.Take();
            if (op == "not in")
                tokens.Take();
            rest.Add(new(op, Sum()));
        }
    }

    private JinjaExpression Sum() => Chain(Concat, "+", "-");

    private JinjaExpression Concat() => Chain(Product, "~");

    private JinjaExpression Product() => Chain(Power, "*", "/", "//", "%");

    private JinjaExpression Power() => Chain(() => Unary(filters: true), "**");

    // Left-associative operators of one rank. A long chain makes a deep tree, so its length counts as depth.
    private JinjaExpression Chain(Func<JinjaExpression> operand, string first = "", string second = "", string third = "", string fourth = "", string? name = null)
    {
        var left = operand();
        for (int length = 0; ; length++)
        {
            var token = tokens.Current;
            bool more = name is null
                ? token.Kind == TokenKind.Operator && token.Text.Length > 0 && (token.Text == first || token.Text == second || token.Text == third || token.Text == fourth)
                : token.IsName(name);
            if (!more)
                return left;
            if (length == 3 * JinjaParser.MaxNesting)
                throw new JinjaError($"more than {3 * JinjaParser.MaxNesting} operators in a row", JinjaFault.Unsupported, token.Line);
            tokens.Take();
            left = new BinaryExpression(token.Text, left, operand(), token.Line);
        }
    }

    private JinjaExpression Unary(bool filters)
    {
        var token = tokens.Current;
        JinjaExpression node;
        if (token.Is("-") || token.Is("+"))
        {
            tokens.Take();
            node = new UnaryExpression(token.Text, Nested(() => Unary(filters: false)), token.Line);
        }
        else
        {
            node = Primary();
        }

        node = Postfix(node);
        return filters ? FiltersAndTests(node) : node;
    }

    private JinjaExpression Primary()
    {
        var token = tokens.Take();
        switch (token.Kind)
        {
            case TokenKind.Name:
                return token.Text switch
                {
                    "true" or "True" => new ConstantExpression(true, token.Line),
                    "false" or "False" => new ConstantExpression(false, token.Line),
                    "none" or "None" or "null" => new ConstantExpression(null, token.Line),
                    _ => new NameExpression(token.Text, token.Line),
                };
            case TokenKind.String:
                if (tokens.Current.Kind != TokenKind.String)
                    return new ConstantExpression(token.Text, token.Line);
                var text = new StringBuilder(token.Text);
                while (tokens.Current.Kind == TokenKind.String)
                    text.Append(tokens.Take().Text);
                return new ConstantExpression(text.ToString(), token.Line);
            case TokenKind.Integer:
                return long.TryParse(token.Text, NumberStyles.None, CultureInfo.InvariantCulture, out long integer) ? new ConstantExpression(integer, token.Line)
                    : throw new JinjaError($"the number {token.Text} is larger than 64 bits", JinjaFault.Unsupported, token.Line);
            case TokenKind.Float:
                return new ConstantExpression(double.Parse(token.Text, NumberStyles.Float, CultureInfo.InvariantCulture), token.Line);
            case TokenKind.Operator when token.Text == "(":
                if (tokens.TakeOperator(")"))
                    return new ListExpression([], Tuple: true, token.Line);
                var inner = Expression(tuples: true);
                tokens.ExpectOperator(")");
                return inner;
            case TokenKind.Operator when token.Text == "[":
                return new ListExpression(Items("]"), Tuple: false, token.Line);
            case TokenKind.Operator when token.Text == "{":
                return Map(token.Line);
            default:
                throw new JinjaError($"a value was needed where {(token.Kind is TokenKind.Operator ? $"'{token.Text}'" : "the tag's end")} stands", JinjaFault.Syntax, token.Line);
        }
    }

    private MapExpression Map(int line)
    {
        var items = new List<KeyValuePair<JinjaExpression, JinjaExpression>>();
        while (!tokens.TakeOperator("}"))
        {
            if (items.Count > 0)
                tokens.ExpectOperator(",");
            if (items.Count > 0 && tokens.TakeOperator("}"))
                break;
            var key = Expression();
            tokens.ExpectOperator(":");
            items.Add(new(key, Expression()));
        }

        return new MapExpression(items, line);
    }

    private List<JinjaExpression> Items(string close)
    {
        var items = new List<JinjaExpression>();
        while (!tokens.TakeOperator(close))
        {
            if (items.Count > 0)
                tokens.ExpectOperator(",");
            if (items.Count > 0 && tokens.TakeOperator(close))
                break;
            items.Add(Expression());
        }

        return items;
    }

    private JinjaExpression Postfix(JinjaExpression node)
    {
        for (int length = 0; ; length++)
        {
            int line = tokens.Current.Line;
            if (length == JinjaParser.MaxNesting)
                throw new JinjaError($"more than {JinjaParser.MaxNesting} attributes, items and calls in a row", JinjaFault.Unsupported, line);
            if (tokens.TakeOperator("."))
            {
                node = tokens.Current.Kind == TokenKind.Integer ? new ItemExpression(node, Primary(), line) : new AttributeExpression(node, tokens.Name("an attribute"), line);
            }
            else if (tokens.TakeOperator("["))
            {
                node = Subscript(node, line);
            }
            else if (tokens.Current.Is("("))
            {
                var (arguments, named) = Arguments();
                node = new CallExpression(node, arguments, named, line);
            }
            else
            {
                return node;
            }
        }
    }

    private JinjaExpression Subscript(JinjaExpression node, int line)
    {
        JinjaExpression? from = null;
        if (!tokens.Current.Is(":"))
        {
            from = Expression(tuples: true);
            if (tokens.TakeOperator("]"))
                return new ItemExpression(node, from, line);
        }

        tokens.ExpectOperator(":");
        var to = tokens.Current.Is(":") || tokens.Current.Is("]") ? null : Expression();
        var step = tokens.TakeOperator(":") && !tokens.Current.Is("]") ? Expression() : null;
        tokens.ExpectOperator("]");
        return new SliceExpression(node, from, to, step, line);
    }

    private (List<JinjaExpression> Arguments, Dictionary<string, JinjaExpression> Named) Arguments()
    {
        var arguments = new List<JinjaExpression>();
        var named = new Dictionary<string, JinjaExpression>(StringComparer.Ordinal);
        tokens.ExpectOperator("(");
        while (!tokens.TakeOperator(")"))
        {
            if (arguments.Count + named.Count > 0)
                tokens.ExpectOperator(",");
            if (arguments.Count + named.Count > 0 && tokens.TakeOperator(")"))
                break;
            if (tokens.Current.Is("*") || tokens.Current.Is("**"))
                throw new JinjaError("unpacked arguments (* and **) are not supported", JinjaFault.Unsupported, tokens.Current.Line);
            if (tokens.Current.Kind == TokenKind.Name && tokens.Next.Is("="))
            {
                string name = tokens.Take().Text;
                tokens.Take();
                named[name] = Expression();
            }
            else if (named.Count > 0)
            {
                throw tokens.Error("an argument without a name follows one with a name");
            }
            else
            {
                arguments.Add(Expression());
            }
        }

        return (arguments, named);
    }

    private JinjaExpression FiltersAndTests(JinjaExpression node)
    {
        for (int length = 0; ; length++)
        {
            if (length == JinjaParser.MaxNesting)
                throw new JinjaError($"more than {JinjaParser.MaxNesting} filters in a row", JinjaFault.Unsupported, tokens.Current.Line);
            if (tokens.TakeOperator("|"))
                node = Filter(node);
            else if (tokens.TakeName("is"))
                node = Test(node);
            else if (tokens.Current.Is("("))
                node = Postfix(node);
            else
                return node;
        }
    }

    private FilterExpression Filter(JinjaExpression? of)
    {
        int line = tokens.Current.Line;
        string name = tokens.Name("a filter");
        if (!JinjaFilters.Exists(name))
            throw new JinjaError($"the filter '{name}' is not known.{NearestName.Hint(name, JinjaFilters.Names)}", JinjaFault.Unsupported, line);
        var (arguments, named) = tokens.Current.Is("(") ? Arguments() : ([], new Dictionary<string, JinjaExpression>());
        return new FilterExpression(of, name, arguments, named, line);
    }

    private TestExpression Test(JinjaExpression of)
    {
        int line = tokens.Current.Line;
        bool not = tokens.TakeName("not");
        string name = tokens.Name("a test");
        if (!JinjaTests.Exists(name))
            throw new JinjaError($"the test '{name}' is not known.{NearestName.Hint(name, JinjaTests.Names)}", JinjaFault.Unsupported, line);
        List<JinjaExpression> arguments = [];
        var token = tokens.Current;
        if (token.Is("("))
            arguments = Arguments().Arguments;
        else if (token.Kind is TokenKind.String or TokenKind.Integer or TokenKind.Float || token.Is("[") || token.Is("{") || (token.Kind == TokenKind.Name && token.Text is not ("else" or "or" or "and" or "if" or "in" or "not" or "is")))
            arguments.Add(Postfix(Primary()));
        return new TestExpression(of, name, arguments, not, line);
    }

    private JinjaExpression Nested(Func<JinjaExpression> parse)
    {
        if (++_depth > JinjaParser.MaxNesting)
            throw new JinjaError($"expressions nest deeper than {JinjaParser.MaxNesting}", JinjaFault.Unsupported, tokens.Current.Line);
        var node = parse();
        _depth--;
        return node;
    }
}
