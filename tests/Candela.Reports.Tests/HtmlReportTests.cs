using System.Text.RegularExpressions;
using System.Xml.Linq;
using Candela.Data;
using Candela.Evaluation;
using Candela.Models;
using Candela.Runs;

namespace Candela.Reports.Tests;

public sealed class HtmlReportTests : IDisposable
{
    private const string Hostile = "<script>alert('x')</script>\"&amp;\u0000\u202E\uD800]]>";
    private readonly string _folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    public static TheoryData<string> Kinds => ["binary", "multiclass", "many classes", "regression", "bare"];

    public void Dispose()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Render_EveryStopReason_HasASentenceOfItsOwn()
    {
        string[] pages = [.. Enum.GetValues<StopReason>().Select(reason => HtmlReport.Render(Run("binary") with { StopReason = reason }))];
        Assert.Equal(pages.Length, pages.Distinct().Count());
        Assert.Single(pages, p => p.Contains("the solution is exact", StringComparison.Ordinal));
        Assert.Throws<ArgumentOutOfRangeException>(() => HtmlReport.Render(Run("binary") with { StopReason = (StopReason)99 }));
    }

    [Theory, Trait("Kind", "conformance")]
    [MemberData(nameof(Kinds))]
    public void Render_EveryKindOfRun_IsWellFormedAndSelfContained(string kind)
    {
        string html = HtmlReport.Render(Run(kind));
        XElement page = Parse(html);
        Assert.Equal("html", page.Name.LocalName);
        Assert.DoesNotContain(page.Descendants(), e => e.Name.LocalName is "script" or "link" or "img" or "iframe");
        Assert.DoesNotMatch(@"(src|href)=""(?!#)", html);
        Assert.DoesNotMatch(@"url\(|@import", html);
        Assert.DoesNotContain("NaN", html, StringComparison.Ordinal);
        // Every entry of the contents leads to a section with that id, ids are unique, pictures have a text.
        string[] ids = [.. page.Descendants().Select(e => (string?)e.Attribute("id")).OfType<string>()];
        Assert.Equal(ids.Distinct(), ids);
        Assert.All(page.Descendants("a"), a => Assert.Contains(a.Attribute("href")!.Value[1..], ids));
        Assert.All(page.Descendants("svg"), svg => Assert.True(svg.Attribute("aria-label") is not null || svg.Attribute("aria-hidden") is not null));
        Assert.All(page.Descendants("table"), table => Assert.NotEmpty(table.Element("caption")!.Value));
        Assert.Single(page.Descendants("h1"));
    }

    [Theory, Trait("Kind", "conformance")]
    [MemberData(nameof(Kinds))]
    public void Render_EveryTable_HasAsManyCellsInEachRowAsInItsHead(string kind)
    {
        foreach (XElement table in Parse(HtmlReport.Render(Run(kind))).Descendants("table"))
        {
            int columns = table.Element("thead")!.Element("tr")!.Elements().Count();
            Assert.All(table.Element("tbody")!.Elements("tr"), row => Assert.Equal(columns, row.Elements().Count()));
        }
    }

    [Theory, Trait("Kind", "conformance")]
    [MemberData(nameof(Kinds))]
    public void Render_EveryDrawing_StaysInsideItsFrame(string kind)
    {
        foreach (XElement svg in Parse(HtmlReport.Render(Run(kind))).Descendants("svg").Where(s => (string?)s.Attribute("viewBox") == "0 0 360 260"))
        {
            foreach (XElement path in svg.Descendants("path"))
                foreach (Match point in Regex.Matches(path.Attribute("d")!.Value, @"[ML]([-\d.]+) ([-\d.]+)"))
                {
                    Assert.InRange(double.Parse(point.Groups[1].Value), 0, 360);
                    Assert.InRange(double.Parse(point.Groups[2].Value), 0, 260);
                }

            Assert.All(svg.Descendants("text"), t => Assert.InRange(double.Parse(t.Attribute("x")!.Value), 0, 360));
        }
    }

