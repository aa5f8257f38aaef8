using Candela.Data;
using Candela.Models;
using Candela.Runs;

namespace Candela.Experiments;

/// <summary>Finds the classic mistakes of a training run from what it left behind. Codes: <c>loss-not-finite</c>, <c>loss-ascends</c>, <c>dead-gradients</c>,
/// <c>exploding-gradients</c>, <c>unscaled-inputs</c>, <c>leak-...</c>, <c>split-leakage</c>, <c>test-never-scored</c>, <c>no-better-than-baseline</c>, <c>no-seed</c>.
/// The rules are thresholds, stated at each; a warning is a reason to look, not a proof.</summary>
public static class TrainingDoctor
{
    private const int FewestPoints = 4;

    /// <summary>Examines a run folder: its events, its record when it is finished, and its recipe. Empty when nothing is amiss.</summary>
    /// <exception cref="FileFormatException">There is no such folder or a file in it is damaged.</exception>
    public static IReadOnlyList<Warned> Examine(string folder)
    {
        var files = new RunFolder(folder);
        var found = new List<Warned>();
        RunRecord? record = files.IsFinished || !files.IsInterrupted ? files.ReadRecord() : null;
        if (File.Exists(files.Events))
        {
            var log = EventLog.Read(files.Events);
            if (log.TornLine is not null)
                found.Add(new Warned("torn-log", $"The last line of {files.Events} was cut short by a crash; everything before it is used."));
            foreach (var (family, curve) in Curves(log.Events.Select(e => e.Event)))
                found.AddRange(ExamineCurve(curve, family));
            found.AddRange(log.Events.Select(e => e.Event).OfType<Warned>());
        }
        else if (record is not null)
        {
            found.AddRange(ExamineCurve(record.History, record.Model));
        }

        if (record is not null)
            found.AddRange(ExamineRecord(record));
        if (File.Exists(files.Recipe) && !File.ReadLines(files.Recipe).Any(line => line.StartsWith("seed:", StringComparison.Ordinal)))
            found.Add(new Warned("no-seed", "No seed was given; 0 was used. Give --seed to make a choice you can defend, and a few of them to see how much the result owes to chance."));
        return [.. found.Distinct()];
    }

    /// <summary>Examines the steps and epochs of one fit.</summary>
    /// <param name="events">In order; other events are ignored.</param>
    /// <param name="family">Named in the messages.</param>
    public static IReadOnlyList<Warned> ExamineCurve(IEnumerable<TrainEvent> events, string family)
    {
        var all = events.ToList();
        var steps = all.OfType<StepEnded>().ToList();
        var epochs = all.OfType<EpochEnded>().ToList();
        double[] losses = steps.Count >= FewestPoints ? [.. steps.Select(s => s.Loss)] : [.. epochs.Select(e => e.TrainLoss)];
        var found = new List<Warned>();
        int broken = Array.FindIndex(losses, l => !double.IsFinite(l));
        if (broken >= 0)
            found.Add(new Warned("loss-not-finite", $"{family}: the training loss became {losses[broken]} at logged point {broken + 1} of {losses.Length}. Lower the learning rate, clip the gradient norm, and check the inputs for huge values."));
        else if (Ascends(losses))
            found.Add(new Warned("loss-ascends", $"{family}: the training loss rises from the first step on ({losses[0]:G4} at first, {losses[^1]:G4} at last). The learning rate is too large or the gradient has the wrong sign."));

        var norms = steps.Where(s => !double.IsNaN(s.GradientNorm)).ToList();
        if (norms.Count >= FewestPoints)
        {
            // Dead: no gradient to speak of in the first half of training, while the loss is not small and does not move.
            var early = norms[..(norms.Count / 2)];
            if (early.Count(s => s.GradientNorm < 1e-7) > early.Count / 2 && early[^1].Loss > 0.01 && early[^1].Loss > 0.9 * early[0].Loss)
                found.Add(new Warned("dead-gradients", $"{family}: the gradient norm is below 1e-7 while the loss stays at {early[^1].Loss:G4}: the layers have saturated or died. Use another initialisation or activation, scale the inputs, lower the learning rate."));
            double median = Median(norms.Take(Math.Max(FewestPoints, norms.Count / 4)).Select(s => s.GradientNorm)), largest = norms.Max(s => s.GradientNorm);
            if (!double.IsFinite(largest) || (largest > 1e3 && largest > 1e3 * Math.Max(median, 1e-3)))
                found.Add(new Warned("exploding-gradients", $"{family}: the gradient norm reaches {largest:G4}, against {median:G4} at first. Clip it with --clip-norm 1, or lower the learning rate."));
        }

        return found;
    }

