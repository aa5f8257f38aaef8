using Candela.Metrics;

namespace Candela.Evaluation;

/// <summary>Lower 95 % bounds (2.5 % below) of metrics that are perfect on the rows at hand. No resample of such rows differs, so the bootstrap says nothing; Obuchowski and
/// Lieber 2002 ("Confidence bounds when the estimated ROC area is 1.0") describe the trouble. All bounds here are closed forms and conservative:
/// <list type="bullet">
/// <item>the share of right rows is at least 0.025^(1/n) (Clopper and Pearson 1934; about 1 - 3.7 / n, the "rule of three" at one side of 2.5 %);</item>
/// <item>F1, precision, recall and MCC: their value on these classes when the share of wrong rows is as large as that bound allows and all wrong rows are of the one confusion, class c
/// taken for class d, that costs most;</item>
/// <item>ROC AUC of a class with m rows on its rarer side: m pairs of one row from each side can be drawn without using a row twice, each is in the right order with probability AUC, and all m
/// are, so AUC is at least 0.025^(1/m). The average over C classes of at least 2k rows is at least 0.025^(1/(Ck)): Ck such pairs, and a product of C areas is at most their mean to the power C;</item>
/// <item>average precision: the least that an AUC of 1 - d allows. With x(t) the share of negatives above the t-th positive, the mean of x is d and AP is the integral of t / (t + r x(t)),
/// r negatives per positive; that is convex in x, and its minimum over all x of mean d is 1 - sqrt(6 r d) / 3 up to r d = 1/6, and 4 / (9 (r d + 1/2)) beyond.</item>
/// </list></summary>
internal static class PerfectScores
{
    private const double Tail = 0.025;
    private const int ClassesTried = 3;

    /// <summary>Least share of rows with a property that all <paramref name="rows"/> of them have.</summary>
    public static double Share(double rows, double tail = Tail) => Math.Pow(tail, 1 / rows);

    /// <summary>Least value of a metric of a confusion matrix whose rows are all on the diagonal.</summary>
    public static double Confused(ConfusionMatrix perfect, Func<ConfusionMatrix, double> metric)
    {
        const long Scale = 1_000_000; // parts of a row, so that the share need not be of whole rows
        long wrong = (long)Math.Ceiling((1 - Share(perfect.Total)) * perfect.Total * Scale);
        int[] classes = [.. Enumerable.Range(0, perfect.Classes).OrderBy(perfect.Support)];
        int[] tried = [.. classes.Where(c => perfect.Support(c) > 0).Take(ClassesTried).Concat(classes.TakeLast(ClassesTried)).Distinct()];
        double least = metric(perfect);
        foreach (int to in tried)
            foreach (int from in tried.Where(c => c != to && perfect.Support(c) > 0))
                least = Math.Min(least, metric(Move(perfect, from, to, wrong, Scale, classes)));
        return least;
    }

    /// <summary>Least mean ROC AUC over classes that are all ranked perfectly.</summary>
    /// <param name="positives">Rows of each ranked class.</param>
    /// <param name="rows">All rows.</param>
    public static double Roc(IReadOnlyList<long> positives, long rows)
    {
        if (positives.Count == 1)
            return Share(Math.Min(positives[0], rows - positives[0]));
        double each = positives.Average(p => Share(Math.Min(p, rows - p), Tail / positives.Count)); // Bonferroni
        long pairs = positives.Min() / 2;
        return pairs == 0 ? each : Math.Max(each, Share(positives.Count * pairs)); // the numbers of rows are no evidence about the ranking, so the better bound may be chosen
    }

    /// <summary>Least mean average precision over classes that are all ranked perfectly.</summary>
    public static double Precision(IReadOnlyList<long> positives, long rows) => positives.Average(p =>
    {
        double missing = 1 - Share(Math.Min(p, rows - p), Tail / positives.Count), negatives = missing * (rows - p) / p;
        return negatives <= 1.0 / 6 ? 1 - (Math.Sqrt(6 * negatives) / 3) : 4 / (9 * (negatives + 0.5));
    });

    // The wrong rows are taken from one class, and when it has no more from the next smallest ones.
    private static ConfusionMatrix Move(ConfusionMatrix perfect, int from, int to, long wrong, long scale, int[] classes)
    {
        var moved = new ConfusionMatrix(perfect.Classes);
        foreach (int c in classes.Where(c => c != from && c != to).Prepend(from))
        {
            long taken = Math.Min(wrong, perfect.Support(c) * scale);
            wrong -= taken;
            moved.Add(c, to, taken);
            moved.Add(c, c, (perfect.Support(c) * scale) - taken);
        }

        moved.Add(to, to, perfect.Support(to) * scale);
        return moved;
    }
}
