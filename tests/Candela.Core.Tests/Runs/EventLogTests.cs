using System.Text;
using Candela.Models;
using Candela.Runs;

namespace Candela.Tests.Runs;

public class EventLogTests
{
    private static readonly TrainEvent[] Events =
    [
        new StageStarted("reading \"a\"\nb"),
        new FamilyStarted("mlp", "inner fold 2 of 5", 3, 12),
        new StepEnded(100, 1, 0.25, 0.1 + 0.2, double.NaN, 1e-3, double.PositiveInfinity),
        new EpochEnded(1, 100, 0.5, null, 0.9, 1e-3, 12.5),
        new Warned("no-seed", "中文"),
    ];

    [Fact]
    public void Report_EveryKindOfEvent_IsReadBackEqual()
    {
        using var folder = new TemporaryFolder();
        using (var log = new EventLog(folder.File("events.jsonl")))
            foreach (var item in Events)
                log.Report(item);
        var content = EventLog.Read(folder.File("events.jsonl"));
        Assert.Null(content.TornLine);
        Assert.Equal(Events, content.Events.Select(e => e.Event));
        Assert.All(content.Events, e => Assert.InRange(e.Time.Year, 2025, 2200));
        Assert.All(File.ReadAllLines(folder.File("events.jsonl")), line => Assert.StartsWith("{\"type\":\"", line, StringComparison.Ordinal));
    }

    [Fact]
    public void Report_InAnotherCulture_WritesTheSameTime()
    {
        var before = System.Globalization.CultureInfo.CurrentCulture;
        using var folder = new TemporaryFolder();
        try
        {
            // As in Finland; built here because the process may know no culture but the invariant one.
            var other = (System.Globalization.CultureInfo)System.Globalization.CultureInfo.InvariantCulture.Clone();
            (other.DateTimeFormat.TimeSeparator, other.NumberFormat.NumberDecimalSeparator) = (".", ",");
            System.Globalization.CultureInfo.CurrentCulture = other;
            using (var log = new EventLog(folder.File("events.jsonl")))
                log.Report(Events[0]);
            Assert.Matches("\"time\":\"20\\d\\d-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d\\d\\dZ\"", File.ReadAllText(folder.File("events.jsonl")));
        }
        finally
        {
            System.Globalization.CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Read_CutAtEveryByte_GivesTheWholeLinesAndReportsTheTornOne()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("events.jsonl");
        using (var log = new EventLog(path))
            foreach (var item in Events)
                log.Report(item);
        byte[] all = File.ReadAllBytes(path);
        for (int length = 0; length <= all.Length; length++)
        {
            File.WriteAllBytes(path, all[..length]);
            int whole = all.AsSpan(0, length).Count((byte)'\n');
            var content = EventLog.Read(path);
            Assert.Equal(Events[..whole], content.Events.Select(e => e.Event));
            Assert.Equal(length > 0 && all[length - 1] != '\n', content.TornLine is not null);

            using (var log = new EventLog(path))
                log.Report(Events[0]);
            Assert.Equal([.. Events[..whole], Events[0]], EventLog.Read(path).Events.Select(e => e.Event));
        }
    }

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("{\"type\":\"stage\",\"stage\":\"a\"}\n")]
    [InlineData("{\"type\":\"unknown\",\"time\":\"2026-01-01T00:00:00Z\"}\n")]
    [InlineData("[]\n")]
    [InlineData("{\n")]
    public void Read_WholeLineThatIsNoEvent_IsRefusedWithItsNumber(string line)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("e"), line, new UTF8Encoding(false));
        Assert.Contains("line 1", Assert.Throws<FileFormatException>(() => EventLog.Read(folder.File("e"))).Message, StringComparison.Ordinal);
    }
}
