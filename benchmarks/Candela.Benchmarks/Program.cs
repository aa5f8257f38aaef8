using Candela.Benchmarks;

switch (args)
{
    case ["train", .. string[] names]:
        TrainBenchmark.Run(names);
        return 0;
    case ["quality", "--data", var folder, .. string[] only] when only.Length <= 1:
        return QualityBenchmark.Run(folder, only.FirstOrDefault());
    default:
        Console.Error.WriteLine("""
            usage: dotnet run -c Release --project benchmarks/Candela.Benchmarks -- train [cnn] [mlp-784] [mlp-small] [optimizers] [THREADS]
                   dotnet run -c Release --project benchmarks/Candela.Benchmarks -- quality --data DIR [NAME]
              quality default settings on public data sets, through the command
              train   training steps of this library against a plain TorchSharp loop, in turn, medians of the pairs; a Markdown table on stdout
            """);
        return 2;
}
