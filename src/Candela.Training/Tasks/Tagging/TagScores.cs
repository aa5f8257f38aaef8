using Candela.Evaluation;
using Candela.Language;
using Candela.Metrics;
using Candela.Models;

namespace Candela.Training.Tasks;

/// <summary>How well tags are predicted.</summary>
internal static class TagScores
{
    private const int Named = 5;

    /// <summary>The number by which epochs are compared: F1 of spans, or the share of right tags.</summary>
    public static double Score(IReadOnlyList<IReadOnlyList<string>> actual, IReadOnlyList<IReadOnlyList<string>> predicted, bool spans)
    {
        if (spans)
            return SpanF1.Of(actual, predicted).All.F1;
        long right = 0, all = 0;
        for (int i = 0; i < actual.Count; i++)
            (right, all) = (right + Right(actual[i], predicted[i]), all + actual[i].Count);
        return all == 0 ? 0 : (double)right / all;
    }

    /// <summary>Accuracy over tokens, and precision, recall and F1 of spans if tags mark them, else the mean F1 of the classes, with intervals over sentences.</summary>
    public static SplitEvaluation Of(IReadOnlyList<TaggedSentence> sentences, IReadOnlyList<IReadOnlyList<string>> predicted, bool spans, long seed)
    {
        IReadOnlyList<string>[] actual = [.. sentences.Select(s => s.Tags)];
        double[] right = new double[actual.Length], all = new double[actual.Length];
        for (int i = 0; i < actual.Length; i++)
            (right[i], all[i]) = (Right(actual[i], predicted[i]), actual[i].Count);
        var metrics = new Dictionary<string, MetricValue> { ["accuracy"] = RatioBootstrap.Interval(right, all, seed) };
        if (!spans)
        {
            metrics["f1Macro"] = SpanF1.Of(AsSpans(actual), AsSpans(predicted)).Metrics(seed)["f1Macro"];
        }
        else
        {
            foreach ((string name, MetricValue value) in SpanF1.Of(actual, predicted).Metrics(seed))
            {
                if (name != "tokenAccuracy") // the accuracy above
                    metrics[name] = value;
            }
        }

        return new SplitEvaluation { Rows = (long)all.Sum(), SplitRows = (long)all.Sum(), Metrics = metrics };
    }

    /// <summary>By how much other predictions are above a net's on the same sentences: in F1 of spans, or in the share of right tags.</summary>
    public static MetricValue OverNet(IReadOnlyList<TaggedSentence> sentences, IReadOnlyList<IReadOnlyList<string>> other, IReadOnlyList<IReadOnlyList<string>> net, bool spans, long seed)
    {
        int count = sentences.Count;
        double[][] sums = [new double[count], new double[count], new double[count], new double[count]];
        for (int i = 0; i < count; i++)
        {
            (sums[0][i], sums[1][i]) = Parts(sentences[i].Tags, other[i], spans);
            (sums[2][i], sums[3][i]) = Parts(sentences[i].Tags, net[i], spans);
        }

        return RatioBootstrap.Difference(sums[0], sums[1], sums[2], sums[3], seed);
    }

    // What is summed over sentences above and below the line.
    private static (double Above, double Below) Parts(IReadOnlyList<string> actual, IReadOnlyList<string> predicted, bool spans)
    {
        if (!spans)
            return (Right(actual, predicted), actual.Count);
        SpanTypeScore counts = SpanF1.Of([actual], [predicted]).All;
        return (2.0 * counts.Correct, counts.Actual + counts.Predicted);
    }

    // Each token a span of its own, so that types are classes.
    private static IReadOnlyList<string>[] AsSpans(IReadOnlyList<IReadOnlyList<string>> tags) => [.. tags.Select(sentence => (IReadOnlyList<string>)[.. sentence.Select(tag => "B-" + tag)])];

    /// <summary>Reports tags that a tagger cannot give, if there are any.</summary>
    /// <param name="source">Where the sentences are from.</param>
    /// <param name="sentences">They.</param>
    /// <param name="known">The tagger's tags.</param>
    /// <param name="events">Hears a <c>tags-unseen</c> warning.</param>
    /// <exception cref="DataException">None of the tags is known.</exception>
    public static void WarnOfUnseen(string source, IReadOnlyList<TaggedSentence> sentences, IReadOnlyList<string> known, IProgress<TrainEvent> events)
    {
        var tags = new HashSet<string>(known, StringComparer.Ordinal);
        string[] all = [.. sentences.SelectMany(s => s.Tags)], unseen = [.. all.Where(t => !tags.Contains(t))], kinds = [.. unseen.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        if (kinds.Length == 0)
            return;
        string named = $"{string.Join(", ", kinds.Take(Named).Select(t => $"'{t}'"))}{(kinds.Length > Named ? ", ..." : "")}";
        if (unseen.Length == all.Length)
            throw new DataException($"{source}: none of its tags ({named}) is one the tagger gives ({string.Join(", ", known.Take(Named).Select(t => $"'{t}'"))}{(known.Count > Named ? ", ..." : "")}). Data with the tags of training was needed, in the same column.");
        events.Report(new Warned("tags-unseen", $"{source}: {unseen.Length:N0} of {all.Length:N0} tokens have tags that the training sentences do not have ({named}); they count as wrong."));
    }

    private static int Right(IReadOnlyList<string> actual, IReadOnlyList<string> predicted)
    {
        int right = 0;
        for (int t = 0; t < actual.Count; t++)
            right += actual[t] == predicted[t] ? 1 : 0;
        return right;
    }
}
