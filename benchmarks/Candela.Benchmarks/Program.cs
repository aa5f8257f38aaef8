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
    case ["tokenizers", "--data", var folder, .. string[] more] when more is [] or ["--vocabulary", _]:
        return TokenizerBenchmark.Run(folder, more.LastOrDefault());
    case ["language"]:
        return LanguageBenchmark.Run(3);
    case ["language", var count] when int.TryParse(count, out int steps) && steps > 0:
        return LanguageBenchmark.Run(steps);
    case ["language-child", var side]:
        return LanguageBenchmark.Side(side);
    case ["data-child", var work, var path]:
        return DataBenchmark.Child(work, path);
    default:
        Console.Error.WriteLine("""
            usage: dotnet run -c Release --project benchmarks/Candela.Benchmarks -- train [cnn] [mlp-784] [mlp-small] [optimizers] [THREADS]
                   dotnet run -c Release --project benchmarks/Candela.Benchmarks -- quality --data DIR [NAME]
                   dotnet run -c Release --project benchmarks/Candela.Benchmarks -- data [--rows N]
                   dotnet run -c Release --project benchmarks/Candela.Benchmarks -- tokenizers --data DIR [--vocabulary PATH]
                   dotnet run -c Release --project benchmarks/Candela.Benchmarks -- language [STEPS]
              language a GPT-2 of 6 layers and 384 numbers per token: tokens/s against a plain TorchSharp loop in pairs of STEPS (default 3) steps, and each one's peak memory
              quality default settings on public data sets, through the command
              data    a CSV file of 200 MB to feature batches on one core, against pandas.read_csv (benchmarks/install-peers.sh); a Markdown table on stdout
              tokenizers GPT-2's byte-level BPE on Tiny Shakespeare (DIR/txt-shakespeare/input.txt), one thread, warm, against Microsoft.ML.Tokenizers; vocabulary from PATH (default DIR/tok-gguf/ggml-vocab-gpt-2.gguf)
              train   training steps of this library against a plain TorchSharp loop, in turn, medians of the pairs; a Markdown table on stdout
            """);
        return 2;
}
