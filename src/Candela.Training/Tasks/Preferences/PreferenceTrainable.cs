using Candela.Data;
using static TorchSharp.torch;

namespace Candela.Training.Tasks;

/// <summary>A language model as <see cref="TrainingLoop"/> trains it by direct preference optimisation (Rafailov et al. 2023, equation 7): of each pair the loss is <c>-log sigmoid(beta m)</c>, where the margin
/// <c>m</c> is how much more the model than the reference prefers the chosen answer, <c>(log p(chosen) - log r(chosen)) - (log p(rejected) - log r(rejected))</c>, sums over the tokens of the answers. With
/// a smoothing e the label is taken to be wrong that often: <c>-(1 - e) log sigmoid(beta m) - e log sigmoid(-beta m)</c> (Mitchell 2023). The network stays in evaluation mode: with the dropout of its
/// pre-training an unchanged model would already differ from the reference.</summary>
/// <param name="network">Built, [N, T] ids to [N, T, V] logits; it stays the caller's.</param>
/// <param name="beta">How strongly the model is held to the reference, above 0.</param>
/// <param name="smoothing">Share of wrong labels, 0 to below 0.5.</param>
/// <param name="batchSize">Pairs of an evaluation batch.</param>
internal sealed class PreferenceTrainable(Layer network, double beta, double smoothing, int batchSize) : LayerTrainable<PreferenceBatch>(network, 0)
{
    /// <inheritdoc/>
    protected override bool Drops => false;

    /// <inheritdoc/>
    public override ValidationResult Evaluate(IBatchSource<PreferenceBatch> rows)
    {
        BeginEvaluation();
        BatchLoss total = default;
        foreach (PreferenceBatch batch in rows.Batches(new BatchPlan(batchSize)))
        {
            double[] sums = Sums(Network, batch, Device);
            for (int i = 0; i < batch.Count; i++)
                total += new BatchLoss(PreferenceScores.Loss(beta * (sums[i] - sums[batch.Count + i] - batch.References[i]), smoothing), 1);
        }

        return new ValidationResult(total.Mean, null);
    }

    /// <summary>The log-probabilities of all answers under a network in evaluation mode, in the order of the pairs.</summary>
    public static AnswerLikelihoods Likelihoods(Layer network, PreferenceTokens pairs, int batchSize, Device device, CancellationToken cancellation)
    {
        var (chosen, rejected) = (new List<double>(), new List<double>());
        foreach (PreferenceBatch batch in pairs.Batches(new BatchPlan(batchSize)))
        {
            cancellation.ThrowIfCancellationRequested();
            double[] sums = Sums(network, batch, device);
            chosen.AddRange(sums.AsSpan(0, batch.Count));
            rejected.AddRange(sums.AsSpan(batch.Count));
        }

        return new AnswerLikelihoods([.. chosen], [.. rejected]);
    }

    /// <inheritdoc/>
    protected override Tensor MeanLoss(PreferenceBatch batch)
    {
        Tensor sums = LogProbabilities(Network, batch, Device);
        Tensor margins = (sums.narrow(0, 0, batch.Count) - sums.narrow(0, batch.Count, batch.Count) - tensor(batch.References).to(Device)) * beta;
        Tensor loss = -nn.functional.logsigmoid(margins).mean() * (1 - smoothing);
        if (smoothing > 0)
            loss -= nn.functional.logsigmoid(-margins).mean() * smoothing;
        return loss;
    }

    private static double[] Sums(Layer network, PreferenceBatch batch, Device device)
    {
        using TensorScope scope = TensorScope.Begin();
        using IDisposable quiet = no_grad();
        return [.. LogProbabilities(network, batch, device).cpu().data<double>()];
    }

    // [2 Count], summed over the tokens of each answer, in double precision: margins are differences of large sums.
    private static Tensor LogProbabilities(Layer network, PreferenceBatch batch, Device device)
    {
        int sequences = 2 * batch.Count, tokens = sequences * batch.Length;
        Tensor logits = network.call(tensor(batch.Inputs, [sequences, batch.Length], ScalarType.Int64).to(device));
        Tensor losses = nn.functional.cross_entropy(logits.view(tokens, logits.size(2)), tensor(batch.Targets, [tokens], ScalarType.Int64).to(device), ignore_index: TokenBatch.Ignored, reduction: nn.Reduction.None);
        return -losses.view(sequences, batch.Length).to(ScalarType.Float64).sum(1);
    }
}

/// <summary>Log-probabilities of answers given their prompts, in nats.</summary>
/// <param name="Chosen">Of the preferred ones.</param>
/// <param name="Rejected">Of the others.</param>
internal sealed record AnswerLikelihoods(double[] Chosen, double[] Rejected)
{
    /// <summary>By how much the preferred one is likelier.</summary>
    public double[] Margins => [.. Chosen.Zip(Rejected, (c, r) => c - r)];
}
