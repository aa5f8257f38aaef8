using System.Text;
using Candela.Decoding;
using Candela.Evaluation;
using Candela.Metrics;
using Candela.Models;
using Candela.Tokenization;

namespace Candela.Language;

/// <summary>Few-shot evaluation (Brown et al. 2020, section 2): solved examples, then the question. Choices are scored by log-likelihood, plain and per byte; texts are generated greedily and compared with SQuAD's exact match and F1.</summary>
public sealed class FewShotEvaluator(ICausalLm model, Tokenizer tokenizer)
{
    private const int Resamples = 1000;

    /// <summary>Asks every example.</summary>
    /// <param name="task">What is asked.</param>
    /// <param name="examples">At least one.</param>
    /// <param name="shots">Solved examples put before each question; none is zero-shot.</param>
    /// <param name="options">Of generated answers: length and stops. Sampling is off. Default: 64 tokens; answers to questions end with the line.</param>
    /// <param name="seed">Of the bootstrap.</param>
    /// <param name="cancellationToken">Heeded between examples and tokens.</param>
    /// <exception cref="UsageException">A prompt does not fit the model's context.</exception>
    public FewShotReport Evaluate(FewShotTask task, IReadOnlyList<FewShotExample> examples, IReadOnlyList<FewShotExample> shots, GenerationOptions? options = null, long seed = 0, CancellationToken cancellationToken = default)
    {
        if (examples.Count == 0)
            throw new DataException("No example is left to evaluate; give more, or fewer shots.");
        var outcomes = new List<FewShotOutcome>(examples.Count);
        options = (options ?? new GenerationOptions { MaxTokens = 64 }) with { Temperature = 0, Beams = 1, BestOfBeams = 1 };
        if (task == FewShotTask.QuestionAnswering)
            options = options with { StopStrings = [.. options.StopStrings, "\n"] };
        var generator = new TextGenerator(model, tokenizer);
        using (var likelihood = new SequenceLikelihood(model))
            foreach (FewShotExample example in examples)
            {
                cancellationToken.ThrowIfCancellationRequested();
                string prompt = example.Prompt(task, shots);
                outcomes.Add(task == FewShotTask.MultipleChoice ? Choose(likelihood, generator, prompt, example, cancellationToken) : Answer(generator, prompt, example, options, cancellationToken));
            }

        var rows = task == FewShotTask.MultipleChoice
            ? new MeanRows(["accuracy", "accuracyPerByte"], [[.. outcomes.Select(o => o.Score)], [.. outcomes.Select(o => o.IsRightPerByte ? 1.0 : 0)]])
            : new MeanRows(["exactMatch", "f1"], [[.. outcomes.Select(o => o.IsRight ? 1.0 : 0)], [.. outcomes.Select(o => o.Score)]]);
        return new FewShotReport(task, shots.Count, Bootstrap.Intervals(rows, seed, Resamples), Baselines(task, examples, shots), outcomes);
    }

    private FewShotOutcome Choose(SequenceLikelihood likelihood, TextGenerator generator, string prompt, FewShotExample example, CancellationToken cancellationToken)
    {
        int[] context = generator.Encode(prompt);
        int[][] continuations = [.. example.Choices.Select(choice => Continuation(prompt, context, " " + choice))];
        double[] sums = [.. likelihood.Score(context, continuations, cancellationToken).Select(s => s.LogProbability)];
        double[] perByte = [.. sums.Select((s, i) => s / Math.Max(1, Encoding.UTF8.GetByteCount(example.Choices[i])))];
        int best = Array.IndexOf(sums, sums.Max());
        return new FewShotOutcome(example.Choices[best], best == example.Answer, best == example.Answer ? 1 : 0)
        {
            LogProbabilities = sums,
            IsRightPerByte = Array.IndexOf(perByte, perByte.Max()) == example.Answer,
        };
    }

    /// <summary>The ids that the text adds to the prompt's: those of both together where the prompt's stay as they are, else its own.</summary>
    private int[] Continuation(string prompt, int[] context, string text)
    {
        int[] whole = tokenizer.Encode(prompt + text);
        return whole.Length > context.Length && whole.AsSpan().StartsWith(context) ? whole[context.Length..] : tokenizer.Encode(text, addSpecialTokens: false);
    }

    private static FewShotOutcome Answer(TextGenerator generator, string prompt, FewShotExample example, GenerationOptions options, CancellationToken cancellationToken)
    {
        string given = generator.Generate(prompt, options, cancellationToken).Text.Trim();
        bool right = SquadMatch.IsExact(given, example.Answers);
        return new FewShotOutcome(given, right, SquadMatch.F1(given, example.Answers)) { IsRightPerByte = right };
    }

    // What the shots have most is known before an example is asked; of equally common ones the first.
    private static Dictionary<string, double> Baselines(FewShotTask task, IReadOnlyList<FewShotExample> examples, IReadOnlyList<FewShotExample> shots)
    {
        var baselines = new Dictionary<string, double>();
        if (task == FewShotTask.MultipleChoice)
            baselines["random"] = examples.Average(e => 1.0 / e.Choices.Count);
        if (shots.Count == 0)
            return baselines;
        int place = shots.CountBy(e => e.Answer).MaxBy(c => c.Value).Key;
        string answer = shots.CountBy(e => SquadMatch.Normalize(e.Answers[0])).MaxBy(c => c.Value).Key;
        baselines["majority"] = examples.Count(e => task == FewShotTask.MultipleChoice ? e.Answer == place : SquadMatch.IsExact(answer, e.Answers)) / (double)examples.Count;
        return baselines;
    }

    /// <summary>Metrics that are means of numbers from 0 to 1.</summary>
    private sealed class MeanRows(string[] names, double[][] values) : IResampledRows
    {
        public int Count => values[0].Length;

        public int CostPerRow => names.Length;

        public IReadOnlyList<string> Names => names;

        public (double Low, double High) Range(int metric) => (0, 1);

        public bool IsShare(int metric) => names[metric] != "f1";

        public double? LeastWhenPerfect(int metric) => IsShare(metric) ? PerfectScores.Share(Count) : null;

        public void Compute(ReadOnlySpan<int> counts, Span<double> into)
        {
            for (int k = 0; k < names.Length; k++)
            {
                double sum = 0, weight = 0;
                for (int i = 0; i < Count; i++)
                {
                    int count = counts.IsEmpty ? 1 : counts[i];
                    sum += count * values[k][i];
                    weight += count;
                }

                into[k] = sum / weight;
            }
        }

        public IResampledRows Take(int[] rows) => new MeanRows(names, Array.ConvertAll(values, column => Array.ConvertAll(rows, i => column[i])));
    }
}
