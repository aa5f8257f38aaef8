using System.Text;

namespace Candela.Templates;

/// <summary>Runs the statements of a template. One evaluator renders once.</summary>
internal sealed class JinjaEvaluator(JinjaBudget budget, DateTimeOffset now)
{
    private StringBuilder _output = new();
    private int _line;

    private enum Flow
    {
        Next,
        Break,
        Continue,
    }

    /// <summary>The line that was being run, for errors.</summary>
    public int Line => _line;

    public string Render(IReadOnlyList<JinjaStatement> template, IReadOnlyDictionary<string, object?> variables)
    {
        var globals = new JinjaScope(null);
        globals.Set("namespace", new JinjaFunction("namespace", Namespace));
        globals.Set("range", new JinjaFunction("range", Range));
        globals.Set("dict", new JinjaFunction("dict", arguments => Map(arguments.Named)));
        globals.Set("raise_exception", new JinjaFunction("raise_exception", arguments => throw new JinjaError($"the template refuses this conversation: {JinjaText.Of(arguments.Needed(0, "message"), budget)}")));
        globals.Set("strftime_now", new JinjaFunction("strftime_now", arguments => JinjaFormat.Time(arguments.Text(0, "format"), now)));
        var scope = new JinjaScope(globals);
        foreach (var (name, value) in variables)
            scope.Set(name, value);
        Run(template, scope);
        return _output.ToString();
    }

    private Flow Run(IReadOnlyList<JinjaStatement> statements, JinjaScope scope)
    {
        budget.Enter();
        var flow = Flow.Next;
        for (int i = 0; i < statements.Count && flow == Flow.Next; i++)
        {
            budget.Step();
            _line = statements[i].Line;
            flow = Run(statements[i], scope);
        }

        budget.Leave();
        return flow;
    }

    private Flow Run(JinjaStatement statement, JinjaScope scope)
    {
        switch (statement)
        {
            case TextStatement text:
                Print(text.Text);
                break;
            case PrintStatement print:
                Print(JinjaText.Of(Value(print.Value, scope), budget));
                break;
            case IfStatement branch:
                return Run(JinjaText.Truth(Value(branch.Condition, scope)) ? branch.Then : branch.Else, scope);
            case ForStatement loop:
                return Loop(loop, scope);
            case LeaveStatement leave:
                return leave.Break ? Flow.Break : Flow.Continue;
            case SetStatement set:
                Set(set, scope);
                break;
            case BlockStatement block:
                object? value = Captured(block.Body, new JinjaScope(scope));
                foreach (var filter in block.Filters)
                    value = JinjaFilters.Apply(filter.Name, value, Arguments(filter.Name, filter.Arguments, filter.Named, scope), budget);
                if (block.Name is null)
                    Print(JinjaText.Of(value, budget));
                else
                    Assign(block.Name, block.Attribute, value, scope);
                break;
            case MacroStatement macro:
                scope.Set(macro.Name, Macro(macro, scope));
                break;
            case CallStatement call:
                var caller = Macro(call.Caller, scope);
                Print(JinjaText.Of(Call(call.Call, scope, caller), budget));
                break;
            default:
                var inner = (ScopeStatement)statement;
                var within = inner.Sets.Count > 0 ? new JinjaScope(scope) : scope;
                foreach (var set in inner.Sets)
                    within.Set(set.Names[0], Value(set.Value, scope));
                return Run(inner.Body, within);
        }

        return Flow.Next;
    }

