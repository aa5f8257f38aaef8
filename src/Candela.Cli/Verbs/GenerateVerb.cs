using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Candela.Cli.Options;
using Candela.Cli.Output;
using Candela.Data;
using Candela.Decoding;
using Candela.Experiments;
using Candela.Inference;
using Candela.Models;
using Candela.Templates;
using Candela.Tokenization;
using Candela.Training;
using Candela.Training.Language;

namespace Candela.Cli.Verbs;

/// <summary><c>candela generate MODEL --prompt TEXT</c>: the continuation on stdout as it comes, figures on stderr.</summary>
internal static class GenerateVerb
{
    public static Command Build(Func<ParseResult, CommandConsole> consoleOf)
    {
        var command = new Command("generate", "Continue a text with a language model.");
        var folder = new Argument<string>("MODEL") { Description = "A Hugging Face model folder, the run folder of a language model, or a GGUF file." };
        command.Arguments.Add(folder);
        Option<T> Add<T>(string name, string description, string help, params string[] aliases)
        {
            var option = new Option<T>(name, aliases) { Description = description, HelpName = help };
            command.Options.Add(option);
            return option;
        }

        Option<string?> prompt = Add<string?>("--prompt", "The text to continue; empty: the model's begin-of-text token.", "TEXT"), promptFile = Add<string?>("--prompt-file", "Read it from a file; - is stdin.", "FILE");
        Option<string?> suffix = Add<string?>("--suffix", "Fill in between the prompt and this text (models trained for it).", "TEXT"), system = Add<string?>("--system", "System message of --chat.", "TEXT");
        var chat = new Option<bool>("--chat") { Description = "The prompt is a user's message in the model's chat format." };
        var noStream = new Option<bool>("--no-stream") { Description = "Print the text when it is complete." };
        var ignoreEnd = new Option<bool>("--ignore-eos") { Description = "Go on past end-of-text tokens." };
        command.Options.Add(chat);
        command.Options.Add(noStream);
        command.Options.Add(ignoreEnd);
        Option<int?> maxTokens = Add<int?>("--max-tokens", "Most tokens. Default 128.", "N"), minTokens = Add<int?>("--min-tokens", "Tokens before which it may not end. Default 0.", "N"),
            topK = Add<int?>("--top-k", "Sample among the K likeliest. Default 0: all.", "K"), beams = Add<int?>("--beams", "Beam search. Default 1: none.", "N"),
            ngram = Add<int?>("--no-repeat-ngram", "No run of N tokens twice. Default 0: off.", "N"), logProbs = Add<int?>("--logprobs", "With --json: log-probabilities of each token and the N likeliest.", "N");
        Option<double?> temperature = Add<double?>("--temperature", "0 is greedy. Default 1.", "T"), topP = Add<double?>("--top-p", "Nucleus. Default 1: all.", "P"), minP = Add<double?>("--min-p", "Share of the likeliest's probability. Default 0: all.", "P"),
            typical = Add<double?>("--typical", "Locally typical. Default 1: all.", "P"), repetition = Add<double?>("--repetition-penalty", "Default 1: none.", "X"),
            presence = Add<double?>("--presence-penalty", "Default 0.", "X"), frequency = Add<double?>("--frequency-penalty", "Default 0.", "X"), length = Add<double?>("--length-penalty", "Of beams. Default 1.", "X");
        Option<string[]> stop = Add<string[]>("--stop", "End before this string; may be repeated.", "STR"), bias = Add<string[]>("--logit-bias", "Add to a token's logit; may be repeated.", "ID=X");
        Option<int?> threads = Add<int?>("--threads", "Threads. Default: the processors available.", "N");
        Option<long?> seed = Add<long?>("--seed", "Of the sampling. Default: a new one, which is reported.", "S");

        command.SetAction((parsed, cancellationToken) =>
        {
            CommandConsole console = consoleOf(parsed);
            string text = PromptOf(parsed.GetValue(prompt), parsed.GetValue(promptFile));
            string? tail = parsed.GetValue(suffix), systemText = parsed.GetValue(system);
            bool asChat = parsed.GetValue(chat);
            if (asChat && tail is not null)
                throw new UsageException("--chat and --suffix were both given; filling in is not a conversation. Give one of them.");
            if (systemText is not null && !asChat)
                throw new UsageException("--system was given without --chat; add --chat, or put the text into the prompt.");
            var defaults = new GenerationOptions();
            var options = new GenerationOptions
            {
                MaxTokens = parsed.GetValue(maxTokens) ?? defaults.MaxTokens,
                MinTokens = parsed.GetValue(minTokens) ?? 0,
                Temperature = parsed.GetValue(temperature) ?? 1,
                TopK = parsed.GetValue(topK) ?? 0,
                TopP = parsed.GetValue(topP) ?? 1,
                MinP = parsed.GetValue(minP) ?? 0,
                TypicalP = parsed.GetValue(typical) ?? 1,
                RepetitionPenalty = parsed.GetValue(repetition) ?? 1,
                PresencePenalty = parsed.GetValue(presence) ?? 0,
                FrequencyPenalty = parsed.GetValue(frequency) ?? 0,
                NoRepeatNgram = parsed.GetValue(ngram) ?? 0,
                Beams = parsed.GetValue(beams) ?? 1,
                LengthPenalty = parsed.GetValue(length) ?? 1,
                TopLogProbabilities = parsed.GetValue(logProbs) ?? 0,
                StopStrings = parsed.GetValue(stop) ?? [],
                LogitBias = BiasOf(parsed.GetValue(bias) ?? []),
                IgnoreEndOfText = parsed.GetValue(ignoreEnd),
                Seed = parsed.GetValue(seed) ?? TimeProvider.System.GetUtcNow().Ticks & int.MaxValue,
            };
            string[] unheeded = options.Beams > 1 ? [.. new (string Name, bool Given)[] { ("--temperature", parsed.GetValue(temperature) is not null), ("--top-k", parsed.GetValue(topK) is not null), ("--top-p", parsed.GetValue(topP) is not null), ("--min-p", parsed.GetValue(minP) is not null), ("--typical", parsed.GetValue(typical) is not null) }.Where(o => o.Given).Select(o => o.Name)]
                : parsed.GetValue(length) is not null ? ["--length-penalty"] : [];
            if (unheeded.Length > 0)
                console.Error.WriteLine($"warning: {string.Join(", ", unheeded)} change{(unheeded.Length == 1 ? "s" : "")} nothing {(options.Beams > 1 ? "with --beams: beam search does not sample" : "without --beams")}. [option-ignored]");
            string path = parsed.GetRequiredValue(folder);
            using ICausalLm model = Open(path, parsed.GetValue(threads), out Tokenizer? tokenizer, out IReadOnlyList<int> ends);
            if (tokenizer is null)
                throw new UsageException($"{path}: there is no tokenizer (in a folder tokenizer.json, tokenizer.model, tokenizer.bin, vocab.txt or vocab.json), so text cannot be read or written. Put the model's tokenizer file there.");
            if (!options.IgnoreEndOfText)
                options = options with { StopTokens = [.. ends.Where(id => id >= 0 && id < model.VocabularySize)] };
            var generator = new TextGenerator(model, tokenizer);
            int[] ids;
            if (tail is not null)
            {
                FillInMiddle format = FillInMiddle.Of(tokenizer);
                ids = format.Prompt(tokenizer, text, tail);
                options = options with { StopTokens = [.. options.StopTokens.Union(format.EndTokens)] };
            }
            else
            {
                ids = !asChat ? generator.Encode(text) : generator.EncodeChat(systemText is null ? [new ChatMessage("user", text)] : [new ChatMessage("system", systemText), new ChatMessage("user", text)]);
            }

            if (tokenizer.UnknownId is { } unknown && ids.Count(id => id == unknown) is > 0 and var lost)
                console.Error.WriteLine($"warning: {lost} of the prompt's {ids.Length} tokens are not in the model's vocabulary and are read as unknown. [unknown-tokens]");
            bool stream = !console.Json && options.Beams == 1 && !parsed.GetValue(noStream);
            Action<string>? write = !stream ? null : piece =>
            {
                console.Out.Write(piece);
                console.Out.Flush();
            };
            GenerationResult result = generator.Generate(ids, options, write, cancellationToken);
            if (console.Json)
            {
                console.Out.WriteLine(RunJson.Text(Json(result, parsed.GetValue(logProbs) is not null)));
                return Task.FromResult(ExitCode.Done);
            }

            console.Out.WriteLine(stream ? "" : result.Text);
            if (!console.Quiet)
                console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{result.Tokens.Count:N0} tokens after a prompt of {result.PromptTokens:N0} in {result.Time.TotalSeconds:F2} s ({result.TokensPerSecond:F1} tokens/s); ended by {Reason(result)}; seed {result.Seed}"));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    // A file runs on the managed engine; folders, for now, on the one they are trained with.
    private static ICausalLm Open(string path, int? threads, out Tokenizer? tokenizer, out IReadOnlyList<int> ends)
    {
        if (path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))
        {
            LanguageModel managed = LanguageModel.Open(path, threads);
            (tokenizer, ends) = (managed.Tokenizer, managed.EndTokens);
            return managed;
        }

        if (RunArgument.TaskOf(path) is { } task && task is not (TaskKind.LanguageModel or TaskKind.Preference))
            throw new UsageException($"generate got '{path}', a run of the task {SequenceTasks.IdOf(task) ?? "of a table"}: it does not continue a text. Use it with: candela predict {path} DATA");
        if (threads is { } count)
            LibTorch.SetThreads(count);
        CausalLm model = CausalLm.Load(path);
        (tokenizer, ends) = (model.Tokenizer, EndTokens.Of(path));
        return model;
    }

    private static string PromptOf(string? text, string? file)
    {
        if ((text is null) == (file is null))
            throw new UsageException(text is null ? "no prompt: give --prompt TEXT (\"\" begins a new text), --prompt-file FILE, or --prompt-file - for stdin." : "--prompt and --prompt-file were both given; give one of them.");
        return text ?? (file == "-" ? Console.In.ReadToEnd() : File.ReadAllText(file!));
    }

    private static Dictionary<int, float> BiasOf(string[] pairs)
    {
        var bias = new Dictionary<int, float>();
        foreach (string pair in pairs)
        {
            int at = pair.IndexOf('=', StringComparison.Ordinal);
            if (at < 0 || !int.TryParse(pair.AsSpan(0, at), NumberStyles.None, CultureInfo.InvariantCulture, out int id) || !float.TryParse(pair.AsSpan(at + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out float value))
                throw new UsageException($"--logit-bias: '{pair}' was given; needed is a token id, '=' and a number, for example 50256=-100.");
            bias[id] = value;
        }

        return bias;
    }

    private static string Reason(GenerationResult result) => result.FinishReason == FinishReason.Stop ? "stop" : "length";

    private static JsonObject Json(GenerationResult result, bool logProbabilities)
    {
        var json = new JsonObject
        {
            ["text"] = result.Text,
            ["tokens"] = new JsonArray([.. result.Tokens.Select(id => (JsonNode)id)]),
            ["finishReason"] = Reason(result),
            ["stopString"] = result.StopString,
            ["promptTokens"] = result.PromptTokens,
            ["tokensPerSecond"] = result.TokensPerSecond,
            ["seconds"] = result.Time.TotalSeconds,
            ["seed"] = result.Seed,
        };
        if (logProbabilities)
            json["logProbabilities"] = new JsonArray([.. result.Steps.Select(step => (JsonNode)new JsonObject
            {
                ["id"] = step.Id,
                ["logProbability"] = step.LogProbability,
                ["top"] = new JsonArray([.. step.Top.Select(t => (JsonNode)new JsonObject { ["id"] = t.Id, ["logProbability"] = t.LogProbability })]),
            })]);
        return json;
    }
}
