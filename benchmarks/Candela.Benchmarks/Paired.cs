using System.Diagnostics;
using System.Globalization;

namespace Candela.Benchmarks;

/// <summary>Two ways of doing the same work, timed in turn (A B A B ...), so that a machine whose speed drifts slows both.</summary>
internal static class Paired
{
    public const int Pairs = 7;

    /// <summary>Runs both once untimed, then <see cref="Pairs"/> pairs, and prints a Markdown row: steps per second of each (medians) and the median, lowest and highest ratio.</summary>
    public static void Row(string name, int steps, Action<int> plain, Action<int> ours)
    {
        plain(Math.Max(1, steps / 4));
        ours(Math.Max(1, steps / 4));
        double[] slow = new double[Pairs], fast = new double[Pairs], ratios = new double[Pairs];
        for (int pair = 0; pair < Pairs; pair++)
        {
            slow[pair] = Seconds(() => plain(steps));
            fast[pair] = Seconds(() => ours(steps));
            ratios[pair] = slow[pair] / fast[pair];
        }

        Array.Sort(ratios);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {steps / Median(slow):F0} | {steps / Median(fast):F0} | {Median(ratios):F2} | {ratios[0]:F2} .. {ratios[^1]:F2} |"));
    }

    private static double Seconds(Action work)
    {
        long start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