    private Flow Loop(ForStatement loop, JinjaScope scope)
    {
        object? over = Value(loop.Items, scope);
        var items = JinjaOperators.Iterate(over, budget);
        if (loop.Where is not null)
        {
            var chosen = new List<object?>();
            foreach (object? item in items)
            {
                var candidate = new JinjaScope(scope);
                Unpack(loop.Names, item, candidate);
                if (JinjaText.Truth(Value(loop.Where, candidate)))
                    chosen.Add(item);
            }

            items = chosen;
        }

        if (items.Count == 0)
            return Run(loop.Else, new JinjaScope(scope));
        object? changed = this; // no value of a template
        for (int i = 0; i < items.Count; i++)
        {
            int at = i;
            var inner = new JinjaScope(scope);
            inner.Set("loop", new JinjaLoop(items, at, arguments => arguments.Positional.Count > 0 ? arguments.Positional[at % arguments.Positional.Count] : null, arguments =>
            {
                var seen = new JinjaList(arguments.Positional);
                bool differs = ReferenceEquals(changed, this) || !JinjaText.Same(changed, seen, budget);
                changed = seen;
                return differs;
            }));
            Unpack(loop.Names, items[i], inner);
            if (Run(loop.Body, inner) == Flow.Break)
                break;
        }

        return Flow.Next;
    }

    private void Set(SetStatement set, JinjaScope scope)
    {
        object? value = Value(set.Value, scope);
        if (set.Names.Count == 1)
            Assign(set.Names[0], set.Attribute, value, scope);
        else
            Unpack(set.Names, value, scope);
    }

    private static void Assign(string name, string? attribute, object? value, JinjaScope scope)
    {
        if (attribute is null)
            scope.Set(name, value);
        else if (scope.Find(name) is JinjaNamespace names)
            names.Attributes[attribute] = value;
        else
            throw new JinjaError($"'{name}.{attribute}' cannot be set: '{name}' is {JinjaText.Kind(scope.Find(name))}, not a namespace");
    }

    private void Unpack(IReadOnlyList<string> names, object? value, JinjaScope scope)
    {
        if (names.Count == 1)
        {
            scope.Set(names[0], value);
            return;
        }

        var parts = JinjaOperators.Iterate(value, budget);
        if (parts.Count != names.Count)
            throw new JinjaError($"{parts.Count} values cannot be given to the {names.Count} variables {string.Join(", ", names)}");
        for (int i = 0; i < names.Count; i++)
            scope.Set(names[i], parts[i]);
    }

    private object? Value(JinjaExpression expression, JinjaScope scope)
    {
        budget.Step();
        budget.Enter();
        object? value = Evaluate(expression, scope);
        budget.Leave();
        return value;
    }

    private object? Evaluate(JinjaExpression expression, JinjaScope scope)
    {
        switch (expression)
        {
            case ConstantExpression constant:
                return constant.Value;
            case NameExpression name:
                return scope.Find(name.Name);
            case ListExpression list:
                var items = new object?[list.Items.Count];
                for (int i = 0; i < items.Length; i++)
                    items[i] = Value(list.Items[i], scope);
                return new JinjaList(items, list.Tuple);
            case MapExpression pairs:
                var map = new JinjaMap();
                foreach (var (key, item) in pairs.Items)
                    map[Value(key, scope)] = Value(item, scope);
                return map;
            case AttributeExpression attribute:
                return Attribute(Value(attribute.Of, scope), attribute.Name);
            case ItemExpression item:
                return Subscript(Value(item.Of, scope), Value(item.Key, scope));
            case SliceExpression slice:
                object? of = Value(slice.Of, scope);
                return JinjaOperators.Slice(of is JinjaUndefined missing ? throw new JinjaError($"'{missing.Name}' is not defined, and a slice of it was asked for") : of, Optional(slice.From, scope), Optional(slice.To, scope), Optional(slice.Step, scope), budget);
            case CallExpression call:
                return Call(call, scope, null);
            case FilterExpression filter:
                return JinjaFilters.Apply(filter.Name, Value(filter.Of!, scope), Arguments(filter.Name, filter.Arguments, filter.Named, scope), budget);
            case TestExpression test:
                return JinjaTests.Holds(test.Name, Value(test.Of, scope), Values(test.Arguments, scope), budget) != test.Not;
            case UnaryExpression unary:
                return JinjaOperators.Unary(unary.Operator, Value(unary.Operand, scope));
            case BinaryExpression { Operator: "and" } and:
                return Value(and.Left, scope) is var left && JinjaText.Truth(left) ? Value(and.Right, scope) : left;
            case BinaryExpression { Operator: "or" } or:
                return Value(or.Left, scope) is var first && JinjaText.Truth(first) ? first : Value(or.Right, scope);
            case BinaryExpression binary:
                return JinjaOperators.Binary(binary.Operator, Value(binary.Left, scope), Value(binary.Right, scope), budget);
            case ComparisonExpression comparison:
                return Compare(comparison, scope);
            default:
                var choice = (ConditionalExpression)expression;
                return JinjaText.Truth(Value(choice.Condition, scope)) ? Value(choice.Then, scope) : choice.Else is null ? new JinjaUndefined("the missing 'else'") : Value(choice.Else, scope);
        }
    }

