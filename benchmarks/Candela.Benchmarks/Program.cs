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
    case ["language", "--threads", var count] when int.TryParse(count, out int threads) && threads > 0:
        return LanguageBenchmark.Run(3, threads);
    case ["language", "--lora"]:
        return LanguageBenchmark.Lora();
    case ["language-curve", "--minutes", var length, "--data", var file] when double.TryParse(length, System.Globalization.CultureInfo.InvariantCulture, out double minutes) && minutes > 0:
        return LanguageCurve.Run(minutes, file);
    case ["language-child", var side, var count]:
        return LanguageBenchmark.Child(side, int.Parse(count, System.Globalization.CultureInfo.InvariantCulture));
    case ["recurrent", .. string[] names]:
        return RecurrentBenchmark.Run(names);
    case ["data-child", var work, var path]:
        return DataBenchmark.Child(work, path);
    default:
        Console.Error.WriteLine("""
            usage: dotnet run -c Release --project benchmarks/Candela.Benchmarks -- train [cnn] [mlp-784] [mlp-small] [optimizers] [THREADS]
                   dotnet run -c Release --project benchmarks/Candela.Benchmarks -- quality --data DIR [NAME]
                   dotnet run -c Release --project benchmarks/Candela.Benchmarks -- data [--rows N]
                   dotnet run -c Release --project benchmarks/Candela.Benchmarks -- tokenizers --data DIR [--vocabulary PATH]
                   dotnet run -c Release --project benchmarks/Candela.Benchmarks -- language [STEPS | --threads N | --lora]
                   dotnet run -c Release --project benchmarks/Candela.Benchmarks -- language-curve --minutes M --data FILE
              language a GPT-2 of 6 layers and 384 numbers per token: tokens/s against a plain TorchSharp loop in pairs of STEPS (default 3) steps, and each one's peak memory; --lora: peak memory of adapters against training all of 110 million parameters
              language-curve the same net on the letters of FILE from equal weights over equal batches, about M minutes of this library's loop (interrupted and resumed half-way), and the plain loop at equal steps: validation losses
                   dotnet run -c Release --project benchmarks/Candela.Benchmarks -- recurrent [reach] [adding] [copy] [lstm] [gru] [rnn]
              quality default settings on public data sets, through the command
              data    a CSV file of 200 MB to feature batches on one core, against pandas.read_csv (benchmarks/install-peers.sh); a Markdown table on stdout
              tokenizers GPT-2's byte-level BPE on Tiny Shakespeare (DIR/txt-shakespeare/input.txt), one thread, warm, against Microsoft.ML.Tokenizers; vocabulary from PATH (default DIR/tok-gguf/ggml-vocab-gpt-2.gguf)
              recurrent what recurrent nets remember: reach of gradients, the adding and the copy problem at length 200, one thread
              train   training steps of this library against a plain TorchSharp loop, in turn, medians of the pairs; a Markdown table on stdout
            """);
        return 2;
}