    [Fact, Trait("Kind", "golden")]
    public void Render_Binary_ShowsEveryNumberOfTheRecord()
    {
        RunRecord run = SampleRuns.Binary();
        string text = Parse(HtmlReport.Render(run)).Value;
        foreach (var (split, evaluation) in run.Metrics)
            foreach (var (name, metric) in evaluation.Metrics)
            {
                Assert.Contains(Four(metric.Value), text, StringComparison.Ordinal);
                Assert.True(text.Contains($"{Four(metric.Low)} to {Four(metric.High)}", StringComparison.Ordinal), $"{split} {name}");
            }

        string[] shown =
        [
            "3,100", "610 ms", "4.3 J", "15.2 J", "1.90 s", "63.7 J", "18.2 J to 182 J", "17.7 mWh", "243.8", "4.31 mg", "42", run.DataHash, "samples/data/cancer.csv", "learningRate",
            "worst concave points", "0.0820", "0.0710 to 0.0930", "569 rows, 3 of them duplicates", "62.7 %", "leak-copy-of-target", "the validation score had stopped rising", "not tried: needs images", "trees are not written to ONNX",
        ];
        string plain = text.Replace('\u00A0', ' ');
        Assert.All(shown, s => Assert.Contains(s, plain, StringComparison.Ordinal));
        for (int i = 0; i < 2; i++)
            for (int j = 0; j < 2; j++)
                Assert.Contains(run.Metrics["test"].Confusion![i][j].ToString(), text, StringComparison.Ordinal);
        Assert.All(run.CrossValidation!.PerFold["accuracy"], v => Assert.Contains(Four(v), text, StringComparison.Ordinal));
    }

    [Fact, Trait("Kind", "golden")]
    public void Render_Regression_ShowsErrorsInTheTargetsUnitAndNoClassParts()
    {
        RunRecord run = SampleRuns.Regression();
        XElement page = Parse(HtmlReport.Render(run));
        Assert.Contains(run.Metrics["test"].Metrics["rmse"].Value.ToString("N0"), page.Value, StringComparison.Ordinal);
        Assert.Contains("Residuals", page.Value, StringComparison.Ordinal);
        Assert.DoesNotContain("Confusion", page.Value, StringComparison.Ordinal);
        Assert.DoesNotContain("ROC", page.Value, StringComparison.Ordinal);
        // two scatter plots of the 1,000 sampled rows
        Assert.Equal(2_000, page.Descendants("circle").Count(c => (string?)c.Attribute("class") == "mark"));
    }

    [Fact, Trait("Kind", "fault")]
    public void Render_HostileNames_AreTextEverywhere()
    {
        RunRecord run = SampleRuns.Binary();
        var problem = new Problem(TaskKind.Binary, Hostile, [Hostile, Hostile + "2"]);
        run = run with
        {
            Name = Hostile,
            Problem = problem,
            Data = Hostile,
            Model = Hostile,
            ModelReason = Hostile,
            Summary = Hostile,
            NotExportable = Hostile,
            Versions = new Dictionary<string, string> { [Hostile] = Hostile },
            Chosen = new Dictionary<string, string> { [Hostile] = Hostile },
            Rows = new Dictionary<string, long> { [Hostile] = 4 },
            Metrics = run.Metrics.ToDictionary(m => m.Key, m => m.Value with { Classes = [.. m.Value.Classes!.Select(c => c with { Name = Hostile })], Roc = [.. m.Value.Roc!.Select(c => c with { Name = Hostile })] }),
            Baseline = run.Baseline with { Prediction = Hostile },
            Candidates = [.. run.Candidates.Select(c => c with { Model = Hostile, Note = Hostile })],
            Importance = [new ColumnImportance(Hostile, 0.1, 0, 0.2), new ColumnImportance(Hostile, 0.1, 0, 0.2)],
            Profile = new DataProfile(3, 0, [new ColumnProfile(Hostile, ColumnKind.Category, 0) { Note = Hostile, Top = [new NameCount(Hostile, 3)] }, new ColumnProfile(Hostile, ColumnKind.Number, 0) { Min = 0, Max = 1, Histogram = [1, 2] }], [new Finding(Hostile, Hostile, [Hostile], true)]),
            Warnings = [new Warned(Hostile, Hostile)],
            Carbon = new CarbonRecord(Hostile, 1, 1),
            Energy = run.Energy with { Method = Hostile },
        };
        string html = HtmlReport.Render(run);
        XElement page = Parse(html);
        Assert.Empty(page.Descendants("script"));
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;amp;", html, StringComparison.Ordinal);
        Assert.DoesNotContain('\0', html);
        Assert.DoesNotContain(page.DescendantsAndSelf().Attributes(), a => a.Name.LocalName.StartsWith("on", StringComparison.OrdinalIgnoreCase));
    }

