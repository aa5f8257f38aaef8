using System.Globalization;
using Candela.Models;
using Candela.Training;
using Candela.Training.Tasks;

namespace Candela.Benchmarks;

/// <summary>What recurrent nets remember: how far back a gradient reaches at the first weights, and the adding and copy problems at a length of 200, the plain net with the same budget.</summary>
internal static class RecurrentBenchmark
{
    private static readonly string[] Nets = ["lstm", "gru", "rnn"];
    private static readonly int[] Distances = [0, 10, 25, 50, 100, 200];

    /// <summary>Runs what is named: reach, adding, copy, and nets; everything when nothing is.</summary>
    public static int Run(IReadOnlyList<string> names)
    {
        LibTorch.Load();
        string[] nets = [.. Nets.Where(n => !names.Intersect(Nets).Any() || names.Contains(n))];
        bool all = !names.Except(Nets).Any();
        if (all || names.Contains("reach"))
            Reach(nets);
        foreach (LongRangeProblem problem in Enum.GetValues<LongRangeProblem>())
            if (all || names.Contains(problem.ToString().ToLowerInvariant()))
                Solve(problem, nets);
        return 0;
    }

    private static void Reach(string[] nets)
    {
        Console.WriteLine($"| gradient at the last input = 1, so many steps before: | {string.Join(" | ", Distances)} |");
        Console.WriteLine($"| --- |{string.Concat(Distances.Select(_ => " --- |"))}");
        foreach (string net in nets)
            foreach (int memory in net == "rnn" ? [0] : (int[])[0, 200])
                Console.WriteLine($"| {net}{(memory > 0 ? $", memory {memory}" : "")} | {string.Join(" | ", LongRangeTrial.GradientReach(net, Distances, memory: memory).Select(r => r.ToString("0.0e+0", CultureInfo.InvariantCulture)))} |");
    }

    private static void Solve(LongRangeProblem problem, string[] nets)
    {
        string error = problem == LongRangeProblem.Adding ? "mean squared error (always 1: 0.1667)" : "symbols recalled (guessing: 0.125)";
        Console.WriteLine($"| {problem.ToString().ToLowerInvariant()}, length 200 | {error} | steps | seconds |");
        Console.WriteLine("| --- | --- | --- | --- |");
        foreach (string net in nets)
        {
            LongRangeOutcome outcome = LongRangeTrial.Train(LongRangeOptions.Proof(problem, net), new Lines());
            double shown = problem == LongRangeProblem.Adding ? outcome.Error : 1 - outcome.Error;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {net} | {shown:0.0000} | {outcome.Steps} | {outcome.Seconds:F0} |"));
        }
    }

    private sealed class Lines : IProgress<TrainEvent>
    {
        public void Report(TrainEvent value)
        {
            if (value is EpochEnded e)
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{e.Steps,6} steps  loss {e.TrainLoss:0.0000}  {e.Seconds:F0} s"));
        }
    }
}
