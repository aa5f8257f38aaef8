using static TorchSharp.torch;

namespace Candela.Training.Language;

/// <summary>A net that reads one sequence of tokens and writes another. As a layer an example is [2, length] of ids, the source above the target so far, each filled up with the padding id, and the output
/// [length, vocabulary] the logits of the token after each one of the target. Families: <see cref="TransformerSeq2Seq"/>, <see cref="AttentionSeq2Seq"/>.</summary>
public abstract class Seq2SeqNetwork : Layer
{
    private readonly TokenEmbedding _embedding;

    private protected Seq2SeqNetwork(Seq2SeqConfig config)
    {
        Config = config;
        _embedding = Child("shared", new TokenEmbedding(config.VocabularySize, config.Width, 1 / Math.Sqrt(config.Width)));
    }

    /// <summary>Its sizes.</summary>
    public Seq2SeqConfig Config { get; }

    /// <inheritdoc/>
    public sealed override Shape OutputShape(Shape input) => input.Count == 2 && input[0] == 2 ? [input[1], Config.VocabularySize]
        : throw new ShapeException($"{GetType().Name} needs examples of [2, length] ids; got {input}.");

    /// <summary>The logits of every target token with the ones before it given (teacher forcing).</summary>
    /// <param name="source">Int64 ids [N, S]; what stands behind a sequence's length does not matter.</param>
    /// <param name="lengths">Real tokens of each source, 1..S.</param>
    /// <param name="target">Int64 ids [N, T], the begin id first.</param>
    /// <returns>[N, T, vocabulary], with autograd.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public Tensor Logits(Tensor source, ReadOnlySpan<int> lengths, Tensor target)
    {
        using Tensor hidden = Hidden(source, lengths, target);
        return Project(hidden);
    }

    /// <summary>Reads sources and prepares to write: the state has a row per source.</summary>
    /// <param name="source">Int64 ids [N, S].</param>
    /// <param name="lengths">Real tokens of each.</param>
    /// <returns>The caller disposes it. Call it, and its steps, without autograd.</returns>
    public abstract Seq2SeqState Begin(Tensor source, ReadOnlySpan<int> lengths);

    /// <summary>What <see cref="Project"/> makes logits of: [N, T, width].</summary>
    internal abstract Tensor Hidden(Tensor source, ReadOnlySpan<int> lengths, Tensor target);

    /// <summary>[..., width] -> [..., vocabulary] by the table of token vectors.</summary>
    internal Tensor Project(Tensor hidden) => _embedding.Project(hidden);

    /// <summary>The table of token vectors, [vocabulary, width].</summary>
    internal Tensor Table => _embedding.Weight;

    internal override bool TakesOwnInput(string child) => true;

    /// <inheritdoc/>
    protected override void OnBuild(Shape input) => BuildChild(_embedding, [input[1]]);

    /// <inheritdoc/>
    protected sealed override Tensor Compute(Tensor input)
    {
        using TensorScope scope = TensorScope.Begin();
        Tensor source = input.select(1, 0);
        Tensor counted = source.ne(Config.PadId).sum(1).cpu();
        return scope.Keep(Logits(source, Array.ConvertAll(counted.data<long>().ToArray(), n => (int)n), input.select(1, 1)));
    }

    /// <summary>Vectors of ids, [N, T] -> [N, T, width], times sqrt(width), since as an output matrix the table is that much smaller (Vaswani et al. 2017, section 3.4).</summary>
    private protected Tensor Embed(Tensor ids)
    {
        using Tensor vectors = _embedding.call(ids);
        return vectors.mul(Math.Sqrt(Config.Width));
    }

    /// <summary>0 at real steps and minus infinity behind them, [N, S]; null when every row is full.</summary>
    private protected static Tensor? PaddingMask(ReadOnlySpan<int> lengths, long steps, Tensor like)
    {
        var values = new float[lengths.Length * steps];
        bool full = true;
        for (int n = 0; n < lengths.Length; n++)
        {
            if (lengths[n] < 1 || lengths[n] > steps)
                throw new ShapeException($"Lengths from 1 to {steps} were needed; got {lengths[n]}.");
            full &= lengths[n] == steps;
            values.AsSpan((int)((n * steps) + lengths[n]), (int)(steps - lengths[n])).Fill(float.NegativeInfinity);
        }

        if (full)
            return null;
        using Tensor made = TensorMemory.FromSingles(values, lengths.Length, steps);
        return made.to(like.dtype, like.device);
    }

    private protected void Require(Tensor source, ReadOnlySpan<int> lengths, Tensor? target = null)
    {
        if (source.dim() != 2 || lengths.Length != source.size(0) || (target is not null && (target.dim() != 2 || target.size(0) != source.size(0))))
            throw new ShapeException($"{GetType().Name} needs sources [N, S], a length for each, and targets [N, T]; got [{string.Join(", ", source.shape)}], {lengths.Length} lengths{(target is null ? "" : $" and [{string.Join(", ", target.shape)}]")}.");
    }
}

/// <summary>A net in the middle of writing: what it keeps of the sources and of the tokens so far, a row for each sequence.</summary>
public abstract class Seq2SeqState : IDisposable
{
    private protected Seq2SeqState()
    {
    }

    /// <summary>Sequences.</summary>
    public abstract long Rows { get; }

    /// <summary>The logits after one more token in every row: [rows, vocabulary]; the caller disposes them.</summary>
    /// <param name="tokens">An id for each row, the begin id first.</param>
    public abstract Tensor Step(ReadOnlySpan<long> tokens);

    /// <summary>Takes the given rows, in their order and as often as they are named, in place of the present ones.</summary>
    /// <param name="rows">Numbers of present rows.</param>
    /// <param name="sameSources">True when row i of the new ones has the source of row i now: what is kept of sources then stays as it is. Default false.</param>
    public abstract void Select(ReadOnlySpan<long> rows, bool sameSources = false);

    /// <inheritdoc/>
    public abstract void Dispose();

    private protected static Tensor Index(ReadOnlySpan<long> rows, Tensor like)
    {
        using Tensor made = tensor(rows.ToArray());
        return made.to(like.device);
    }

    private protected static void Pick(ref Tensor kept, Tensor index)
    {
        Tensor picked = kept.index_select(0, index);
        kept.Dispose();
        kept = picked.DetachFromDisposeScope();
    }
}
