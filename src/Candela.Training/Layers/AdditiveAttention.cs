using static TorchSharp.torch;

namespace Candela.Training;

/// <summary>Additive attention: a query q looks at steps m_s of a memory with the weights softmax_s(v . tanh(W q + U m_s + b)). Keys <c>query.weight</c> (W), <c>key</c> (U and b), <c>score.weight</c> (v).
/// As a layer it computes what does not depend on the query, U m + b: [S, memory] -> [S, units]. Source: Bahdanau et al. 2015, appendix A.1.2; checked against double-precision loops.</summary>
internal sealed class AdditiveAttention : Layer
{
    private readonly int _units, _queryWidth;
    private readonly Dense _query, _key, _score;

    /// <param name="units">Width in which query and memory are compared.</param>
    /// <param name="queryWidth">Width of a query.</param>
    public AdditiveAttention(int units, int queryWidth)
    {
        (_units, _queryWidth) = (units, queryWidth);
        _query = Child("query", new Dense(units, bias: false, initializer: Initializers.XavierUniform));
        _key = Child("key", new Dense(units, initializer: Initializers.XavierUniform));
        _score = Child("score", new Dense(1, bias: false, initializer: Initializers.XavierUniform));
    }

    public override string TypeId => "additive-attention";

    public override Shape OutputShape(Shape input) => input.WithLast(_units);

    protected override void OnBuild(Shape input)
    {
        BuildChild(_query, [_queryWidth]);
        BuildChild(_key, input);
        BuildChild(_score, OutputShape(input));
    }

    protected override Tensor Compute(Tensor input) => _key.call(input);

    /// <summary>What a query sees of the memory: [N, memory].</summary>
    /// <param name="query">[N, query width].</param>
    /// <param name="keys">The layer's output for the memory, [N, S, units].</param>
    /// <param name="memory">[N, S, memory].</param>
    /// <param name="mask">Added to scores, [N, S]; null for none.</param>
    public Tensor Attend(Tensor query, Tensor keys, Tensor memory, Tensor? mask)
    {
        using Tensor weights = Weights(query, keys, mask), rows = weights.unsqueeze(1), seen = rows.bmm(memory);
        return seen.squeeze(1);
    }

    /// <summary>The weights, [N, S].</summary>
    public Tensor Weights(Tensor query, Tensor keys, Tensor? mask)
    {
        using Tensor asked = _query.call(query), row = asked.unsqueeze(1), sum = keys.add(row), bent = sum.tanh(), scores = _score.call(bent), flat = scores.squeeze(2);
        using Tensor masked = mask is null ? flat.alias() : flat.add(mask);
        return masked.softmax(-1);
    }

    internal override bool TakesOwnInput(string child) => true;
}
