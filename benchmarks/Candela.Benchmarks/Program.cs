using Candela.Benchmarks;

switch (args)
{
    case ["train", .. string[] names]:
        TrainBenchmark.Run(names);
        return 0;
    case ["quality", "--data", var folder, .. string[] only] when only.Length <= 1:
        return QualityBenchmark.Run(folder, only.FirstOrDefault());
    case ["data"]:
        return DataBenchmark.Run(null);
    case ["data", "--rows", var rows] when long.TryParse(rows, out long count) && count > 0:
        return DataBenchmark.Run(count);
    case ["data-child", var work, var path]:
        return DataBenchmark.Child(work, path);
    default:
        Console.Error.WriteLine("""
            usage: dotnet run -c Release --project benchmarks/Candela.Benchmarks -- train [cnn] [mlp-784] [mlp-small] [optimizers] [THREADS]
                   dotnet run -c Release --project benchmarks/Candela.Benchmarks -- quality --data DIR [NAME]
                   dotnet run -c Release --project benchmarks/Candela.Benchmarks -- data [--rows N]
              quality default settings on public data sets, through the command
              data    a CSV file of 200 MB to feature batches on one core, against pandas.read_csv (benchmarks/install-peers.sh); a Markdown table on stdout
              train   training steps of this library against a plain TorchSharp loop, in turn, medians of the pairs; a Markdown table on stdout
            """);
        return 2;
}
