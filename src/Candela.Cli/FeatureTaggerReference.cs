using Candela.Classic.Sequences;
using Candela.Language;
using Candela.Training.Tasks;

namespace Candela.Cli;

/// <summary>The linear-chain CRF over features, as the report puts it beside a tagging net.</summary>
internal sealed class FeatureTaggerReference : IReferenceTagger
{
    private FeatureTagger? _tagger;

    public string Name => "feature-crf";

    public long Train(IReadOnlyList<TaggedSentence> sentences, CancellationToken cancellation)
    {
        _tagger = FeatureTagger.Train(sentences, cancellation: cancellation);
        return _tagger.ParameterCount;
    }

    public IReadOnlyList<string> Tag(IReadOnlyList<string> tokens) =>
        (_tagger ?? throw new InvalidOperationException("Tag was called before Train.")).Tag(tokens);
}
