using System.Globalization;
using System.Text;
using System.Text.Json;
using Candela.Models;

namespace Candela.Runs;

/// <summary>An event and when it was logged.</summary>
/// <param name="Time">When.</param>
/// <param name="Event">What.</param>
public sealed record LoggedEvent(DateTimeOffset Time, TrainEvent Event);

/// <summary>What events.jsonl holds.</summary>
/// <param name="Events">In the order they were logged.</param>
/// <param name="TornLine">The text of a last line that was cut short by a crash, or null. Nothing else is lost.</param>
public sealed record EventLogContent(IReadOnlyList<LoggedEvent> Events, string? TornLine);

/// <summary>events.jsonl: one JSON object per event and line, append-only. Each line names its kind in <c>type</c> (stage, family, step, epoch, warning) and its instant
/// in <c>time</c>; NaN and infinities are strings. A line reaches the operating system in one write. Safe from several threads.</summary>
public sealed class EventLog : IProgress<TrainEvent>, IDisposable
{
    private readonly FileStream _stream;
    private readonly TimeProvider _clock;
    private readonly Lock _gate = new();

    /// <summary>Opens or creates the log. A torn last line, left by a crash, is removed first.</summary>
    public EventLog(string path, TimeProvider? clock = null)
    {
        _clock = clock ?? TimeProvider.System;
        _stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        _stream.SetLength(EndOfLastLine(_stream));
        _stream.Seek(0, SeekOrigin.End);
    }

    /// <summary>Appends an event.</summary>
    public void Report(TrainEvent value) => Report(value, _clock.GetUtcNow());

    /// <summary>Appends an event that happened earlier.</summary>
    internal void Report(TrainEvent value, DateTimeOffset time)
    {
        string body = JsonSerializer.Serialize(value, EventJson.Default.TrainEvent);
        string line = string.Create(CultureInfo.InvariantCulture, $"{body[..^1]},\"time\":\"{time.UtcDateTime:yyyy-MM-ddTHH:mm:ss.fffZ}\"}}\n");
        lock (_gate)
            _stream.Write(Encoding.UTF8.GetBytes(line));
    }

    /// <summary>Reads a log. A last line without its end is reported in <see cref="EventLogContent.TornLine"/>, not an error.</summary>
    /// <exception cref="FileFormatException">The file is missing, or a line before the last is not an event.</exception>
    public static EventLogContent Read(string path)
    {
        string text;
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(stream, Encoding.UTF8);
            text = reader.ReadToEnd();
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FileFormatException(path, Fault.Missing, "the file does not exist.", error);
        }

        string[] lines = text.Split('\n');
        var events = new List<LoggedEvent>(lines.Length);
        for (int i = 0; i < lines.Length - 1; i++)
        {
            try
            {
                using var json = JsonDocument.Parse(lines[i]);
                var time = json.RootElement.GetProperty("time").GetDateTimeOffset();
                events.Add(new LoggedEvent(time, json.RootElement.Deserialize(EventJson.Default.TrainEvent)!));
            }
            catch (Exception error) when (error is JsonException or NotSupportedException or KeyNotFoundException or InvalidOperationException or FormatException)
            {
                throw new FileFormatException(path, Fault.Corrupt, $"line {i + 1} is not an event: {error.Message.ReplaceLineEndings(" ")}", error);
            }
        }

        return new EventLogContent(events, lines[^1].Length == 0 ? null : lines[^1]);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _stream.Dispose();

    private static long EndOfLastLine(FileStream stream)
    {
        var buffer = new byte[4096];
        for (long end = stream.Length; end > 0;)
        {
            long start = Math.Max(0, end - buffer.Length);
            stream.Seek(start, SeekOrigin.Begin);
            int count = (int)(end - start);
            stream.ReadExactly(buffer, 0, count);
            int newline = buffer.AsSpan(0, count).LastIndexOf((byte)'\n');
            if (newline >= 0)
                return start + newline + 1;
            end = start;
        }

        return 0;
    }
}
