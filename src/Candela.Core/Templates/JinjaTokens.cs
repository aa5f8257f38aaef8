namespace Candela.Templates;

/// <summary>A cursor over tokens.</summary>
internal sealed class JinjaTokens(List<JinjaToken> tokens)
{
    private int _at;

    public JinjaToken Current => tokens[_at];

    public JinjaToken Next => tokens[Math.Min(_at + 1, tokens.Count - 1)];

    public JinjaToken Take() => tokens[_at < tokens.Count - 1 ? _at++ : _at];

    public bool TakeOperator(string text)
    {
        bool there = Current.Is(text);
        if (there)
            _at++;
        return there;
    }

    public bool TakeName(string text)
    {
        bool there = Current.IsName(text);
        if (there)
            _at++;
        return there;
    }

    public string Name(string what) => Current.Kind == TokenKind.Name ? Take().Text : throw Error($"{what} was needed");

    public void ExpectOperator(string text)
    {
        if (!TakeOperator(text))
            throw Error($"'{text}' was needed");
    }

    public void Expect(TokenKind kind, string what)
    {
        if (Current.Kind != kind)
            throw Error($"{what} was needed");
        Take();
    }

    public JinjaError Error(string message) => new(
        $"{message}, near {Current.Kind switch { TokenKind.End => "the end of the template", TokenKind.BlockEnd => "'%}'", TokenKind.PrintEnd => "'}}'", TokenKind.Text => "text", _ => $"'{Current.Text}'" }}",
        JinjaFault.Syntax,
        Current.Line);
}
