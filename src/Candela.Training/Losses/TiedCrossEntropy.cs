using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Candela.Training;

/// <summary>Cross-entropy with label smoothing of logits = hidden x table^T, and its gradients, without keeping the logits of all rows: some rows at a time are multiplied, turned in place into the gradient
/// of their logits, and multiplied on. With smoothing s the loss of a row is logsumexp(z) - (1 - s) z_label - s mean(z), in nats. Source: Szegedy et al. 2016, section 7. CPU, float32.</summary>
internal static class TiedCrossEntropy
{
    private const int LogitsAtOnce = 1 << 21; // 8 MB: they stay in the cache between the products

    /// <summary>The summed loss; adds the gradient of <paramref name="scale"/> x the sum to the table's, and runs the hidden rows backwards.</summary>
    /// <param name="hidden">[N, width], with a graph behind it.</param>
    /// <param name="table">[classes, width], a leaf whose gradient exists.</param>
    /// <param name="labels">N of them, below classes.</param>
    /// <param name="smoothing">0 to below 1.</param>
    /// <param name="scale">Factor of the gradients.</param>
    public static double Backward(Tensor hidden, Tensor table, ReadOnlySpan<long> labels, double smoothing, double scale)
    {
        using TensorScope scope = TensorScope.Begin();
        double sum = 0;
        Tensor upstream;
        using (no_grad())
        {
            Tensor rows = hidden.detach(), weights = table.detach(), gradient = table.grad!;
            upstream = empty_like(rows);
            int classes = (int)table.size(0), most = Math.Max(1, LogitsAtOnce / classes);
            for (int first = 0; first < labels.Length; first += most)
            {
                using TensorScope inner = TensorScope.Begin();
                int count = Math.Min(most, labels.Length - first);
                Tensor some = rows.narrow(0, first, count), logits = nn.functional.linear(some, weights);
                Span<float> values = TensorMemory.Singles(logits);
                for (int n = 0; n < count; n++)
                    sum += Row(values.Slice(n * classes, classes), (int)labels[first + n], (float)smoothing, (float)scale);
                upstream.narrow(0, first, count).copy_(Ops.MatMul(logits, weights));
                gradient.addmm_(logits.t(), some);
            }
        }

        hidden.backward([upstream]);
        return sum;
    }

    /// <summary>The loss of a row of logits, which become the gradient times <paramref name="scale"/>.</summary>
    public static double Row(Span<float> logits, int label, float smoothing, float scale)
    {
        float top = TensorPrimitives.Max(logits), labelled = logits[label], mean = smoothing > 0 ? TensorPrimitives.Sum(logits) / logits.Length : 0;
        TensorPrimitives.Subtract(logits, top, logits);
        TensorPrimitives.Exp(logits, logits);
        float total = TensorPrimitives.Sum(logits);
        TensorPrimitives.Multiply(logits, scale / total, logits);
        if (smoothing > 0)
            TensorPrimitives.Subtract(logits, scale * smoothing / logits.Length, logits);
        logits[label] -= scale * (1 - smoothing);
        return top + Math.Log(total) - ((1 - smoothing) * labelled) - (smoothing * mean);
    }
}
