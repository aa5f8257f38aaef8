namespace Candela.Cli.Options;

/// <summary>Turns the text of a flag into a value, or says what was received and what was needed.</summary>
internal static class FlagText
{
    public static string OneOf(string flag, string text, params ReadOnlySpan<string> allowed)
    {
        foreach (string name in allowed)
            if (name.Equals(text, StringComparison.OrdinalIgnoreCase))
                return name;
        string[] names = allowed.ToArray();
        throw new UsageException($"{flag} got '{text}'.{NearestName.Hint(text, names)} It needs one of: {string.Join(", ", names)}.");
    }
}
