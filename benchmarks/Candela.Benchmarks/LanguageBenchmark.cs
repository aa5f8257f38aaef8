using System.Diagnostics;
using System.Globalization;
using Candela.Training;
using static TorchSharp.torch;

namespace Candela.Benchmarks;

/// <summary>Training of a language model by this library's loop against a plain TorchSharp one, each in a process of its own with the same environment, in turn (A B A B ...); and low-rank adapters against
/// full training. Memory is the peak of resident bytes less what was resident once libtorch was loaded and its threads had started.</summary>
internal static class LanguageBenchmark
{
    private const int Threads = 2, Pairs = 7;

    /// <summary>Ours against the plain loop.</summary>
    /// <param name="steps">Of one timed block.</param>
    /// <param name="threads">Of both.</param>
    public static int Run(int steps, int threads = Threads)
    {
        using Side plain = new("plain", threads), ours = new("ours", threads);
        plain.Run(2);
        ours.Run(2);
        Cost[] slow = new Cost[Pairs], fast = new Cost[Pairs];
        for (int pair = 0; pair < Pairs; pair++)
        {
            slow[pair] = plain.Run(steps);
            fast[pair] = ours.Run(steps);
        }

        double[] ratios = [.. slow.Zip(fast, (a, b) => a.Wall / b.Wall).Order()], work = [.. slow.Zip(fast, (a, b) => a.Processor / b.Processor).Order()];
        double tokens = (double)steps * LanguageNets.Batch * LanguageNets.Block, theirs = plain.End(), mine = ours.End();
        Console.WriteLine($"| GPT-2 6x384, block 256, batch 12, {threads} threads, medians of {Pairs} pairs of {steps} steps | plain TorchSharp | Candela | ratio | range |");
        Console.WriteLine("| --- | --- | --- | --- | --- |");
        Row("tokens/s", tokens / Median(slow.Select(c => c.Wall)), tokens / Median(fast.Select(c => c.Wall)), Median(ratios), ratios);
        Row("tokens per second of processor time", tokens / Median(slow.Select(c => c.Processor)), tokens / Median(fast.Select(c => c.Processor)), Median(work), work);
        Row("peak memory above libtorch, MB", theirs / 1e6, mine / 1e6, mine / theirs, []);
        return 0;
    }

    /// <summary>Memory of adapters against full training of 110 million parameters.</summary>
    public static int Lora()
    {
        double[] peaks = new double[2];
        for (int i = 0; i < 2; i++)
        {
            using Side side = new(i == 0 ? "full" : "lora", Threads);
            side.Run(2);
            peaks[i] = side.End();
        }

        Console.WriteLine("| Llama of 109.5 million parameters, batch 4, 256 tokens | all weights | LoRA, rank 8 | ratio | |");
        Console.WriteLine("| --- | --- | --- | --- | --- |");
        Row("peak memory above libtorch, MB", peaks[0] / 1e6, peaks[1] / 1e6, peaks[1] / peaks[0], []);
        return 0;
    }

    /// <summary>One side, driven by lines on the standard input: a number of steps, answered by seconds and processor seconds; an empty line, answered by the peak in bytes.</summary>
    public static int Child(string side, int threads)
    {
        LibTorch.Load();
        LibTorch.SetThreads(threads);
        using (NewDisposeScope())
            _ = Ops.MatMul(ones(512, 512), ones(512, 512));
        using var self = Process.GetCurrentProcess();
        long baseline = self.WorkingSet64;
        using ILanguageSide net = side switch
        {
            "plain" => new PlainSide(),
            "ours" => new CandelaSide(LanguageNets.Small(65), LanguageNets.Batch),
            "full" or "lora" => new CandelaSide(LanguageNets.Large, LanguageNets.LargeBatch, lora: side == "lora"),
            _ => throw new UsageException($"There is no side '{side}'."),
        };
        while (Console.ReadLine() is { Length: > 0 } line)
        {
            TimeSpan used = Environment.CpuUsage.TotalTime;
            long start = Stopwatch.GetTimestamp();
            net.Step(int.Parse(line, CultureInfo.InvariantCulture));
            double wall = Stopwatch.GetElapsedTime(start).TotalSeconds;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{wall:R} {(Environment.CpuUsage.TotalTime - used).TotalSeconds:R}"));
        }

        self.Refresh();
        Console.WriteLine(self.PeakWorkingSet64 - baseline);
        return 0;
    }

    private static void Row(string what, double theirs, double mine, double ratio, double[] range) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"| {what} | {theirs:F0} | {mine:F0} | {ratio:F3} | {(range.Length > 0 ? string.Create(CultureInfo.InvariantCulture, $"{range[0]:F3} .. {range[^1]:F3}") : "")} |"));

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    private readonly record struct Cost(double Wall, double Processor);

    private sealed class Side : IDisposable
    {
        private readonly Process _child;

        public Side(string name, int threads) =>
            _child = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["language-child", name, threads.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;

        public Cost Run(int steps)
        {
            string[] answer = Ask(steps.ToString(CultureInfo.InvariantCulture)).Split(' ');
            return new Cost(double.Parse(answer[0], CultureInfo.InvariantCulture), double.Parse(answer[1], CultureInfo.InvariantCulture));
        }

        public double End() => double.Parse(Ask(""), CultureInfo.InvariantCulture);

        public void Dispose()
        {
            if (!_child.HasExited)
                _child.Kill();
            _child.Dispose();
        }

        private string Ask(string line)
        {
            _child.StandardInput.WriteLine(line);
            _child.StandardInput.Flush();
            return _child.StandardOutput.ReadLine() ?? throw new DataException("A side of the benchmark ended early; its message is above.");
        }
    }
}
