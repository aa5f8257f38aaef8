using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Candela.Training.Tasks;

/// <summary>Scores of tags by written-down features, as of a conditional random field without a net: a weight for each feature and each tag it was seen with, summed over the features that are there.
/// [T, features] of int64, 0 for none -> [T, tags]. Key <c>weight</c> [pairs].</summary>
/// <param name="pairs">The features and their tags.</param>
/// <param name="tags">How many tags.</param>
internal sealed class WideScores(TaggedPairs pairs, int tags) : Layer
{
    private LayerParameter? _weight;

    /// <inheritdoc/>
    public override string TypeId => "wide-scores";

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input) => input.Count == 2 ? input.WithLast(tags) : throw new ShapeException($"Scores of features need examples of [tokens, features]; got {input}.");

    /// <inheritdoc/>
    protected override void OnBuild(Shape input) => _weight = Parameter("weight", [pairs.Tags.Length], static (values, _, _) => values.Clear(), decays: true);

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input)
    {
        Tensor weight = _weight!.Value, host = input.cpu().contiguous();
        ReadOnlySpan<long> features = MemoryMarshal.Cast<byte, long>(host.bytes);
        int width = (int)input.size(-1), tokens = features.Length / width;
        var (taken, cells) = (new List<long>(features.Length), new List<long>(features.Length));
        for (int i = 0; i < features.Length; i++)
        {
            if (features[i] == 0)
                continue;
            for (int p = pairs.Starts[features[i] - 1]; p < pairs.Starts[features[i]]; p++)
            {
                taken.Add(p);
                cells.Add(((long)i / width * tags) + pairs.Tags[p]);
            }
        }

        Tensor scores = zeros([(long)tokens * tags], weight.dtype, weight.device);
        if (taken.Count > 0)
            scores = scores.index_add(0, tensor(cells, device: weight.device), weight.index_select(0, tensor(taken, device: weight.device)), 1);
        return scores.view([.. input.shape[..^1], tags]);
    }
}
