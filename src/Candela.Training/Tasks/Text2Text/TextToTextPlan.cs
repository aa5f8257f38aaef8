using System.Globalization;
using Candela.Data;
using Candela.Experiments;
using Candela.Language;
using Candela.Models;
using Candela.Tokenization;
using Candela.Training.Language;

namespace Candela.Training.Tasks;

/// <summary>What a text-to-text training does where the request leaves the choice.</summary>
internal static class TextToTextPlan
{
    /// <summary>Texts written after each epoch to see how well.</summary>
    public const int ScoredTexts = 200;

    public const double LabelSmoothing = 0.1;

    private const int FewPairs = 10_000; // a Transformer needs more than this to learn where to look
    private const int MostCharacters = 150, LongestByCharacter = 48;
    private const long ShortestForPieces = 2_000_000;
    private const string Pad = "<pad>", Begin = "<s>", End = "</s>", Unknown = "<unk>";

    /// <summary>The tokenizer of both sides, trained on the training pairs unless it is a file.</summary>
    public static Tokenizer Tokenizer(TrainRequest request, IReadOnlyList<TextPair> pairs)
    {
        IEnumerable<string> texts = pairs.SelectMany(p => new[] { p.Source, p.Target });
        long characters = pairs.Sum(p => (long)p.Source.Length + p.Target.Length);
        string asked = request.Sequence.Tokenizer ?? (characters <= ShortestForPieces && characters <= 2L * LongestByCharacter * pairs.Count && texts.SelectMany(t => t.EnumerateRunes()).Distinct().Count() <= MostCharacters ? "char" : "bpe");
        return asked switch
        {
            "char" => TokenizerTrainer.Characters(texts, new CharacterTrainingOptions { SpecialTokens = [Pad, Begin, End, Unknown], UnknownToken = Unknown }),
            "bpe" => TokenizerTrainer.Bpe(texts, new BpeTrainingOptions { VocabularySize = request.Sequence.Vocabulary ?? (int)Math.Clamp(4 * Math.Sqrt(characters) / 100, 10, 160) * 100, SpecialTokens = [Pad, Begin, End] }),
            _ when File.Exists(asked) || Directory.Exists(asked) => Load(asked),
            _ => throw new UsageException($"--tokenizer {asked} is neither char nor bpe, and there is no such file. Give one of these, or a tokenizer.json."),
        };
    }

    /// <summary>The net: <c>auto</c> takes the Transformer where there are many pairs.</summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="tokenizer">Of both sides.</param>
    /// <param name="pairs">Training pairs.</param>
    /// <param name="longest">Tokens of the longest training target, its end included.</param>
    /// <param name="block">Most tokens of a side.</param>
    public static Seq2SeqConfig Config(TrainRequest request, Tokenizer tokenizer, int pairs, int longest, int block)
    {
        SequenceOptions net = request.Sequence;
        string architecture = request.Model == "auto" ? pairs > FewPairs ? "transformer" : "gru" : request.Model;
        bool transformer = architecture == "transformer", letters = tokenizer.VocabularySize < 1000; // few different tokens: short texts of characters
        int Id(string token, int? known) => known ?? tokenizer.IdOf(token) ?? throw new UsageException($"--tokenizer {net.Tokenizer} has no token {token}; one for padding, one for the begin and one for the end of a text are needed. Leave it out to have one trained.");
        return new Seq2SeqConfig
        {
            Architecture = architecture,
            VocabularySize = tokenizer.VocabularySize,
            Width = net.Width ?? (letters ? 128 : 256),
            Layers = net.Layers ?? (transformer ? letters ? 2 : 3 : 1),
            Heads = net.Heads ?? 4,
            Dropout = request.Fit.Dropout ?? (letters ? 0.1 : pairs > FewPairs ? 0.2 : 0.3),
            MaxTokens = Math.Min(block, longest + (longest / 4) + 2),
            MaxSourceTokens = block,
            PadId = Id(Pad, tokenizer.PadId),
            BosId = Id(Begin, tokenizer.BosId),
            EosId = Id(End, tokenizer.EosId),
        };
    }

    /// <summary>Why the net is the one it is.</summary>
    public static string Reason(TrainRequest request, Seq2SeqConfig config, int pairs) => request.Model != "auto" ? "It was asked for." : string.Create(CultureInfo.InvariantCulture,
        $"Of {pairs:N0} training pairs {(config.Architecture == "transformer" ? $"a Transformer can learn; up to {FewPairs:N0} a recurrent net with attention would have been taken" : $"a recurrent net with attention learns more than a Transformer, which is taken above {FewPairs:N0}")}.");

    /// <summary>Most tokens of a side.</summary>
    public static int Block(TrainRequest request, TaskKind task) => request.Sequence.Block ?? (task == TaskKind.Summarization ? 512 : 128);

    /// <summary>Tokens of a batch on the longer side.</summary>
    public static int BatchTokens(TrainRequest request, int pairs) => request.Fit.BatchSize ?? (pairs > FewPairs ? 1536 : 1024);

    /// <summary>Every setting of the training. A batch is one row to the loop.</summary>
    public static TrainingPlan Training(FitOptions fit, Seq2SeqConfig config, int pairs, bool validated)
    {
        bool transformer = config.Architecture == "transformer";
        return TrainingPlan.From(fit with { BatchSize = 1, Beta2 = fit.Beta2 ?? ((fit.Optimizer ?? "adamw") is "adam" or "adamw" or "amsgrad" ? 0.98 : null) }, new TrainingDefaults
        {
            Epochs = Math.Clamp(300_000 / Math.Max(1, pairs), 8, 60),
            BatchSize = 1,
            LearningRate = transformer ? 1e-3 : 2e-3,
            EndShare = 0.01,
            L2 = 0.01,
            ClipNorm = 1,
            Patience = 8,
        }, validated);
    }

    private static Tokenizer Load(string path) => Candela.Tokenization.Tokenizer.Load(path);
}
