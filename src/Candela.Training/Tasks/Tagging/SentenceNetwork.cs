using Candela.Language;
using static TorchSharp.torch;

namespace Candela.Training.Tasks;

/// <summary>Sizes of a <see cref="SentenceNetwork"/>.</summary>
/// <param name="Layers">Of the LSTM.</param>
/// <param name="Width">Of its state, per direction; the token's vector is half as wide.</param>
/// <param name="Dropout">Before and behind the LSTM, and of written-down features.</param>
internal sealed record SentenceNetworkSize(int Layers, int Width, double Dropout);

/// <summary>Scores of tags for tokens: embeddings of each channel and a convolution over the letters, a bidirectional LSTM, a linear layer, plus the sum of written-down features' weights (wide and deep), a CRF on top.
/// Sources: Huang et al. 2015 (who join such features directly to the output too); Ma and Hovy 2016; Cheng et al. 2016.</summary>
internal sealed class SentenceNetwork : Layer
{
    private const int AffixWidth = 16, LetterWidth = 24, LetterFilters = 48, Kernel = 3;
    private readonly SentenceFeatures _features;
    private readonly SentenceNetworkSize _size;
    private readonly Embedding[] _channels;
    private readonly Embedding? _letters;
    private readonly Conv1d? _convolution;
    private readonly Dropout _before, _behind;
    private readonly Lstm _lstm;
    private readonly Dense _head;
    private readonly WideScores _wide;

    public SentenceNetwork(SentenceFeatures features, SentenceNetworkSize size)
    {
        (_features, _size) = (features, size);
        _channels = [.. features.Channels.Select((name, c) => Child(name.Replace('-', '_'), new Embedding(features.Size(c), ChannelWidth(c), SentenceFeatures.Padding)))];
        if (!features.ByCharacter)
        {
            _letters = Child("letter", new Embedding(features.LetterCount, LetterWidth, SentenceFeatures.Padding));
            _convolution = Child("letter_convolution", new Conv1d(LetterFilters, Kernel, padding: Padding.Same, activation: ActivationKind.Relu));
        }

        _before = Child("dropout1", new Dropout(size.Dropout));
        _lstm = Child("lstm", new Lstm(size.Width, size.Layers, bidirectional: true, dropout: size.Dropout));
        _behind = Child("dropout2", new Dropout(size.Dropout));
        _head = Child("head", new Dense(features.Tags.Count));
        _wide = Child("wide", new WideScores(features.Pairs, features.Tags.Count));
        Crf = Child("crf", new LinearChainCrf());
    }

    /// <inheritdoc/>
    public override string TypeId => "sentence-tagger";

    /// <summary>The layer that joins the tokens' tags.</summary>
    public LinearChainCrf Crf { get; }

    private int TokenWidth => _channels.Sum(c => c.Width) + (_convolution is null ? 0 : LetterFilters);

    /// <inheritdoc/>
    public override Shape OutputShape(Shape input) => input.Count == 2 && input.Last == _features.Width ? input.WithLast(_features.Tags.Count)
        : throw new ShapeException($"The tagger needs examples of [tokens, {_features.Width}] numbers; got {input}.");

    /// <inheritdoc/>
    protected override void OnBuild(Shape input)
    {
        int steps = input[0];
        foreach (Embedding channel in _channels)
            BuildChild(channel, [steps]);
        if (_letters is not null)
        {
            BuildChild(_letters, [SentenceFeatures.Letters]);
            BuildChild(_convolution!, [LetterWidth, SentenceFeatures.Letters]);
        }

        BuildChild(_lstm, [steps, TokenWidth]);
        BuildChild(_head, [steps, 2 * _size.Width]);
        BuildChild(_wide, [steps, TokenFeatures.Most]);
        BuildChild(Crf, [steps, _features.Tags.Count]);
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor input)
    {
        var lengths = new int[input.size(0)];
        lengths.AsSpan().Fill((int)input.size(1));
        return Emissions(input, lengths);
    }

    internal override bool TakesOwnInput(string child) => true;

    /// <summary>[N, T, width of the features] of int64 -> [N, T, tags]. Call it within a <see cref="TensorScope"/>.</summary>
    public Tensor Emissions(Tensor input, ReadOnlySpan<int> lengths)
    {
        long count = input.size(0), steps = input.size(1);
        var parts = new List<Tensor>();
        for (int c = 0; c < _channels.Length; c++)
            parts.Add(_channels[c].call(input.select(2, c)));
        if (_letters is not null)
        {
            Tensor letters = input.narrow(2, _channels.Length, SentenceFeatures.Letters).reshape(-1, SentenceFeatures.Letters);
            parts.Add(_convolution!.call(_letters.call(letters).transpose(1, 2)).amax([2]).view(count, steps, LetterFilters));
        }

        Tensor states = _lstm.Run(_before.call(cat(parts, 2)), lengths);
        Tensor deep = _head.call(_behind.call(states));
        Tensor wide = _wide.call(input.narrow(2, _features.WideStart, TokenFeatures.Most));
        return deep + (training ? wide / (1 - _size.Dropout) : wide); // training leaves features out, see SentenceSource
    }

    private int ChannelWidth(int channel) => channel == 0 ? Math.Max(1, _size.Width / 2) : AffixWidth;
}
