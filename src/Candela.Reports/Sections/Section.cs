namespace Candela.Reports.Sections;

/// <summary>A part of the page; left out, with its entry in the contents, when it has nothing to show.</summary>
internal sealed record Section(string Id, string Title, Markup? Content)
{
    public static Markup Table(string caption, Markup head, Markup body, string style = "", int columns = 0)
        => Markup.Of($"""<div class="scroll"><table class="{style}"{(columns > 0 ? Markup.Of($" style=\"--n:{columns}\"") : null)}><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>""");

    /// <summary>A sentence of ours in which `backticks` mark code.</summary>
    public static Markup Prose(string sentence)
    {
        var prose = new Markup();
        string[] parts = sentence.Split('`');
        for (int i = 0; i < parts.Length; i++)
            prose.Add(i % 2 == 1 && i < parts.Length - 1 ? Markup.Of($"<code>{parts[i]}</code>") : Markup.Of($"{(i % 2 == 1 ? "`" : "")}{parts[i]}"));
        return prose;
    }

    public static Markup Name(string name, int length = 48) => Markup.Of($"""<span class="name"{(name.Length > length ? Markup.Of($" title=\"{name}\"") : null)}>{Figures.Clip(name, length)}</span>""");
}