    [Fact, Trait("Kind", "property")]
    public void Render_NumbersThatAreNotFinite_AreDrawnAround()
    {
        RunRecord run = SampleRuns.Binary();
        run = run with
        {
            History = [.. run.History.Select((h, i) => i % 3 == 0 ? h with { TrainLoss = double.NaN, ValidLoss = double.PositiveInfinity } : h)],
            Profile = run.Profile with { Columns = [new ColumnProfile("c", ColumnKind.Number, 5) { Mean = double.NaN, Min = double.NaN, Max = double.NaN, Histogram = [0, 0] }] },
        };
        string html = HtmlReport.Render(run);
        Parse(html);
        Assert.DoesNotMatch(@"=""[^""]*(NaN|Infinity|∞)", html);
    }

    [Fact, Trait("Kind", "property")]
    public void Render_ThousandColumns_StaysSmall()
    {
        RunRecord run = SampleRuns.Bare();
        ColumnProfile[] columns = [.. Enumerable.Range(0, 1_000).Select(i => new ColumnProfile($"pixel{i}", ColumnKind.Integer, 0) { Distinct = 256, Mean = 33, Min = 0, Max = 255, Histogram = [.. Enumerable.Repeat(5L, 20)] })];
        string html = HtmlReport.Render(run with { Profile = new DataProfile(100, 0, columns, []) });
        Assert.Contains("952 more columns", html, StringComparison.Ordinal);
        Assert.Contains("pixel999", html, StringComparison.Ordinal);
        Assert.True(html.Length < 600_000, $"{html.Length} characters");
    }

    [Fact, Trait("Kind", "conformance")]
    public void Write_Folder_PutsTheRenderedPageThere()
    {
        Directory.CreateDirectory(_folder);
        RunRecord run = SampleRuns.Bare();
        HtmlReport.Write(run, _folder);
        Assert.Equal(HtmlReport.Render(run), File.ReadAllText(Path.Combine(_folder, "report.html")));
        Assert.Single(Directory.EnumerateFiles(_folder));
    }

    [Fact, Trait("Kind", "fault")]
    public void Write_FolderWithoutARun_IsRefused() => Assert.Throws<FileFormatException>(() => HtmlReport.Write(_folder));

    private static RunRecord Run(string kind) => kind switch
    {
        "binary" => SampleRuns.Binary(),
        "multiclass" => SampleRuns.Multiclass(),
        "many classes" => SampleRuns.ManyClasses(),
        "regression" => SampleRuns.Regression(),
        _ => SampleRuns.Bare(),
    };

    private static XElement Parse(string html)
    {
        const string Doctype = "<!DOCTYPE html>";
        Assert.StartsWith(Doctype, html, StringComparison.Ordinal);
        return XElement.Parse(html[Doctype.Length..]);
    }

    private static string Four(double value) => value.ToString("0.0000");
}
