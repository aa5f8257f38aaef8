using Candela.Data;
using Candela.Experiments;
using Candela.Language;
using Candela.Models;
using Candela.Training.Language;

namespace Candela.Training.Tasks;

/// <summary>Training of nets that read a text and write another. Pairs come from columns of a table or JSON Lines, or from two files whose lines belong together.</summary>
public abstract class TextToTextTask : ISequenceTask
{
    private const double Share = 0.1;

    private protected TextToTextTask(TaskKind kind) => Kind = kind;

    /// <inheritdoc/>
    public string Id => SequenceTasks.IdOf(Kind)!;

    private protected TaskKind Kind { get; }

    /// <summary>Simple ways from source to target that the report compares with, the simplest first.</summary>
    private protected abstract IReadOnlyList<ITextBaseline> Baselines();

    /// <inheritdoc/>
    public IReadOnlyCollection<string>? Heeds { get; } = ["tokenizer", "vocabulary", "layers", "heads", "width", "block", "source", "target-file", "valid-target", "test-target", "beams"];

    /// <inheritdoc/>
    public TrainRequest Complete(TrainRequest request)
    {
        if (request.Model != "auto" && !Seq2SeqConfig.Architectures.Contains(request.Model))
            throw new UsageException($"There is no net '{request.Model}' for --task {Id}.{NearestName.Hint(request.Model, Seq2SeqConfig.Architectures)} Models: auto, {string.Join(", ", Seq2SeqConfig.Architectures)}.");
        request = Apart(request);
        SequenceOptions net = request.Sequence;
        foreach ((string option, string? file) in new[] { ("valid", request.ValidFile), ("test", request.TestFile), ("target-file", net.TargetFile), ("valid-target", net.ValidTargetFile), ("test-target", net.TestTargetFile) })
            if (file is not null && !File.Exists(file))
                throw new UsageException($"--{option} {file}: the file does not exist. A file of texts{(option is "valid" or "test" ? ", or a share of the pairs," : "")} was needed.");
        if (net.TargetFile is not null && (net.Source ?? request.Target) is { } column)
            throw new UsageException($"Column '{column}' was given beside --target-file {net.TargetFile}, and lines of text have no columns. Leave one of the two out.");
        if ((net.ValidTargetFile is not null && request.ValidFile is null) || (net.TestTargetFile is not null && request.TestFile is null))
            throw new UsageException("--valid-target and --test-target belong to the files given as --valid and --test. Give these too.");
        if (net.TargetFile is not null)
        {
            var files = PairFiles.Of(request);
            net = net with { ValidTargetFile = net.ValidTargetFile ?? Beside(files, "valid", request.ValidFile), TestTargetFile = net.TestTargetFile ?? Beside(files, "test", request.TestFile) };
            request = request with { Sequence = net };
        }

        FitOptions fit = request.Fit, none = new();
        string? unused = fit.Hidden is not null ? "hidden" : fit.ClassWeights != none.ClassWeights ? "class-weights" : net.Base is not null ? "base" : net.EvaluateEvery is not null ? "evaluate-every"
            : net.LoraRank is not null ? "lora-rank" : net.HeadOnly == true ? "head-only" : net.Heads is not null && request.Model is "gru" or "lstm" ? "heads" : null;
        if (unused is not null)
            throw new UsageException($"--{unused} is not used by --task {Id}{(unused == "heads" ? $" with --model {request.Model}" : "")}. Leave it out.");
        if (net.Width is { } width && request.Model == "transformer" && width % (2 * (net.Heads ?? 4)) != 0)
            throw new UsageException($"--width {width} over --heads {net.Heads ?? 4} does not give an even number each. Change one of them.");
        if (fit.BatchSize < 8 || net.Block < 4)
            throw new UsageException($"--batch-size and --block count tokens with --task {Id}; {(fit.BatchSize < 8 ? $"a batch of {fit.BatchSize}" : $"a block of {net.Block}")} is too small. Leave it out, or give 1024 and 128, for example.");
        if (fit.Optimizer is { } optimizer && OptimizerOptions.Of(optimizer).FullBatch)
            throw new UsageException($"--optimizer {optimizer} goes through all pairs for each step, which --task {Id} does not do. Choose adamw, or another that steps by batches.");
        Devices.Check(fit.Device);
        request = request with { ValidFraction = request.ValidFraction ?? Share, TestFraction = request.TestFraction ?? (request.ValidFile is null ? Share : 0) };
        if ((request.ValidFile is null ? request.ValidFraction : 0) + (request.TestFile is null ? request.TestFraction : 0) >= 1)
            throw new UsageException($"--valid {request.ValidFraction} and --test {request.TestFraction} leave nothing to train on. Give smaller shares.");
        return request.ValidFile is not null || request.TestFile is not null || request.ValidFraction > 0 || request.TestFraction > 0 ? request
            : throw new UsageException("--valid 0 and --test 0 leave nothing to judge the net by. Give one of them a share or a file.");
    }

