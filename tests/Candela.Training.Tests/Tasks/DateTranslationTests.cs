using System.Globalization;
using Candela.Experiments;
using Candela.Models;
using Candela.Runs;
using Candela.Training.Tasks;

namespace Candela.Training.Tests.Tasks;

/// <summary>The toy translation of dates as people write them ("14 March 2019", "Mar 14, 19", "14.03.2019") into "2019-03-14": held-out dates exactly, at least 99 of 100.
/// In the slow tier, CANDELA_SLOW=1; its fast twin is the spelled numbers of <see cref="TextToTextTests"/>.</summary>
public sealed class DateTranslationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("candela-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("gru")]
    [InlineData("lstm")]
    [InlineData("transformer")]
    [Trait("Kind", "analytic")]
    public void Train_OnDates_TranslatesHeldOutOnesExactly(string model)
    {
        if (Environment.GetEnvironmentVariable("CANDELA_SLOW") != "1")
            return;
        string data = Path.Combine(_folder, "dates.tsv");
        File.WriteAllLines(data, Dates(6000).Prepend("source\ttarget"));
        var request = new TrainRequest { Data = data, Task = SequenceTasks.Translation, Model = model, Fit = new FitOptions { Seed = 1, Epochs = model == "transformer" ? 20 : 6, Threads = 1 } };
        RunRecord record = SequenceExperiment.Train(request, Path.Combine(_folder, "run"), [new TranslationTask()], cancellation: TestContext.Current.CancellationToken);
        TestContext.Current.SendDiagnosticMessage($"{model}: exact match {record.Metrics["test"].Metrics["exactMatch"]} of {record.Rows["test"]}, {record.Seconds:F0} s");
        Assert.True(record.Metrics["test"].Metrics["exactMatch"].Value >= 0.99, $"exact match {record.Metrics["test"].Metrics["exactMatch"].Value}");
    }

    // Different spellings of days from 1950 to 2049, in the order of a seeded generator; two digits of a year mean that span.
    private static IEnumerable<string> Dates(int count)
    {
        var rng = new Rng(14);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var first = new DateTime(1950, 1, 1);
        int days = (new DateTime(2050, 1, 1) - first).Days;
        string[] forms = ["d MMMM yyyy", "MMM d, yy", "dd.MM.yyyy", "MMMM d, yyyy", "d/MMM/yyyy"];
        while (seen.Count < count)
        {
            DateTime day = first.AddDays(rng.Next(days));
            string text = day.ToString(forms[rng.Next(forms.Length)], CultureInfo.InvariantCulture);
            if (seen.Add(text))
                yield return $"{text}\t{day:yyyy-MM-dd}";
        }
    }
}
