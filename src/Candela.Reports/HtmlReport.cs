using Candela.Data;
using Candela.Experiments;
using Candela.Reports.Sections;
using Candela.Runs;

namespace Candela.Reports;

/// <summary>A run's record as one self-contained HTML page: no script, no external resource, light and dark, phone, desk and paper. It is well-formed XML too.
/// Everything that comes from data or users is encoded, and a content security policy forbids what is not styled text and drawing.</summary>
public static class HtmlReport
{
    /// <summary>The page. Absent parts of the record are left out. Cost: a few milliseconds; typically 60 to 300 KB.</summary>
    public static string Render(RunRecord run)
    {
        Section[] sections =
        [
            new("findings", "Worth knowing", Quality.Warnings(run)),
            new("samples", run.Problem.Task == TaskKind.LanguageModel ? "What it writes" : "Examples", SampleSection.Render(run)),
            new("metrics", "Metrics", Quality.Metrics(run)),
            new("candidates", "Models compared", Quality.Candidates(run)),
            new("cross-validation", "Cross-validation", Quality.CrossValidation(run)),
            new("training", "Training", Quality.Training(run)),
            new("confusion", "Confusion", TestPlots.Confusion(run)),
            new("curves", "Curves and calibration", TestPlots.Curves(run)),
            new("residuals", "Residuals", TestPlots.Residuals(run)),
            new("importance", "What the model uses", Quality.Importance(run)),
            new("data", "Data", DataSection.Render(run)),
            new("model", "The model", Provenance.Model(run)),
            new("cost", "Cost", Provenance.Cost(run)),
            new("reproduce", "Repeat this run", Provenance.Reproduce(run)),
        ];
        var (contents, body) = (new Markup(), new Markup());
        foreach (Section section in sections.Where(s => s.Content is not null))
        {
            contents.Add($"""<li><a href="#{section.Id}">{section.Title}</a></li>""");
            body.Add($"""
                <section class="part" id="{section.Id}" aria-labelledby="{section.Id}-title"><h2 id="{section.Id}-title">{section.Title}</h2>{section.Content}</section>

                """);
        }

        return Markup.Of($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta name="color-scheme" content="light dark"/>
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
            <title>{run.Problem.Target} with {run.Model} – {run.Name}</title>
            <style>{new Markup().AddConstant(ReportStyle.Css)}</style>
            </head>
            <body>
            <a class="skip" href="#main">Skip to the results</a>
            <div class="page">
            <main id="main">
            {Headline.Render(run)}
            <nav aria-label="Contents"><ul>{contents}</ul></nav>
            {body}
            </main>
            <footer><p>Written by Candela {run.Versions.GetValueOrDefault("candela")}. Intervals are 95 %: bootstrap over {Resampled(run.Problem.Task)} unless it says otherwise.</p></footer>
            </div>
            </body>
            </html>

            """).ToString();
    }

    // What the bootstrap draws with replacement.
    private static string Resampled(TaskKind task) => task switch
    {
        TaskKind.LanguageModel or TaskKind.MaskedLanguageModel => "blocks of text",
        TaskKind.Forecast => "blocks of forecasts",
        _ => SequenceTasks.IdOf(task) is null ? "test rows" : TaskTerms.Examples(task),
    };

    /// <summary>Reads run.json in <paramref name="folder"/> and writes report.html beside it, atomically.</summary>
    /// <exception cref="FileFormatException">There is no finished run.</exception>
    public static void Write(string folder) => Write(new RunFolder(folder).ReadRecord(), folder);

    /// <summary>Writes report.html of a record into <paramref name="folder"/>, atomically.</summary>
    public static void Write(RunRecord run, string folder) => AtomicFile.WriteText(new RunFolder(folder).Report, Render(run));
}
