namespace Candela.Templates;

/// <summary>What may stand after <c>is</c>.</summary>
internal static class JinjaTests
{
    public static readonly string[] Names =
    [
        "defined", "undefined", "none", "string", "mapping", "iterable", "sequence", "number", "integer", "float", "boolean", "true", "false", "callable", "lower", "upper", "odd", "even",
        "divisibleby", "equalto", "eq", "ne", "sameas", "in", "lt", "le", "gt", "ge", "lessthan", "greaterthan",
    ];

    private static readonly HashSet<string> Known = new(Names, StringComparer.Ordinal);

    public static bool Exists(string name) => Known.Contains(name);

    public static bool Holds(string name, object? value, IReadOnlyList<object?> arguments, JinjaBudget budget)
    {
        object? Argument() => arguments.Count == 1 ? arguments[0] : throw new JinjaError($"the test '{name}' got {arguments.Count} arguments; 1 was needed");
        return name switch
        {
            "defined" => value is not JinjaUndefined,
            "undefined" => value is JinjaUndefined,
            "none" => value is null,
            "string" => value is string,
            "mapping" => value is JinjaMap,
            "iterable" => value is string or JinjaList or JinjaMap or JinjaUndefined,
            "sequence" => value is string or JinjaList or JinjaMap or JinjaUndefined,
            "number" => value is long or double or bool,
            "integer" => value is long,
            "float" => value is double,
            "boolean" => value is bool,
            "true" => value is true,
            "false" => value is false,
            "callable" => value is JinjaFunction,
            "lower" => JinjaText.Of(value, budget) is var text && text.Any(char.IsLower) && !text.Any(char.IsUpper),
            "upper" => JinjaText.Of(value, budget) is var text && text.Any(char.IsUpper) && !text.Any(char.IsLower),
            "odd" => JinjaText.Same(JinjaOperators.Binary("%", value, 2L, budget), 1L, budget),
            "even" => JinjaText.Same(JinjaOperators.Binary("%", value, 2L, budget), 0L, budget),
            "divisibleby" => JinjaText.Same(JinjaOperators.Binary("%", value, Argument(), budget), 0L, budget),
            "equalto" or "eq" => JinjaText.Same(value, Argument(), budget),
            "ne" => !JinjaText.Same(value, Argument(), budget),
            "sameas" => ReferenceEquals(value, Argument()) || (value is bool or long or null && Equals(value, Argument())),
            "in" => JinjaOperators.Contains(Argument(), value, budget),
            "lt" or "lessthan" => JinjaText.Compare(value, Argument(), budget) < 0,
            "le" => JinjaText.Compare(value, Argument(), budget) <= 0,
            "gt" or "greaterthan" => JinjaText.Compare(value, Argument(), budget) > 0,
            _ => JinjaText.Compare(value, Argument(), budget) >= 0,
        };
    }
}
