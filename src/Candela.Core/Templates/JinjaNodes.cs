namespace Candela.Templates;

/// <summary>A statement of a template.</summary>
internal abstract record JinjaStatement(int Line);

internal sealed record TextStatement(string Text, int Line) : JinjaStatement(Line);

internal sealed record PrintStatement(JinjaExpression Value, int Line) : JinjaStatement(Line);

internal sealed record IfStatement(JinjaExpression Condition, IReadOnlyList<JinjaStatement> Then, IReadOnlyList<JinjaStatement> Else, int Line) : JinjaStatement(Line);

internal sealed record ForStatement(IReadOnlyList<string> Names, JinjaExpression Items, JinjaExpression? Where, IReadOnlyList<JinjaStatement> Body, IReadOnlyList<JinjaStatement> Else, int Line) : JinjaStatement(Line);

internal sealed record LeaveStatement(bool Break, int Line) : JinjaStatement(Line);

/// <summary><c>set a = x</c>, <c>set a, b = x</c>, <c>set ns.a = x</c>.</summary>
internal sealed record SetStatement(IReadOnlyList<string> Names, string? Attribute, JinjaExpression Value, int Line) : JinjaStatement(Line);

/// <summary><c>set a</c> or <c>filter f</c> with a body, whose text is the value.</summary>
internal sealed record BlockStatement(string? Name, string? Attribute, IReadOnlyList<JinjaStatement> Body, IReadOnlyList<FilterExpression> Filters, int Line) : JinjaStatement(Line);

internal sealed record MacroStatement(string Name, IReadOnlyList<string> Parameters, IReadOnlyDictionary<string, JinjaExpression> Defaults, IReadOnlyList<JinjaStatement> Body, int Line) : JinjaStatement(Line);

/// <summary><c>call m(...)</c> with a body, which the macro prints as <c>caller()</c>.</summary>
internal sealed record CallStatement(CallExpression Call, MacroStatement Caller, int Line) : JinjaStatement(Line);

/// <summary>A body in a scope of its own: <c>with</c>, <c>generation</c>.</summary>
internal sealed record ScopeStatement(IReadOnlyList<SetStatement> Sets, IReadOnlyList<JinjaStatement> Body, int Line) : JinjaStatement(Line);

/// <summary>An expression of a template.</summary>
internal abstract record JinjaExpression(int Line);

internal sealed record ConstantExpression(object? Value, int Line) : JinjaExpression(Line);

internal sealed record NameExpression(string Name, int Line) : JinjaExpression(Line);

internal sealed record ListExpression(IReadOnlyList<JinjaExpression> Items, bool Tuple, int Line) : JinjaExpression(Line);

internal sealed record MapExpression(IReadOnlyList<KeyValuePair<JinjaExpression, JinjaExpression>> Items, int Line) : JinjaExpression(Line);

internal sealed record AttributeExpression(JinjaExpression Of, string Name, int Line) : JinjaExpression(Line);

internal sealed record ItemExpression(JinjaExpression Of, JinjaExpression Key, int Line) : JinjaExpression(Line);

internal sealed record SliceExpression(JinjaExpression Of, JinjaExpression? From, JinjaExpression? To, JinjaExpression? Step, int Line) : JinjaExpression(Line);

internal sealed record CallExpression(JinjaExpression Function, IReadOnlyList<JinjaExpression> Arguments, IReadOnlyDictionary<string, JinjaExpression> Named, int Line) : JinjaExpression(Line);

/// <summary><c>of | name(arguments)</c>; <see cref="Of"/> is null in a filter block.</summary>
internal sealed record FilterExpression(JinjaExpression? Of, string Name, IReadOnlyList<JinjaExpression> Arguments, IReadOnlyDictionary<string, JinjaExpression> Named, int Line) : JinjaExpression(Line);

internal sealed record TestExpression(JinjaExpression Of, string Name, IReadOnlyList<JinjaExpression> Arguments, bool Not, int Line) : JinjaExpression(Line);

internal sealed record UnaryExpression(string Operator, JinjaExpression Operand, int Line) : JinjaExpression(Line);

internal sealed record BinaryExpression(string Operator, JinjaExpression Left, JinjaExpression Right, int Line) : JinjaExpression(Line);

/// <summary><c>a &lt; b &lt; c</c>.</summary>
internal sealed record ComparisonExpression(JinjaExpression First, IReadOnlyList<KeyValuePair<string, JinjaExpression>> Rest, int Line) : JinjaExpression(Line);

internal sealed record ConditionalExpression(JinjaExpression Then, JinjaExpression Condition, JinjaExpression? Else, int Line) : JinjaExpression(Line);
