using Candela.Data;

namespace Candela.Experiments;

/// <summary>What decided between families.</summary>
/// <param name="Index">The chosen one, in the order they were given.</param>
/// <param name="Scores">The selection score of each: accuracy, or R2.</param>
/// <param name="Reason">A sentence with the numbers.</param>
internal sealed record Choice(int Index, IReadOnlyList<double> Scores, string Reason);

/// <summary>Chooses between fitted families by their scores of the same held-out rows. Classification: the highest accuracy; among the families whose accuracy is
/// within one standard error of it (of the paired per-row difference) the one with the lowest log loss, which varies less than accuracy. Regression: the highest R2.</summary>
internal static class FamilyChoice
{
    private const double ProbabilityFloor = 1e-6;

    public static Choice Choose(Problem problem, IReadOnlyList<string> families, IReadOnlyList<HeldRows> held, string where)
    {
        var scores = held.Select(h => problem.IsClassification ? Correct(problem, h).Average(c => c ? 1.0 : 0.0) : R2(h)).ToArray();
        int best = 0;
        for (int i = 1; i < scores.Length; i++)
            if (Rank(scores[i]) > Rank(scores[best]))
                best = i;
        string listed = string.Join(", ", families.Zip(scores).OrderByDescending(f => Rank(f.Second)).Select(f => $"{f.First} {(double.IsFinite(f.Second) ? $"{f.Second:0.0000}" : "none")}"));
        if (!problem.IsClassification)
        {
            if (double.IsFinite(scores[best]))
                return new Choice(best, scores, $"Highest R2 on {where}: {listed}.");
            // R2 says nothing where all targets are equal; the squared error does, unless the answers are not finite either.
            double[] errors = [.. held.Select(SquaredError)];
            for (int i = 0; i < errors.Length; i++)
                if (Rank(-errors[i]) > Rank(-errors[best]))
                    best = i;
            return new Choice(best, scores, double.IsFinite(errors[best])
                ? $"Lowest squared error on {where}, whose targets are all equal so that there is no R2: {families[best]} {errors[best]:G4}."
                : $"The first candidate: none gave a finite answer on {where}.");
        }

        bool[] bestRows = Correct(problem, held[best]);
        int chosen = best;
        double chosenLoss = LogLoss(problem, held[best]);
        for (int i = 0; i < scores.Length; i++)
        {
            if (i == best || scores[best] - scores[i] > PairedError(bestRows, Correct(problem, held[i])))
                continue;
            double loss = LogLoss(problem, held[i]);
            if (loss < chosenLoss)
                (chosen, chosenLoss) = (i, loss);
        }

        return new Choice(chosen, scores, chosen == best
            ? $"Highest accuracy on {where}: {listed}."
            : $"Lowest log loss ({chosenLoss:0.0000}) of the families within one standard error of the highest accuracy on {where}: {listed}.");
    }

    private static double Rank(double score) => double.IsNaN(score) ? double.NegativeInfinity : score;

    private static bool[] Correct(Problem problem, HeldRows held)
    {
        var correct = new bool[held.Rows];
        for (int i = 0; i < correct.Length; i++)
        {
            var row = held.Scores.AsSpan(i * problem.Outputs, problem.Outputs);
            int most = 0;
            for (int c = 1; c < row.Length; c++)
                if (row[c] > row[most])
                    most = c;
            correct[i] = most == held.Labels![i];
        }

        return correct;
    }

    // Standard error of the mean difference of two 0/1 columns over the same rows.
    private static double PairedError(bool[] a, bool[] b)
    {
        double sum = 0, squares = 0;
        for (int i = 0; i < a.Length; i++)
        {
            int d = (a[i] ? 1 : 0) - (b[i] ? 1 : 0);
            sum += d;
            squares += d * d;
        }

        double mean = sum / a.Length;
        return Math.Sqrt(Math.Max(0, (squares / a.Length) - (mean * mean)) / a.Length);
    }

    private static double LogLoss(Problem problem, HeldRows held)
    {
        double sum = 0;
        for (int i = 0; i < held.Rows; i++)
        {
            double p = held.Scores[(i * problem.Outputs) + held.Labels![i]];
            sum -= Math.Log(double.IsNaN(p) ? ProbabilityFloor : Math.Clamp(p, ProbabilityFloor, 1));
        }

        return sum / held.Rows;
    }

    private static double SquaredError(HeldRows held) => held.Targets!.Zip(held.Scores, (target, score) => ((double)target - score) * ((double)target - score)).Average();

    private static double R2(HeldRows held)
    {
        double mean = held.Targets!.Average(t => (double)t), total = 0, residual = 0;
        for (int i = 0; i < held.Rows; i++)
        {
            double t = held.Targets![i] - mean, r = held.Targets[i] - held.Scores[i];
            total += t * t;
            residual += r * r;
        }

        return total > 0 ? 1 - (residual / total) : double.NaN;
    }
}
