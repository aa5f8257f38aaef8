namespace Candela.Data;

/// <summary>An image: pixels scaled to 0..1, then standardised per channel; under <see cref="FeatureStyle.Raw"/> the bytes as they are.</summary>
internal sealed class PixelCode : ColumnCode
{
    private readonly float[] _values;   // [channels, 256]
    private readonly ImageShape _shape;

    public PixelCode(string column, PixelState state, bool raw) : base(column)
    {
        _shape = state.Shape;
        _values = new float[_shape.Channels * 256];
        for (int i = 0; i < _values.Length; i++)
        {
            ScaleState scale = state.Channels[i / 256];
            _values[i] = raw ? i % 256 : (float)((((i % 256) / 255.0) - scale.Mean) * NumberCode.Inverse(scale.Deviation));
        }
    }

    public override IReadOnlyList<string> Features => [];

    public override void Encode(TableColumn cells, ReadOnlySpan<int> rows, Span<float> into, int stride)
    {
        if (cells is not ImageColumn images)
            throw new DataException($"Column '{Column}' holds no images, and the model was trained on images.");
        if (images.Shape != _shape)
            throw new DataException($"Column '{Column}' holds images of {images.Shape.Channels} x {images.Shape.Height} x {images.Shape.Width} (channels, height, width); the model was trained on {_shape.Channels} x {_shape.Height} x {_shape.Width}.");
        int plane = _shape.Height * _shape.Width;
        for (int i = 0; i < rows.Length; i++)
        {
            ReadOnlySpan<byte> pixels = images.At(rows[i]);
            Span<float> to = into.Slice(i * stride, pixels.Length);
            for (int channel = 0; channel < _shape.Channels; channel++)
            {
                ReadOnlySpan<float> values = _values.AsSpan(channel * 256, 256);
                for (int p = channel * plane; p < (channel + 1) * plane; p++)
                    to[p] = values[pixels[p]];
            }
        }
    }
}
