using System.Diagnostics;
using System.Globalization;

namespace Candela.Benchmarks;

/// <summary>Two ways of doing the same work, timed in turn (A B A B ...), so that a machine whose speed drifts slows both.</summary>
internal static class Paired
{
    public const int Pairs = 7;

    /// <summary>Prints the head of the table.</summary>
    public static void Head()
    {
        Console.WriteLine("| training step | plain TorchSharp, steps/s | Candela, steps/s | ratio | range | ratio of processor time |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- |");
    }

    /// <summary>Runs both once untimed, then <see cref="Pairs"/> pairs, and prints a Markdown row: steps per second of each (medians), the median, lowest and highest ratio of wall
    /// times, and the median ratio of processor times, which also holds on a busy machine (with one thread; with more, waiting threads count too).</summary>
    public static void Row(string name, int steps, Action<int> plain, Action<int> ours)
    {
        plain(Math.Max(1, steps / 4));
        ours(Math.Max(1, steps / 4));
        Cost[] slow = new Cost[Pairs], fast = new Cost[Pairs];
        for (int pair = 0; pair < Pairs; pair++)
        {
            slow[pair] = Measure(() => plain(steps));
            fast[pair] = Measure(() => ours(steps));
        }

        double[] ratios = [.. slow.Zip(fast, (a, b) => a.Wall / b.Wall).Order()], work = [.. slow.Zip(fast, (a, b) => a.Processor / b.Processor)];
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {steps / Median([.. slow.Select(c => c.Wall)]):F0} | {steps / Median([.. fast.Select(c => c.Wall)]):F0} | {Median(ratios):F2} | {ratios[0]:F2} .. {ratios[^1]:F2} | {Median(work):F2} |"));
    }

    private readonly record struct Cost(double Wall, double Processor);

    private static Cost Measure(Action work)
    {
        TimeSpan used = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        work();
        return new Cost(Stopwatch.GetElapsedTime(start).TotalSeconds, Math.Max(1e-6, (Environment.CpuUsage.TotalTime - used).TotalSeconds));
    }

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
