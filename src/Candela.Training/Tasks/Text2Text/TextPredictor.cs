using Candela.Data;
using Candela.Evaluation;
using Candela.Experiments;
using Candela.Language;
using Candela.Models;
using Candela.Training.Language;

namespace Candela.Training.Tasks;

/// <summary>A trained translator or summariser over the texts of a file.</summary>
internal sealed class TextPredictor(TaskKind kind, Seq2SeqModel model, PairFiles files) : ISequencePredictor
{
    private const int AtOnce = 256;

    public string Name => kind == TaskKind.Translation ? "translator" : "summariser";

    public string Unit => "texts";

    public IReadOnlyList<string> Fields { get; } = ["source", "prediction"];

    public SplitEvaluation Evaluate(string data, IProgress<TrainEvent> events, CancellationToken cancellation)
    {
        TextPairs pairs = files.Read(data, null, cancellation);
        if (pairs.Skipped > 0)
            events.Report(new Warned("pairs-left-out", $"{pairs.Skipped:N0} pairs of {pairs.Source} have an empty side and are left out."));
        return TextScores.Of(kind, model.Write([.. pairs.Pairs.Select(p => p.Source)], Decoding(files), cancellation), [.. pairs.Pairs.Select(p => p.Target)], 0);
    }

    /// <summary>A line for each source, empty for an empty one.</summary>
    public IEnumerable<SequencePrediction> Predict(string data, IProgress<TrainEvent> events, CancellationToken cancellation)
    {
        foreach (string[] some in TextPairs.ReadSources(data, files.SourceColumn, cancellation).Chunk(AtOnce))
        {
            string[] real = [.. some.Where(s => !string.IsNullOrWhiteSpace(s))];
            using IEnumerator<string> written = model.Write(real, Decoding(files), cancellation).GetEnumerator();
            foreach (string source in some)
            {
                string text = string.IsNullOrWhiteSpace(source) || !written.MoveNext() ? "" : written.Current;
                yield return new SequencePrediction(text.ReplaceLineEndings(" "), [source, text]);
            }
        }
    }

    public void Dispose() => model.Dispose();

    /// <summary>How a model writes once it is trained.</summary>
    public static Seq2SeqDecoding Decoding(PairFiles files) => new() { Beams = files.Beams };
}
