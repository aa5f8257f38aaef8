using Candela.Formats;
using Candela.Inference.Cache;
using Candela.Inference.Models;
using Candela.Models;
using Candela.Tokenization;

namespace Candela.Inference;

/// <summary>A language model that runs on the processor in managed code. One thread at a time per model, its states included.</summary>
public sealed class LanguageModel : ICausalLm
{
    private readonly ModelShape _shape;
    private readonly DecoderWeights _weights;
    private readonly Decoder _decoder;
    private readonly Step[] _steps = new Step[Decoder.MostSteps];

    private LanguageModel(ModelShape shape, DecoderWeights weights, Tokenizer? tokenizer, IReadOnlyList<int> endTokens, int threads)
    {
        (_shape, _weights, Tokenizer, EndTokens) = (shape, weights, tokenizer, endTokens);
        _decoder = new Decoder(shape, weights, threads);
    }

    /// <summary>The tokenizer in the file, or null when there is none.</summary>
    public Tokenizer? Tokenizer { get; }

    /// <inheritdoc/>
    public int VocabularySize => _shape.Vocabulary;

    /// <inheritdoc/>
    public int ContextLength => _shape.Context;

    /// <summary>Ids after which a text has ended: end of text, and end of turn where the file names one.</summary>
    public IReadOnlyList<int> EndTokens { get; }

    /// <summary>Bytes of weights that each generated token reads.</summary>
    public long BytesPerToken => _weights.BytesPerToken;

    /// <summary>Opens a GGUF file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="threads">Workers; null (default) takes the processors available.</param>
    /// <exception cref="FileFormatException">The file is missing, damaged, or of a kind that is not read; the fault is named.</exception>
    public static LanguageModel Open(string path, int? threads = null)
    {
        if (threads is < 1)
            throw new UsageException($"{threads} threads were asked for; 1 or more were needed.");
        using GgufFile file = GgufFile.Open(path);
        ModelShape shape = GgufModel.Shape(file);
        Tokenizer? tokenizer = file.Metadata.ContainsKey("tokenizer.ggml.model") ? Tokenizer.Load(path) : null;
        int[] ends = [.. new[] { tokenizer?.EosId, (int?)file.Integer("tokenizer.ggml.eot_token_id"), (int?)file.Integer("tokenizer.ggml.eom_token_id") }.OfType<int>().Distinct()];
        return new LanguageModel(shape, GgufModel.Weights(file, shape), tokenizer, ends, threads ?? Environment.ProcessorCount);
    }

    /// <inheritdoc/>
    public ICausalState Begin() => new State(this, _decoder.NewCache());

    /// <inheritdoc/>
    public void Dispose()
    {
        _decoder.Dispose();
        _weights.Dispose();
    }

    private void Read(CacheState cache, ReadOnlySpan<int> tokens, Span<float> logits, bool all)
    {
        if (tokens.Length == 0)
            throw new UsageException("No token was given to read; at least one was needed.");
        if (cache.Length + tokens.Length > _shape.Context)
            throw new UsageException($"{tokens.Length} tokens behind {cache.Length} exceed the model's context of {_shape.Context}. Shorten the text, or roll the state back.");
        foreach (int token in tokens)
        {
            if ((uint)token >= (uint)_shape.Vocabulary)
                throw new UsageException($"Token {token} is not in the vocabulary; ids from 0 to {_shape.Vocabulary - 1} were needed.");
        }

        if (logits.Length != (all ? tokens.Length : 1L) * _shape.Vocabulary)
            throw new ShapeException($"Room for {logits.Length} logits was given; {(all ? tokens.Length : 1)} x {_shape.Vocabulary} were needed.");
        for (int at = 0; at < tokens.Length;)
        {
            int count = Math.Min(Decoder.MostSteps, tokens.Length - at), start = cache.Length;
            cache.Grow(count);
            for (int i = 0; i < count; i++)
                _steps[i] = new Step(cache, tokens[at + i], start + i, all || at + i == tokens.Length - 1);
            _decoder.Run(_steps.AsSpan(0, count), all ? logits.Slice(at * _shape.Vocabulary, count * _shape.Vocabulary) : at + count == tokens.Length ? logits : []);
            at += count;
        }
    }

    private sealed class State(LanguageModel model, CacheState cache) : ICausalState
    {
        public int Length => cache.Length;

        public void Append(ReadOnlySpan<int> tokens, Span<float> logits) => model.Read(cache, tokens, logits, all: false);

        public void AppendAll(ReadOnlySpan<int> tokens, Span<float> logits) => model.Read(cache, tokens, logits, all: true);

        public ICausalState Fork() => new State(model, cache.Fork());

        public void RollBack(int length)
        {
            if (length < 0 || length > cache.Length)
                throw new UsageException($"The state was to be rolled back to {length} tokens; 0 to {cache.Length} was needed.");
            cache.Cut(length);
        }

        public void Dispose() => cache.Dispose();
    }
}