    /// <inheritdoc/>
    public ISequenceJob Prepare(TrainRequest request, IProgress<TrainEvent> events, CancellationToken cancellation)
    {
        var files = PairFiles.Of(request);
        SequenceOptions net = request.Sequence;
        TextPairs pairs = files.Read(request.Data, net.TargetFile, cancellation);
        TextPairs? valid = request.ValidFile is null ? null : files.Read(request.ValidFile, net.ValidTargetFile, cancellation), test = request.TestFile is null ? null : files.Read(request.TestFile, net.TestTargetFile, cancellation);
        foreach (TextPairs read in new[] { pairs, valid, test }.OfType<TextPairs>().Where(p => p.Skipped > 0))
            events.Report(new Warned("pairs-left-out", $"{read.Skipped:N0} pairs of {read.Source} have an empty side and are left out."));
        return new TextToTextJob(Kind, request, files, pairs, valid, test, Baselines());
    }

    /// <inheritdoc/>
    public ISequencePredictor Open(string folder, Problem problem)
    {
        PairFiles files = PairFiles.Open(folder);
        return new TextPredictor(Kind, Seq2SeqModel.Open(folder), files);
    }

    // Two files that are given with a comma between are taken apart, so that the recipe names each.
    private static TrainRequest Apart(TrainRequest request)
    {
        if (PairFiles.Two(request.Data) is { } data)
            request = request with { Data = data[0], Sequence = request.Sequence with { TargetFile = data[1] } };
        if (request.ValidFile is { } valid && PairFiles.Two(valid) is { } both)
            request = request with { ValidFile = both[0], Sequence = request.Sequence with { ValidTargetFile = both[1] } };
        if (request.TestFile is { } test && PairFiles.Two(test) is { } pair)
            request = request with { TestFile = pair[0], Sequence = request.Sequence with { TestTargetFile = pair[1] } };
        return request;
    }

    private static string? Beside(PairFiles files, string option, string? source)
    {
        if (source is null)
            return null;
        return files.Counterpart(source) is { } found && File.Exists(found) ? found
            : throw new UsageException($"--{option} {source}: the file of its targets was not found{(files.Counterpart(source) is { } looked ? $" as {looked}" : "")}. Give it as --{option}-target FILE.");
    }
}

/// <summary>Texts into another language, judged by BLEU and chrF beside word-by-word translation (IBM Model 1) and the source as it is.</summary>
public sealed class TranslationTask() : TextToTextTask(TaskKind.Translation)
{
    private protected override IReadOnlyList<ITextBaseline> Baselines() => [new CopyBaseline(), new IbmModel1()];
}

/// <summary>Texts into shorter ones, judged by ROUGE beside the first sentences and those that TextRank chooses.</summary>
public sealed class SummarizationTask() : TextToTextTask(TaskKind.Summarization)
{
    private protected override IReadOnlyList<ITextBaseline> Baselines() => [new LeadBaseline(), new TextRankBaseline()];
}
