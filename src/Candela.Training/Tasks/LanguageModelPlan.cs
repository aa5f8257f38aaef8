using Candela.Experiments;
using Candela.Models;
using Candela.Tokenization;
using Candela.Training.Language;
using Candela.Training.Language.Adapters;

namespace Candela.Training.Tasks;

/// <summary>What a language model's training does where the request leaves the choice.</summary>
internal static class LanguageModelPlan
{
    public const int DefaultHeads = 4;

    /// <summary>Sequences of an evaluation batch.</summary>
    public const int EvaluationBatch = 16;

    /// <summary>The longest block that is evaluated at once.</summary>
    public const int LongestBlock = 1024;

    private const int DefaultLayers = 4, DefaultWidth = 128, DefaultBlock = 128, DefaultBatch = 16, TunedBatch = 4, DefaultSteps = 2000, Evaluations = 8;

    /// <summary>A text with more characters than this is not read letter by letter.</summary>
    private const long LongestByCharacter = 4_000_000;

    private const int DefaultVocabulary = 8192, MostCharacters = 1000;

    /// <summary>The tokenizer the request asks for, trained on <paramref name="text"/> unless it is a file. Left open, a short text of few distinct characters is read letter by letter, another by BPE.</summary>
    /// <param name="request">Asks for one, or leaves it open.</param>
    /// <param name="isOneText">Whether it is one long text: nothing in it would ever teach an end-of-text token, so none is made, and a model of it does not end by chance.</param>
    /// <param name="length">Characters of one long text.</param>
    /// <param name="events">Told when the size of the vocabulary cannot be chosen.</param>
    /// <param name="text">The training text; read twice at the most.</param>
    public static Tokenizer Tokenizer(TrainRequest request, bool isOneText, long length, IProgress<TrainEvent> events, Func<IEnumerable<string>> text)
    {
        const string End = "<|endoftext|>", Unknown = "<unk>";
        string? asked = request.Sequence.Tokenizer;
        string[] ends = isOneText ? [] : [End];
        long characters = isOneText ? length : long.MaxValue;
        if (asked is null)
        {
            var seen = new HashSet<int>();
            if (characters <= LongestByCharacter)
                foreach (string piece in text())
                    foreach (System.Text.Rune rune in piece.EnumerateRunes())
                        seen.Add(rune.Value);
            asked = characters <= LongestByCharacter && seen.Count <= MostCharacters ? "char" : "bpe";
        }

        if (request.Sequence.Vocabulary is not null && asked != "bpe")
            events.Report(new Warned("option-ignored", $"--vocabulary changes nothing: the tokenizer is {(asked == "char" ? "one of characters, which has as many tokens as there are" : $"read from {asked}")}. Add --tokenizer bpe to train one of that size."));
        return asked switch
        {
            "char" => TokenizerTrainer.Characters(text(), new CharacterTrainingOptions { SpecialTokens = [Unknown, .. ends], UnknownToken = Unknown }),
            "bpe" => TokenizerTrainer.Bpe(text(), new BpeTrainingOptions { VocabularySize = request.Sequence.Vocabulary ?? DefaultVocabulary, SpecialTokens = ends }),
            _ when File.Exists(asked) || Directory.Exists(asked) => Candela.Tokenization.Tokenizer.Load(asked),
            _ => throw new UsageException($"--tokenizer {asked} is neither char nor bpe, and there is no such file. Give one of these, or a tokenizer.json."),
        };
    }

    /// <summary>The net from random weights.</summary>
    public static CausalLmConfig Config(TrainRequest request, Tokenizer tokenizer)
    {
        SequenceOptions net = request.Sequence;
        int width = net.Width ?? DefaultWidth, heads = net.Heads ?? DefaultHeads, layers = net.Layers ?? DefaultLayers, block = net.Block ?? DefaultBlock;
        if (width % heads != 0)
            throw new UsageException($"--width {width} cannot be divided among --heads {heads}; a multiple was needed.");
        IReadOnlyList<int> ends = tokenizer.EosId is { } end ? [end] : [];
        if (request.Model == "gpt2")
            return new Gpt2Config { ModelType = "gpt2", VocabularySize = tokenizer.VocabularySize, ContextLength = block, Width = width, Layers = layers, Heads = heads, HiddenWidth = net.FeedForward ?? (4 * width), TiedEmbeddings = true, BosId = tokenizer.BosId, EosIds = ends };
        if (width / heads % 2 != 0)
            throw new UsageException($"--width {width} over --heads {heads} gives {width / heads} numbers per head; an even count was needed for rotary positions. Change one of them, or take --model gpt2.");
        return new LlamaConfig
        {
            ModelType = "llama",
            VocabularySize = tokenizer.VocabularySize,
            ContextLength = block,
            Width = width,
            Layers = layers,
            Heads = heads,
            KeyValueHeads = heads,
            HeadDimension = width / heads,
            HiddenWidth = net.FeedForward ?? (((8 * width / 3) + 31) / 32 * 32), // as wide as keeps SwiGLU's weights those of a fourfold plain one (Shazeer 2020)
            NormEpsilon = 1e-5,
            TiedEmbeddings = true,
            BosId = tokenizer.BosId,
            EosIds = ends,
        };
    }

