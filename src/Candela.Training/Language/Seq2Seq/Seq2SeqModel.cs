using System.Globalization;
using Candela.Tokenization;

namespace Candela.Training.Language;

/// <summary>An encoder-decoder net with its tokenizer: texts in, texts out. A folder of config.json, tokenizer.json and model.safetensors.</summary>
public sealed class Seq2SeqModel : IDisposable
{
    private const string ConfigFile = "config.json", TokenizerFile = "tokenizer.json";

    private Seq2SeqModel(Seq2SeqConfig config, Tokenizer tokenizer, long seed)
    {
        (Config, Tokenizer, Network) = (config, tokenizer, config.CreateNetwork());
        Network.Build([2, 1], seed);
        Network.eval();
    }

    /// <summary>Its sizes.</summary>
    public Seq2SeqConfig Config { get; }

    /// <summary>Of both sides.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>The net.</summary>
    public Seq2SeqNetwork Network { get; }

    /// <summary>Trained numbers.</summary>
    public long ParameterCount => Network.AllParameters().Sum(p => p.Value.numel());

    /// <summary>A net with random weights.</summary>
    /// <param name="config">Its vocabulary is as large as the tokenizer's.</param>
    /// <param name="tokenizer">Of both sides.</param>
    /// <param name="seed">Of the weights.</param>
    /// <exception cref="UsageException">A size is out of range.</exception>
    public static Seq2SeqModel Create(Seq2SeqConfig config, Tokenizer tokenizer, long seed) => new(config, tokenizer, seed);

    /// <summary>Opens what <see cref="Save"/> wrote.</summary>
    /// <exception cref="FileFormatException">A file is missing, damaged, or of another model.</exception>
    public static Seq2SeqModel Open(string folder)
    {
        string path = Path.Combine(folder, ConfigFile);
        Seq2SeqConfig config = Seq2SeqConfig.Read(path);
        Tokenizer tokenizer = Tokenizer.Load(Path.Combine(folder, TokenizerFile));
        if (tokenizer.VocabularySize > config.VocabularySize)
            throw new FileFormatException(path, Fault.Corrupt, $"the vocabulary has {config.VocabularySize} tokens and {TokenizerFile} {tokenizer.VocabularySize}. One of the files is another model's: restore it or train again.");
        var model = new Seq2SeqModel(config, tokenizer, 0);
        try
        {
            GraphBuilder.LoadWeights(model.Network, Path.Combine(folder, GraphBuilder.WeightsFile));
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Writes all files into an existing folder.</summary>
    public void Save(string folder)
    {
        GraphBuilder.SaveWeights(Network, Path.Combine(folder, GraphBuilder.WeightsFile));
        Tokenizer.Save(Path.Combine(folder, TokenizerFile));
        Config.Write(Path.Combine(folder, ConfigFile));
    }

    /// <summary>The ids of a text and the end.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="most">Ids kept, the end included; what is beyond is left out. 0 (default) for all, or as many as a net with trained positions has.</param>
    public int[] Encode(string text, int most = 0)
    {
        int[] ids = Tokenizer.Encode(text, addSpecialTokens: false);
        int limit = Math.Min(most > 0 ? most : int.MaxValue, Config.LearnedPositions > 0 ? Config.LearnedPositions : int.MaxValue);
        return [.. ids.AsSpan(0, Math.Min(ids.Length, limit - 1)), Config.EosId];
    }

    /// <summary>What the net makes of each text.</summary>
    /// <param name="sources">The texts; white space around them is left out, as it is in training.</param>
    /// <param name="options">Null for beam search with its defaults.</param>
    /// <param name="cancellation">Heeded between steps.</param>
    /// <exception cref="UsageException">An option is out of range.</exception>
    public IReadOnlyList<string> Write(IReadOnlyList<string> sources, Seq2SeqDecoding? options = null, CancellationToken cancellation = default) =>
        [.. Seq2SeqSearch.Write(Network, [.. sources.Select(s => Encode(s.Trim(), Config.MaxSourceTokens))], options, cancellation).Select(ids => Tokenizer.Decode([.. ids], skipSpecialTokens: true).Trim())];

    /// <inheritdoc/>
    public void Dispose() => Network.Dispose();

    /// <summary>The net in a line or two.</summary>
    public override string ToString()
    {
        string net = Config.Architecture == "transformer"
            ? $"Transformer, {Config.Layers} + {Config.Layers} layers, {Config.Heads} heads, {Config.Width} numbers per token, {Config.Hidden} inside"
            : $"{Config.Architecture.ToUpperInvariant()} with additive attention, {Config.Layers} + {Config.Layers} layers, {Config.Width} numbers per token and state";
        return string.Create(CultureInfo.InvariantCulture, $"{net}\n{ParameterCount:N0} parameters, joint vocabulary of {Config.VocabularySize:N0} tokens");
    }
}
