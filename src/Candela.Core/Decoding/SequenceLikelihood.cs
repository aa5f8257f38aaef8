using System.Runtime.InteropServices;
using Candela.Models;

namespace Candela.Decoding;

/// <summary>How likely a model holds given tokens: continuations of a context, and long streams (perplexity). Keeps one state between calls and reads again only what differs from the last context, so that contexts
/// with a common beginning (the same few-shot examples) cost that beginning once. One thread at a time; dispose before the model.</summary>
public sealed class SequenceLikelihood : IDisposable
{
    private const int LogitsAtOnce = 1 << 22;

    private readonly ICausalLm _model;
    private readonly List<int> _read = [];
    private readonly float[] _next;
    private ICausalState? _state;
    private float[] _rows = [];
    private int _nextAt = -1; // length of what was read when _next was given

    /// <summary>Begins with an empty state.</summary>
    public SequenceLikelihood(ICausalLm model) => (_model, _next) = (model, new float[model.VocabularySize]);

    /// <summary>Log-probability of each continuation after a context. When both together exceed what the model can hold (ContextLength inputs), the oldest tokens of the context are left out.</summary>
    /// <param name="context">At least one id.</param>
    /// <param name="continuations">Each of at least one id.</param>
    /// <param name="cancellationToken">Heeded between continuations.</param>
    /// <exception cref="UsageException">An empty context or continuation, or a continuation longer than the model's context.</exception>
    public IReadOnlyList<ContinuationLikelihood> Score(ReadOnlySpan<int> context, IReadOnlyList<int[]> continuations, CancellationToken cancellationToken = default)
    {
        if (context.IsEmpty)
            throw new UsageException("The context holds no token; begin with the model's begin-of-text token.");
        var scores = new ContinuationLikelihood[continuations.Count];
        for (int i = 0; i < scores.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int[] continuation = continuations[i];
            if (continuation.Length == 0 || continuation.Length > _model.ContextLength)
                throw new UsageException($"Continuation {i + 1} holds {continuation.Length:N0} tokens; needed are 1 to {_model.ContextLength:N0}, the model's context.");
            int room = _model.ContextLength - continuation.Length + 1;
            ReadOnlySpan<int> kept = context.Length > room ? context[^room..] : context;
            Read(kept);
            double sum = 0;
            bool greedy = true;
            Add(_next, continuation[0], ref sum, ref greedy);
            ReadScored(continuation.AsSpan(0, continuation.Length - 1), continuation.AsSpan(1), ref sum, ref greedy, cancellationToken);
            RollBack(kept.Length);
            scores[i] = new ContinuationLikelihood(sum, continuation.Length, greedy, context.Length - kept.Length);
        }

        return scores;
    }

    /// <summary>Negative log-likelihood of a stream, each token but the first counted once. The first window predicts up to <paramref name="context"/> tokens; each later one predicts the next
    /// <paramref name="stride"/> tokens from the <paramref name="context"/> tokens that come before each window's end: a small stride gives every token a long history and costs more.</summary>
    /// <param name="tokens">At least two ids; begin with the begin-of-text token to have every token of the text counted.</param>
    /// <param name="context">Tokens a window reads, 1 to the model's context length; 0 is that length.</param>
    /// <param name="stride">Tokens a later window predicts, 1 to <paramref name="context"/>; 0 is that.</param>
    /// <param name="cancellationToken">Heeded between blocks.</param>
    /// <exception cref="UsageException">A number is out of range.</exception>
    public StreamLikelihood Stream(ReadOnlySpan<int> tokens, int context = 0, int stride = 0, CancellationToken cancellationToken = default)
    {
        context = context == 0 ? _model.ContextLength : context;
        stride = stride == 0 ? context : stride;
        if (tokens.Length < 2)
            throw new UsageException($"The stream holds {tokens.Length} tokens; at least 2 are needed.");
        if (context < 1 || context > _model.ContextLength)
            throw new UsageException($"A context of {context} was given; needed is 1 to {_model.ContextLength}, the model's.");
        if (stride < 1 || stride > context)
            throw new UsageException($"A stride of {stride} was given; needed is 1 to the context, {context}.");
        double sum = 0;
        bool greedy = true;
        for (int predicted = 1; predicted < tokens.Length;)
        {
            int end = Math.Min(tokens.Length, predicted == 1 ? 1 + context : predicted + stride), begin = Math.Max(0, end - 1 - context);
            RollBack(0);
            int before = predicted - 1 - begin; // read for their history only
            if (before > 0)
                Read(tokens.Slice(begin, before));
            ReadScored(tokens[(predicted - 1)..(end - 1)], tokens[predicted..end], ref sum, ref greedy, cancellationToken);
            predicted = end;
        }

        return new StreamLikelihood(-sum, tokens.Length - 1);
    }

    /// <summary>Frees the state.</summary>
    public void Dispose() => _state?.Dispose();

    /// <summary>Makes the state hold exactly these tokens, with the logits after them in <c>_next</c>.</summary>
    private void Read(ReadOnlySpan<int> tokens)
    {
        _state ??= _model.Begin();
        int same = CollectionsMarshal.AsSpan(_read).CommonPrefixLength(tokens);
        if (same == tokens.Length && _nextAt == same)
        {
            RollBack(same);
            return;
        }

        same = Math.Min(same, tokens.Length - 1); // the last is read again for its logits
        RollBack(same);
        _state.Append(tokens[same..], _next);
        _read.AddRange(tokens[same..]);
        _nextAt = _read.Count;
    }

    /// <summary>Reads tokens after what was read and adds up the log-probabilities of what follows each.</summary>
    private void ReadScored(ReadOnlySpan<int> tokens, ReadOnlySpan<int> following, ref double sum, ref bool greedy, CancellationToken cancellationToken)
    {
        _state ??= _model.Begin();
        int vocabulary = _model.VocabularySize, most = Math.Clamp(LogitsAtOnce / vocabulary, 1, 512);
        for (int at = 0; at < tokens.Length; at += most)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadOnlySpan<int> some = tokens.Slice(at, Math.Min(most, tokens.Length - at));
            if (_rows.Length < some.Length * vocabulary)
                _rows = new float[some.Length * vocabulary];
            _state.AppendAll(some, _rows.AsSpan(0, some.Length * vocabulary));
            _read.AddRange(some);
            for (int i = 0; i < some.Length; i++)
                Add(_rows.AsSpan(i * vocabulary, vocabulary), following[at + i], ref sum, ref greedy);
        }
    }

    private void RollBack(int length)
    {
        if (_state is null || _read.Count <= length)
            return;
        _state.RollBack(length);
        _read.RemoveRange(length, _read.Count - length);
        if (length < _nextAt)
            _nextAt = -1;
    }

    private static void Add(ReadOnlySpan<float> logits, int token, ref double sum, ref bool greedy)
    {
        if ((uint)token >= (uint)logits.Length)
            throw new UsageException($"Token id {token} was given; the model's ids are 0 to {logits.Length - 1}. Use the tokenizer of this model.");
        sum += logits[token] - LogProbability.LogSumExp(logits);
        greedy = greedy && LogProbability.Greedy(logits) == token;
    }
}