    /// <summary>The adapters that are asked for.</summary>
    public static LoraOptions Lora(SequenceOptions net) => new()
    {
        Rank = net.LoraRank!.Value,
        Alpha = net.LoraAlpha ?? (2.0 * net.LoraRank.Value),
        Dropout = net.LoraDropout ?? 0,
        TargetModules = net.LoraTargets,
    };

    /// <summary>What part is trained, for a checkpoint's context; empty for everything.</summary>
    public static string Part(SequenceOptions net) => net.LoraRank is null ? net.HeadOnly == true ? ", head" : ""
        : string.Create(System.Globalization.CultureInfo.InvariantCulture, $", lora {Lora(net).Rank} {Lora(net).Alpha} {Lora(net).Dropout} {string.Join('|', net.LoraTargets ?? [])}");

    /// <summary>Whether matrix products are in bfloat16.</summary>
    /// <param name="net">Says so, or leaves it to the device.</param>
    /// <param name="device">Where the model is.</param>
    /// <param name="events">Told where the processor has no instructions for it.</param>
    public static bool Bfloat16(SequenceOptions net, TorchSharp.torch.Device? device, IProgress<Candela.Models.TrainEvent> events)
    {
        bool cuda = device?.type == TorchSharp.DeviceType.CUDA;
        if (net.Precision == "bf16" && device is null && !Bfloat16Products.Native)
            events.Report(new Candela.Models.Warned("precision-imitated", "This processor is not known to have instructions for bfloat16: libtorch imitates them, which is slower than --precision fp32."));
        return net.Precision == "bf16" || (cuda && (net.Precision ?? "auto") == "auto");
    }

    /// <summary>Tokens of a training sequence.</summary>
    public static int Block(TrainRequest request, CausalLmConfig config)
    {
        int block = request.Sequence.Block ?? Math.Min(config.ContextLength, request.Sequence.Base is null ? DefaultBlock : 4 * DefaultBlock);
        return block <= config.ContextLength ? block : throw new UsageException($"--block {block} is more than the context of {request.Sequence.Base}, {config.ContextLength} tokens. Give at most that.");
    }

    /// <summary>Every setting of the training.</summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="blocksPerPass">Sequences in one pass over the text.</param>
    public static TrainingPlan Training(TrainRequest request, long blocksPerPass)
    {
        FitOptions fit = request.Fit;
        bool tuned = request.Sequence.Base is not null;
        int batch = fit.BatchSize ?? (tuned ? TunedBatch : DefaultBatch);
        long perStep = (long)batch * fit.Accumulate, passes = Math.Max(1, (blocksPerPass + perStep - 1) / perStep);
        long steps = fit.Epochs is { } epochs ? Math.Min(epochs * passes, fit.MaxSteps ?? long.MaxValue) : fit.MaxSteps ?? (tuned ? 2 * passes : DefaultSteps);
        return TrainingPlan.From(fit with { Epochs = null, MaxSteps = steps, Beta2 = fit.Beta2 ?? ((fit.Optimizer ?? "adamw") is "adam" or "adamw" or "amsgrad" ? 0.99 : null) }, new TrainingDefaults
        {
            BatchSize = batch,
            Optimizer = "adamw",
            LearningRate = !tuned ? 1e-3 : request.Sequence.LoraRank is null ? 1e-4 : 5e-4, // adapters begin at nothing and bear, and need, larger steps
            EndShare = 0.1,
            L2 = tuned ? 0.01 : 0.1,
            ClipNorm = 1,
            Patience = null,
        }, validated: true);
    }

    /// <summary>Steps between two evaluations.</summary>
    public static long EvaluateEvery(TrainRequest request, TrainingPlan plan) => Math.Min(plan.MaxSteps!.Value, request.Sequence.EvaluateEvery ?? Math.Max(25, (plan.MaxSteps.Value + Evaluations - 1) / Evaluations));
}
