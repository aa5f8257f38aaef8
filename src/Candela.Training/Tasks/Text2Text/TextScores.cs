using Candela.Data;
using Candela.Evaluation;
using Candela.Metrics;

namespace Candela.Training.Tasks;

/// <summary>How well texts are written: BLEU and chrF of translations, ROUGE of summaries, and the share that is exactly the reference. Where references are Chinese, BLEU parts them as sacreBLEU's <c>zh</c> does and ROUGE counts characters.</summary>
internal static class TextScores
{
    /// <summary>All metrics with intervals over texts. BLEU and chrF are 0 to 100 as their authors have them, the others 0 to 1.</summary>
    public static SplitEvaluation Of(TaskKind task, IReadOnlyList<string> written, IReadOnlyList<string> references, long seed)
    {
        double[] right = [.. written.Zip(references, (a, b) => a.Trim() == b.Trim() ? 1.0 : 0)], all = [.. right.Select(_ => 1.0)];
        var metrics = new Dictionary<string, MetricValue>();
        bool chinese = IsChinese(references);
        if (task == TaskKind.Translation)
        {
            metrics["bleu"] = Bleu(chinese, seed, resamples: 1000).Score(written, references).Value;
            metrics["chrf"] = new Chrf(new ChrfOptions { Seed = seed }).Score(written, references).Value;
        }
        else
        {
            RougeScores rouge = Rouge(chinese, seed, resamples: 1000).Score(written, references);
            metrics["rouge1"] = rouge.Rouge1.F1;
            metrics["rouge2"] = rouge.Rouge2.F1;
            metrics["rougeL"] = rouge.RougeL.F1;
        }

        metrics["exactMatch"] = RatioBootstrap.Interval(right, all, seed);
        return new SplitEvaluation { Rows = written.Count, SplitRows = written.Count, Metrics = metrics };
    }

    /// <summary>The main metric alone, by which epochs are compared.</summary>
    public static double Main(TaskKind task, IReadOnlyList<string> written, IReadOnlyList<string> references) => task == TaskKind.Translation
        ? Bleu(IsChinese(references), 0, resamples: 1).Score(written, references).Value.Value
        : Rouge(IsChinese(references), 0, resamples: 1).Score(written, references).RougeL.F1.Value;

    private static Bleu Bleu(bool chinese, long seed, int resamples) => new(new BleuOptions { Tokenizer = chinese ? BleuTokenizer.Zh : BleuTokenizer.V13a, Seed = seed, Resamples = resamples });

    private static Rouge Rouge(bool chinese, long seed, int resamples) => new(new RougeOptions { ChineseCharacters = chinese, Seed = seed, Resamples = resamples });

    private static bool IsChinese(IReadOnlyList<string> references)
    {
        long letters = 0, han = 0;
        foreach (char c in references.SelectMany(r => r))
        {
            letters += char.IsLetter(c) ? 1 : 0;
            han += c is >= '\u3400' and <= '\u9fff' ? 1 : 0;
        }

        return 2 * han > letters;
    }
}
