using System.Diagnostics;
using System.Globalization;
using Candela.Tokenization;
using Microsoft.ML.Tokenizers;
using Tokenizer = Candela.Tokenization.Tokenizer;

namespace Candela.Benchmarks;

/// <summary>Byte-level BPE with GPT-2's vocabulary over Tiny Shakespeare on one thread, after a warm-up, against Microsoft.ML.Tokenizers' Tiktoken tokenizer, in turn.</summary>
internal static class TokenizerBenchmark
{
    private const int Rounds = 4;

    public static int Run(string folder, string? vocabulary)
    {
        string text = File.ReadAllText(Path.Combine(folder, "txt-shakespeare", "input.txt"));
        Tokenizer ours = Tokenizer.Load(vocabulary ?? Path.Combine(folder, "tok-gguf", "ggml-vocab-gpt-2.gguf"));
        var theirs = TiktokenTokenizer.CreateForModel("gpt2");
        int[] ids = ours.Encode(text, addSpecialTokens: false);
        if (!ids.SequenceEqual(theirs.EncodeToIds(text)))
            throw new InvalidOperationException("The two give different ids.");
        double megabytes = System.Text.Encoding.UTF8.GetByteCount(text) / 1e6;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{megabytes:F2} MB of text, {ids.Length:N0} tokens (equal ids), one thread; medians of {Paired.Pairs} pairs of {Rounds} passes each, in turn."));
        Console.WriteLine();
        Console.WriteLine("| work | Microsoft.ML.Tokenizers, MB/s | Candela, MB/s | range | ratio | range |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- |");
        bool reached = Row("encode", megabytes, () => theirs.EncodeToIds(text), () => ours.Encode(text, addSpecialTokens: false), needed: 2) is { } encode && encode >= 20;
        Row("decode", megabytes, () => theirs.Decode(ids), () => ours.Decode(ids), needed: 0);
        // One token after another through the streaming decoder.
        Row("decode, streaming", megabytes, () => theirs.Decode(ids), () =>
        {
            IncrementalDecoder decoder = ours.NewDecoder();
            foreach (int id in ids)
                decoder.Append(id);
            decoder.Flush();
        }, needed: 0);
        return reached ? 0 : 3;
    }

    // Our MB/s, or null when the ratio falls short.
    private static double? Row(string name, double megabytes, Action theirs, Action ours, double needed)
    {
        for (int i = 0; i < Rounds; i++)
        {
            theirs();
            ours();
        }

        double[] slow = new double[Paired.Pairs], fast = new double[Paired.Pairs];
        for (int pair = 0; pair < Paired.Pairs; pair++)
        {
            slow[pair] = Speed(theirs);
            fast[pair] = Speed(ours);
        }

        double[] ratios = [.. slow.Zip(fast, (a, b) => b / a).Order()];
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {Median(slow):F1} | {Median(fast):F1} | {fast.Min():F1} .. {fast.Max():F1} | {Median(ratios):F2} | {ratios[0]:F2} .. {ratios[^1]:F2} |"));
        return Median(ratios) >= needed ? Median(fast) : null;

        double Speed(Action work)
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < Rounds; i++)
                work();
            return megabytes * Rounds / Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
