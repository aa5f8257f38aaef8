using Candela.Data;
using Candela.Runs;

namespace Candela.Reports.Sections;

/// <summary>What the model makes of a few inputs; of a language model, what it writes.</summary>
internal static class SampleSection
{
    public static Markup? Render(RunRecord run)
    {
        if (run.Samples.Count == 0)
            return null;
        var content = new Markup();
        foreach (SampleRecord sample in run.Samples)
        {
            string from = sample.Input.Length > 0 ? "Given" : run.Problem.Task == TaskKind.LanguageModel ? "Written from nothing" : "Given nothing";
            content.Add($"""<figure class="sample"><figcaption>{from}</figcaption>{Text(sample.Input)}{(sample.Input.Length > 0 ? Markup.Of($"<p>the model gives</p>") : null)}{Text(sample.Output.Length > 0 ? sample.Output : "(nothing)")}{(sample.Expected is { } expected ? Markup.Of($"<p>the data has</p>{Text(expected)}") : null)}</figure>""");
        }

        Markup? note = run.Problem.Task == TaskKind.LanguageModel
            ? Markup.Of($"""<p class="note">One draw of the finished model with the run's seed, not picked from several; another seed gives another text. More of it: <code>candela generate {run.Name} --prompt TEXT</code> (with the path of this folder).</p>""") : null;
        return Markup.Of($"{content}{note}");
    }

    private static Markup? Text(string text) => text.Length == 0 ? null : Markup.Of($"""<pre tabindex="0">{text.ReplaceLineEndings("\n").TrimEnd()}</pre>""");
}