    private object? Optional(JinjaExpression? expression, JinjaScope scope) => expression is null ? null : Value(expression, scope);

    private bool Compare(ComparisonExpression comparison, JinjaScope scope)
    {
        object? left = Value(comparison.First, scope);
        foreach (var (op, operand) in comparison.Rest)
        {
            object? right = Value(operand, scope);
            if (!JinjaOperators.Compare(op, left, right, budget))
                return false;
            left = right;
        }

        return true;
    }

    // a.b: the method first, then the item; a['b'] the other way round, as Jinja2 does.
    private object? Attribute(object? of, string name) => of is JinjaLoop loop ? loop.Of(name)
        : (object?)JinjaMethods.Find(of, name, budget) ?? JinjaOperators.Item(of, name, budget);

    private object? Subscript(object? of, object? key)
    {
        if (of is JinjaLoop loop && key is string part)
            return loop.Of(part);
        object? value = JinjaOperators.Item(of, key, budget);
        return value is JinjaUndefined && key is string name ? JinjaMethods.Find(of, name, budget) ?? value : value;
    }

    private object? Call(CallExpression call, JinjaScope scope, JinjaFunction? caller)
    {
        object? callee = Value(call.Function, scope);
        if (callee is not JinjaFunction function)
            throw new JinjaError($"{JinjaText.Kind(callee)} was called{(call.Function is NameExpression name ? $" as '{name.Name}'" : call.Function is AttributeExpression attribute ? $" as '{attribute.Name}'" : "")}; only functions, methods and macros can be");
        var arguments = Arguments(function.Name, call.Arguments, call.Named, scope);
        if (caller is not null)
            arguments = new JinjaArguments(function.Name, arguments.Positional, new Dictionary<string, object?>(arguments.Named, StringComparer.Ordinal) { ["caller"] = caller });
        return function.Call(arguments);
    }

    private JinjaArguments Arguments(string callee, IReadOnlyList<JinjaExpression> positional, IReadOnlyDictionary<string, JinjaExpression> named, JinjaScope scope) =>
        new(callee, Values(positional, scope), named.ToDictionary(item => item.Key, item => Value(item.Value, scope), StringComparer.Ordinal));

    private object?[] Values(IReadOnlyList<JinjaExpression> expressions, JinjaScope scope)
    {
        var values = new object?[expressions.Count];
        for (int i = 0; i < values.Length; i++)
            values[i] = Value(expressions[i], scope);
        return values;
    }

