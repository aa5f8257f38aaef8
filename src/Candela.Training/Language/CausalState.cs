using Candela.Models;
using static TorchSharp.torch;

namespace Candela.Training.Language;

/// <summary>A sequence read by a network, with its cache.</summary>
internal sealed class CausalState(CausalNetwork network, KvCache cache) : ICausalState
{
    private const int Chunk = 512; // tokens of one pass: bounds the scores and logits held at once

    public int Length => cache.Length;

    public void Append(ReadOnlySpan<int> tokens, Span<float> logits)
    {
        Check(tokens);
        if (logits.Length != network.VocabularySize)
            throw new ShapeException($"Logits of one token take {network.VocabularySize} numbers; got room for {logits.Length}.");
        for (int at = 0; at < tokens.Length; at += Chunk)
            Read(tokens.Slice(at, Math.Min(Chunk, tokens.Length - at)), at + Chunk >= tokens.Length ? logits : default, lastOnly: true);
    }

    public void AppendAll(ReadOnlySpan<int> tokens, Span<float> logits)
    {
        Check(tokens);
        int width = network.VocabularySize;
        if (logits.Length != (long)tokens.Length * width)
            throw new ShapeException($"Logits of {tokens.Length} tokens take {(long)tokens.Length * width} numbers; got room for {logits.Length}.");
        for (int at = 0; at < tokens.Length; at += Chunk)
        {
            int count = Math.Min(Chunk, tokens.Length - at);
            Read(tokens.Slice(at, count), logits.Slice(at * width, count * width), lastOnly: false);
        }
    }

    public ICausalState Fork() => new CausalState(network, cache.Fork());

    public void RollBack(int length)
    {
        if (length < 0 || length > Length)
            throw new UsageException($"A state of {Length} tokens can be rolled back to 0 to {Length}; got {length}.");
        cache.RollBack(length);
    }

    public void Dispose() => cache.Dispose();

    private void Read(ReadOnlySpan<int> tokens, Span<float> logits, bool lastOnly)
    {
        using var scope = TensorScope.Begin();
        using IDisposable quiet = no_grad();
        bool training = network.training;
        if (training)
            network.eval();
        try
        {
            var ids = new long[tokens.Length];
            for (int i = 0; i < ids.Length; i++)
                ids[i] = tokens[i];
            Tensor input = tensor(ids, [1, ids.Length]);
            Tensor result = network.Run(network.Place(input), cache, lastOnly);
            if (!logits.IsEmpty)
                TensorMemory.Singles(result.to(ScalarType.Float32).cpu().contiguous()).CopyTo(logits);
        }
        finally
        {
            if (training)
                network.train();
        }
    }

    private void Check(ReadOnlySpan<int> tokens)
    {
        if (tokens.IsEmpty)
            throw new UsageException("At least one token was needed; got none. An empty prompt begins with the BOS token.");
        if (tokens.Length > network.ContextLength - Length)
            throw new UsageException($"The context holds {network.ContextLength} tokens: {Length} are there and {tokens.Length} more were given.");
        foreach (int id in tokens)
        {
            if ((uint)id >= (uint)network.VocabularySize)
                throw new UsageException($"Token id {id} is outside the vocabulary, 0 to {network.VocabularySize - 1}.");
        }
    }
}
