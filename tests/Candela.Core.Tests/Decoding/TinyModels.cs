using Candela.Models;

namespace Candela.Core.Tests.Decoding;

/// <summary>A model whose logits are any function of the tokens read. Counts what is read and what is left open.</summary>
internal sealed class FunctionModel(int vocabularySize, int contextLength, Func<IReadOnlyList<int>, float[]> logits) : ICausalLm
{
    public int VocabularySize { get; } = vocabularySize;

    public int ContextLength { get; } = contextLength;

    public int TokensRead { get; private set; }

    public int OpenStates { get; private set; }

    public Action? OnAppend { get; set; }

    public ICausalState Begin() => new State(this, []);

    public void Dispose() { }

    /// <summary>Logits after a token are a row of the table.</summary>
    public static FunctionModel Markov(float[][] table, int contextLength = 64) => new(table.Length, contextLength, tokens => table[tokens[^1]]);

    /// <summary>Logits depend on all tokens read, in order, without a pattern; uniform in [-3, 3).</summary>
    public static FunctionModel Hash(int vocabularySize, long seed, int contextLength = 64) => new(vocabularySize, contextLength, tokens =>
    {
        ulong history = (ulong)seed;
        foreach (int token in tokens)
            history = Rng.Mix(history + (ulong)token + 1);
        var rng = new Rng((long)history);
        var row = new float[vocabularySize];
        for (int i = 0; i < row.Length; i++)
            row[i] = (float)((6 * rng.NextDouble()) - 3);
        return row;
    });

    /// <summary>Log-probabilities after tokens, in double precision, without the code under test.</summary>
    public double[] Reference(IReadOnlyList<int> tokens)
    {
        double[] row = Array.ConvertAll(logits(tokens), x => (double)x);
        double sum = Math.Log(row.Sum(Math.Exp));
        return Array.ConvertAll(row, x => x - sum);
    }

    private sealed class State : ICausalState
    {
        private readonly FunctionModel _model;
        private readonly List<int> _tokens;
        private bool _disposed;

        public State(FunctionModel model, List<int> tokens)
        {
            (_model, _tokens) = (model, tokens);
            model.OpenStates++;
        }

        public int Length => _tokens.Count;

        public void Append(ReadOnlySpan<int> tokens, Span<float> logits)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            Assert.False(tokens.IsEmpty);
            Assert.Equal(_model.VocabularySize, logits.Length);
            Assert.True(_tokens.Count + tokens.Length <= _model.ContextLength);
            _model.OnAppend?.Invoke();
            _tokens.AddRange(tokens);
            _model.TokensRead += tokens.Length;
            _model.Row(_tokens).CopyTo(logits);
        }

        public void AppendAll(ReadOnlySpan<int> tokens, Span<float> logits)
        {
            Assert.Equal(tokens.Length * _model.VocabularySize, logits.Length);
            for (int i = 0; i < tokens.Length; i++)
                Append(tokens.Slice(i, 1), logits.Slice(i * _model.VocabularySize, _model.VocabularySize));
        }

        public ICausalState Fork()
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return new State(_model, [.. _tokens]);
        }

        public void RollBack(int length)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _tokens.RemoveRange(length, _tokens.Count - length);
        }

        public void Dispose()
        {
            if (!_disposed)
                _model.OpenStates--;
            _disposed = true;
        }
    }

    private float[] Row(IReadOnlyList<int> tokens) => logits(tokens);
}