    private JinjaFunction Macro(MacroStatement macro, JinjaScope scope) => new(macro.Name, arguments =>
    {
        var inner = new JinjaScope(scope);
        if (arguments.Positional.Count > macro.Parameters.Count)
            throw new JinjaError($"the macro '{macro.Name}' got {arguments.Positional.Count} arguments; it takes {macro.Parameters.Count}");
        for (int i = 0; i < macro.Parameters.Count; i++)
        {
            string name = macro.Parameters[i];
            inner.Set(name, arguments.Has(i, name) ? arguments.Of(i, name) : macro.Defaults.TryGetValue(name, out var otherwise) ? Value(otherwise, inner) : new JinjaUndefined(name));
        }

        foreach (string name in arguments.Named.Keys)
        {
            if (name == "caller")
                inner.Set(name, arguments.Named[name]);
            else if (!macro.Parameters.Contains(name))
                throw new JinjaError($"the macro '{macro.Name}' has no parameter '{name}'.{NearestName.Hint(name, macro.Parameters)}");
        }

        int line = _line;
        string text = Captured(macro.Body, inner);
        _line = line;
        return text;
    });

    private string Captured(IReadOnlyList<JinjaStatement> body, JinjaScope scope)
    {
        var outer = _output;
        _output = new StringBuilder();
        Run(body, scope);
        string text = _output.ToString();
        _output = outer;
        return text;
    }

    private void Print(string text)
    {
        budget.Printed(_output.Length, text.Length);
        _output.Append(text);
    }

    private JinjaNamespace Namespace(JinjaArguments arguments)
    {
        var names = new JinjaNamespace();
        foreach (object? given in arguments.Positional)
        {
            foreach (var (key, value) in (given as JinjaMap ?? throw new JinjaError($"'namespace' got {JinjaText.Kind(given)}; a mapping or named values were needed")).Items)
                names.Attributes[JinjaText.Of(key, budget)] = value;
        }

        foreach (var (name, value) in arguments.Named)
            names.Attributes[name] = value;
        return names;
    }

    private JinjaList Range(JinjaArguments arguments)
    {
        long first = arguments.Integer(0, "start"), start = arguments.Has(1, "stop") ? first : 0, stop = arguments.Has(1, "stop") ? arguments.Integer(1, "stop") : first, step = arguments.Integer(2, "step", 1);
        if (step == 0)
            throw new JinjaError("'range' got a step of 0");
        double count = Math.Max(0, Math.Ceiling(((double)stop - start) / step));
        budget.Items((long)Math.Min(count, JinjaBudget.MaxItems + 1));
        return new JinjaList([.. Enumerable.Range(0, (int)count).Select(i => (object?)(start + (i * step)))]);
    }

    private static JinjaMap Map(IReadOnlyDictionary<string, object?> named)
    {
        var map = new JinjaMap();
        foreach (var (name, value) in named)
            map[name] = value;
        return map;
    }
}

/// <summary>Variables, and those around them.</summary>
internal sealed class JinjaScope(JinjaScope? outer)
{
    private readonly Dictionary<string, object?> _variables = new(StringComparer.Ordinal);

    public void Set(string name, object? value) => _variables[name] = value;

    public object? Find(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
        {
            if (scope._variables.TryGetValue(name, out object? value))
                return value;
        }

        return new JinjaUndefined(name);
    }

    private JinjaScope? Outer => outer;
}

/// <summary>The variable <c>loop</c>.</summary>
internal sealed class JinjaLoop(IReadOnlyList<object?> items, int at, Func<JinjaArguments, object?> cycle, Func<JinjaArguments, object?> changed)
{
    public object? Of(string name) => name switch
    {
        "index" => at + 1L,
        "index0" => (long)at,
        "revindex" => (long)(items.Count - at),
        "revindex0" => (long)(items.Count - at - 1),
        "first" => at == 0,
        "last" => at == items.Count - 1,
        "length" => (long)items.Count,
        "previtem" => at > 0 ? items[at - 1] : new JinjaUndefined("loop.previtem"),
        "nextitem" => at < items.Count - 1 ? items[at + 1] : new JinjaUndefined("loop.nextitem"),
        "depth" => 1L, // counts recursive loops only
        "depth0" => 0L,
        "cycle" => new JinjaFunction("loop.cycle", cycle),
        "changed" => new JinjaFunction("loop.changed", changed),
        _ => new JinjaUndefined($"loop.{name}"),
    };
}
