using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Candela.Benchmarks;

/// <summary>How well default settings do on public data sets, each figure by running the command a user would run:
/// means over seeds of the test metric, or of repeated stratified cross-validation. Taggers: one seed, the validation part, beside the tagger without a net.</summary>
internal static class QualityBenchmark
{
    private sealed record Case(string Name, string Data, string Arguments, string Metric, double Bar, bool CrossValidated = false, bool SmallerIsBetter = false, int Seeds = 5, bool Valid = false);

    private const string Reference = "feature-crf";

    private static readonly Case[] Cases =
    [
        new("iris", "tab-sklearn/iris.csv", "--target last", "accuracy", 0.95, CrossValidated: true),
        new("wine", "tab-sklearn/wine_data.csv", "--target last", "accuracy", 0.975, CrossValidated: true),
        new("breast cancer", "tab-sklearn/breast_cancer.csv", "--target last", "accuracy", 0.970, CrossValidated: true),
        new("titanic", "tab-seaborn/titanic.csv", "--target survived", "accuracy", 0.80, CrossValidated: true),
        new("adult, net", "tab-uci/adult-train.csv.gz", "--target last --model mlp", "accuracy", 0.852),
        new("adult, net", "tab-uci/adult-train.csv.gz", "--target last --model mlp", "rocAuc", 0.908),
        new("adult, auto", "tab-uci/adult-train.csv.gz", "--target last", "accuracy", 0.868),
        new("adult, auto", "tab-uci/adult-train.csv.gz", "--target last", "rocAuc", 0.925),
        new("California housing, net", "tab-california/housing-train.csv", "--target median_house_value --model mlp", "rmse", 52_000, SmallerIsBetter: true),
        new("California housing, auto", "tab-california/housing-train.csv", "--target median_house_value", "rmse", 49_000, SmallerIsBetter: true),
        new("diamonds", "tab-seaborn/diamonds.csv.gz", "--target price", "r2", 0.975),
        new("digits 8x8", "tab-sklearn/digits.csv.gz", "--target last", "accuracy", 0.975),
        new("MNIST sub10k, CNN", "vis-mnist/sub10k-train-images-idx3-ubyte.gz", "--labels {data}/vis-mnist/sub10k-train-labels-idx1-ubyte.gz --model cnn --epochs 10", "accuracy", 0.98),
        new("SST-2, train to dev", "txt-sst2/train.tsv", "--target last --test {data}/txt-sst2/dev.tsv", "accuracy", 0.79),
        new("waimai (Chinese)", "txt-chnsenti/waimai_10k.csv.gz", "--target label", "accuracy", 0.885),
        new("tags: EWT parts of speech", "txt-ud/en_ewt/en_ewt-ud-dev.conllu.gz", "--task token-classification --valid 0.2 --test 0", "accuracy", 0.91, Seeds: 1, Valid: true),
        new("tags: GSDSimp parts of speech (Chinese)", "txt-ud/zh_gsdsimp/zh_gsdsimp-ud-dev.conllu.gz", "--task token-classification --valid 0.2 --test 0", "accuracy", 0.83, Seeds: 1, Valid: true),
        new("tags: Weibo names, train to dev (Chinese)", "txt-weibo-ner/weiboNER_2nd_conll.train", "--task token-classification --valid {data}/txt-weibo-ner/weiboNER_2nd_conll.dev --test 0", "f1Micro", 0.46, Seeds: 1, Valid: true),
        new("tags: WNUT-17 names, train to dev", "txt-wnut17/wnut17train.conll", "--task token-classification --valid {data}/txt-wnut17/emerging.dev.conll --test 0", "f1Micro", 0.16, Seeds: 1, Valid: true),
    ];

    /// <summary>Prints a Markdown table; <paramref name="only"/> keeps the cases whose name contains it.</summary>
    public static int Run(string dataFolder, string? only)
    {
        if (!Directory.Exists(dataFolder))
        {
            Console.Error.WriteLine($"No folder '{dataFolder}': give the folder that holds the data sets with --data DIR. Nothing was measured.");
            return 0;
        }

        Console.WriteLine("| data | metric | bar | mean | lowest | highest | baseline without a net | model | seconds a run | command |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
        var results = new Dictionary<string, List<JsonNode>>();
        int below = 0;
        foreach (Case test in Cases.Where(c => only is null || c.Name.Contains(only, StringComparison.OrdinalIgnoreCase)))
        {
            string arguments = $"train {Path.Combine(dataFolder, test.Data)} {test.Arguments.Replace("{data}", dataFolder)}{(test.CrossValidated ? " --folds 5" : "")}";
            if (!results.TryGetValue(arguments, out List<JsonNode>? runs))
                results[arguments] = runs = [.. Enumerable.Range(1, test.Seeds).Select(seed => Train($"{arguments} --seed {seed} --json"))];
            double[] values = [.. runs.Select(run => (test.CrossValidated ? run["crossValidation"]!["metrics"]! : run["metrics"]![test.Valid ? "valid" : "test"]!)[test.Metric]!["value"]!.GetValue<double>())];
            double mean = values.Average();
            bool reached = test.SmallerIsBetter ? mean <= test.Bar : mean >= test.Bar;
            below += reached ? 0 : 1;
            double[] references = [.. runs.SelectMany(run => run["candidates"]!.AsArray()).Where(c => (string?)c!["model"] == Reference).Select(c => c!["test"]![test.Metric]!["value"]!.GetValue<double>())];
            string models = string.Join(", ", runs.Select(r => r["model"]!.GetValue<string>()).GroupBy(m => m).Select(g => $"{g.Key} x{g.Count()}"));
            Console.WriteLine($"| {test.Name} | {test.Metric} | {(test.SmallerIsBetter ? "<=" : ">=")} {test.Bar} | {(reached ? "" : "BELOW ")}{mean:G5} | {values.Min():G5} | {values.Max():G5} | {(references.Length == 0 ? "" : $"{references.Average():G5}")} | {models} | {runs.Average(r => r["seconds"]!.GetValue<double>()):F1} | `candela {arguments.Replace(dataFolder, "DATA")} --seed {(test.Seeds == 1 ? "1" : $"1..{test.Seeds}")}` |");
        }

        return below == 0 ? 0 : 3;
    }

    private static JsonNode Train(string arguments)
    {
        string folder = Directory.CreateTempSubdirectory("candela-quality-").FullName;
        try
        {
            string program = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "candela.exe" : "candela");
            var start = new ProcessStartInfo(program, [.. arguments.Split(' '), "--quiet", "--out", Path.Combine(folder, "run")]) { RedirectStandardOutput = true };
            using Process process = Process.Start(start)!;
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? JsonNode.Parse(output)! : throw new InvalidOperationException($"candela {arguments} ended with {process.ExitCode}.");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
