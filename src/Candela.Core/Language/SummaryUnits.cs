using System.Text.RegularExpressions;
using Candela.Metrics;

namespace Candela.Language;

/// <summary>What extractive summaries pick from: the turns of a dialogue or the sentences of a text; and how many of them score best on training pairs.</summary>
internal static partial class SummaryUnits
{
    /// <summary>The most units that are tried.</summary>
    public const int Most = 8;

    // Enough to choose among eight numbers; more cost time only.
    private const int PairsTried = 500;

    /// <summary>True for a text of two or more lines of which at least two thirds begin with a speaker's name and a colon.</summary>
    public static bool IsDialogue(string text)
    {
        string[] lines = Lines(text);
        return lines.Length >= 2 && lines.Count(l => Speaker().IsMatch(l)) * 3 >= lines.Length * 2;
    }

    /// <summary>The turns of a dialogue (lines without a speaker belong to the turn above), or the sentences of any other text.</summary>
    public static IReadOnlyList<string> Split(string text)
    {
        if (!IsDialogue(text))
            return SentenceSplitter.Split(text);
        var turns = new List<string>();
        foreach (string line in Lines(text))
            if (turns.Count > 0 && !Speaker().IsMatch(line))
                turns[^1] += " " + line;
            else
                turns.Add(line);
        return turns;
    }

    /// <summary>Units as one text: turns on lines of their own, sentences as a text.</summary>
    public static string Join(string text, IReadOnlyList<string> units) => IsDialogue(text) ? string.Join('\n', units) : new ExtractiveSummary(units, [], []).Text;

    /// <summary>How many units give the best mean of ROUGE-1, -2 and -L F1 on the pairs; of equal numbers the smallest.</summary>
    /// <param name="pairs">Of many, 500 at even distances are used.</param>
    /// <param name="order">The places of a text's units, those to be picked first in front.</param>
    /// <param name="cancellation">Ends the trials.</param>
    public static int Best(IReadOnlyList<TextPair> pairs, Func<IReadOnlyList<string>, IEnumerable<int>> order, CancellationToken cancellation)
    {
        if (pairs.Count == 0)
            throw new DataException("There is no training pair to choose the length of a summary by; one at least was needed.");
        int tried = Math.Min(pairs.Count, PairsTried);
        List<TextPair> sample = [.. Enumerable.Range(0, tried).Select(i => pairs[(int)((long)i * pairs.Count / tried)])];
        var summaries = new string[Most][];
        for (int k = 0; k < Most; k++)
            summaries[k] = new string[tried];
        for (int i = 0; i < tried; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            IReadOnlyList<string> units = Split(sample[i].Source);
            int[] places = [.. order(units).Take(Most)];
            for (int k = 0; k < Most; k++)
                summaries[k][i] = Join(sample[i].Source, [.. places.Take(k + 1).Order().Select(p => units[p])]);
        }

        string[] targets = [.. sample.Select(p => p.Target)];
        var rouge = new Rouge(new RougeOptions { Resamples = 0, ChineseCharacters = targets.Any(t => t.Any(c => HanCharacters.Contains(c))) });
        var scores = new double[Most];
        for (int k = 0; k < Most; k++)
        {
            cancellation.ThrowIfCancellationRequested();
            RougeScores score = rouge.Score(summaries[k], targets);
            scores[k] = score.Rouge1.F1.Value + score.Rouge2.F1.Value + score.RougeL.F1.Value;
        }

        return 1 + Array.IndexOf(scores, scores.Max());
    }

    /// <summary>"sentences", "dialogue turns" or "sentences or dialogue turns".</summary>
    public static string NameOf(IReadOnlyList<TextPair> pairs)
    {
        int dialogues = pairs.Count(p => IsDialogue(p.Source));
        return dialogues == 0 ? "sentences" : dialogues == pairs.Count ? "dialogue turns" : "sentences or dialogue turns";
    }

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    [GeneratedRegex(@"^[^:：\n]{1,40}[:：]")]
    private static partial Regex Speaker();
}