    /// <summary>Examines encoded inputs, on the first 1,024 rows (fewer of large images, about 4 MB): dense features that are neither scaled nor small make gradient descent slow or unstable.
    /// Trees do not mind, so rows with raw categories (<see cref="FeatureLayout.Cardinalities"/>) are not judged.</summary>
    public static IReadOnlyList<Warned> ExamineInputs(IExampleSource rows)
    {
        var layout = rows.Layout;
        int width = layout.DenseWidth;
        if (width == 0 || layout.Cardinalities.Count > 0)
            return [];
        const int Rows = 1024;
        foreach (var batch in rows.Batches(new BatchPlan(Math.Min(Rows, layout.ReadingRows))))
        {
            double worst = 0;
            int at = -1;
            for (int feature = 0; feature < width; feature++)
            {
                double squares = 0;
                for (int row = 0; row < batch.Count; row++)
                {
                    double x = batch.Dense[(row * width) + feature];
                    squares += x * x;
                }

                double size = Math.Sqrt(squares / batch.Count);
                if (!(size <= worst))
                    (worst, at) = (size, feature);
            }

            // Standardised features have a root mean square of 1; 50 is far beyond what rare one-hot columns or outliers give.
            return worst <= 50 ? [] : [new Warned("unscaled-inputs", $"Input '{(layout.DenseNames.Count > at && at >= 0 ? layout.DenseNames[at] : $"feature {at}")}' has a root mean square of {worst:G4}; gradient descent wants about 1. Standardise the inputs.")];
        }

        return [];
    }

    /// <summary>Examines a finished run's record.</summary>
    public static IReadOnlyList<Warned> ExamineRecord(RunRecord record)
    {
        var found = new List<Warned>(record.Warnings);
        found.AddRange(record.Profile.Findings.Where(f => f.Code.StartsWith("leak-", StringComparison.Ordinal) && !record.Warnings.Any(w => w.Code == f.Code))
            .Select(f => new Warned(f.Code, f.Message)));
        if (SequenceTasks.IdOf(record.Problem.Task) is not null)
        {
            found.AddRange(ExamineSequences(record));
            return found;
        }

        if (!record.Metrics.TryGetValue("test", out var test))
        {
            if (!record.Warnings.Any(w => w.Code == "test-never-scored"))
                found.Add(new Warned("test-never-scored", "The record holds no metrics of a test part: how good the model is on rows that did not shape it is unknown. Train with --test."));
            return found;
        }

        string name = record.Problem.IsClassification ? "accuracy" : "r2";
        if (test.Metrics.TryGetValue(name, out var metric) && record.Baseline.Metrics.TryGetValue(name, out var baseline) && !(metric.Value > baseline.Value))
            found.Add(new Warned("no-better-than-baseline", $"The model's test {name} is {metric.Value:0.0000}, no better than always answering {record.Baseline.Prediction} ({baseline.Value:0.0000}). The inputs may say nothing about the target, or training failed."));
        return found;
    }

    // Of the methods without a net and the baseline the better one is what the net has to beat.
    private static IEnumerable<Warned> ExamineSequences(RunRecord record)
    {
        if (record.JudgedSplit() is not { } split)
        {
            yield return new Warned("test-never-scored", "No part of the data was kept from training: how well the model does on other data is unknown. Train with --valid and --test, or run candela evaluate RUN DATA.");
            yield break;
        }

        if (split == "valid")
            yield return new Warned("test-never-scored", "Only the validation part was scored, and it chose the weights that were kept, so other data may give a slightly worse figure. Train with --test 0.1 to know, or run candela evaluate RUN DATA.");
        string main = TaskTerms.MainMetric(record.Problem);
        if (!record.Metrics[split].Metrics.TryGetValue(main, out var net))
            yield break;
        double sign = TaskTerms.LessIsBetter(record.Problem) ? -1 : 1;
        var simpler = record.Candidates.Where(c => c.Model != record.Model && c.Test?.ContainsKey(main) == true).Select(c => (Name: $"the {c.Model} model", c.Test![main].Value)).ToList();
        if (record.Baseline.Metrics.TryGetValue(main, out var baseline))
            simpler.Add((record.Baseline.Name, baseline.Value));
        if (simpler.Count > 0 && simpler.MaxBy(s => sign * s.Value) is var best && !(sign * net.Value > sign * best.Value))
            yield return new Warned("no-better-than-baseline", $"The model's {split} {main} is {net.Value:0.0000}, no better than that of {best.Name} ({best.Value:0.0000}), which needs no net. Train longer, or with more data; small data rarely needs a net.");
    }

    // Rises at once and stays up: the early losses are above the first, and the second half lies above the first half.
    private static bool Ascends(double[] losses)
    {
        if (losses.Length < FewestPoints)
            return false;
        int half = losses.Length / 2, early = Math.Min(FewestPoints, losses.Length);
        return losses.AsSpan(1, early - 1).ToArray().All(l => l > losses[0])
            && losses[half..].Average() > 1.02 * losses[..half].Average()
            && losses[^1] > losses[0];
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    // The events between one FamilyStarted and the next belong to that family; a log without any is one curve.
    private static List<KeyValuePair<string, List<TrainEvent>>> Curves(IEnumerable<TrainEvent> events)
    {
        var curves = new List<KeyValuePair<string, List<TrainEvent>>> { new("model", []) };
        foreach (var item in events)
        {
            if (item is FamilyStarted started)
                curves.Add(new(started.Family, []));
            else
                curves[^1].Value.Add(item);
        }

        return curves;
    }
}
