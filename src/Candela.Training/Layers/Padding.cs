namespace Candela.Training;

/// <summary>Zeros around the input of a convolution: none (<see cref="Valid"/>), as many as keep output = ceil(input / stride)
/// (<see cref="Same"/>, as in Keras; the odd one goes to the end), or a number on every side (an <c>int</c> converts).</summary>
public readonly record struct Padding
{
    private readonly int _code; // -1: same; otherwise zeros on each side

    private Padding(int code) => _code = code;

    /// <summary>No padding.</summary>
    public static Padding Valid => default;

    /// <summary>Output size = ceil(input size / stride).</summary>
    public static Padding Same => new(-1);

    /// <summary>This many zeros on every side.</summary>
    public static Padding Of(int zeros) => zeros >= 0 ? new(zeros) : throw new UsageException($"Padding must be 0 or more; got {zeros}.");

    /// <summary>This many zeros on every side.</summary>
    public static implicit operator Padding(int zeros) => Of(zeros);

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    public static Padding Parse(string text) => text switch
    {
        "valid" => Valid,
        "same" => Same,
        _ => int.TryParse(text, out int zeros) ? Of(zeros) : throw new UsageException($"Padding '{text}' is unknown; use valid, same or a number."),
    };

    /// <summary><c>valid</c>, <c>same</c> or the number.</summary>
    public override string ToString() => _code switch
    {
        -1 => "same",
        0 => "valid",
        _ => _code.ToString(System.Globalization.CultureInfo.InvariantCulture),
    };

    /// <summary>Zeros before and after along one axis.</summary>
    internal void Along(int input, int kernel, int stride, int dilation, out int before, out int after)
    {
        if (_code >= 0)
        {
            before = after = _code;
            return;
        }

        int output = (input + stride - 1) / stride;
        int total = Math.Max(0, ((output - 1) * stride) + (dilation * (kernel - 1)) + 1 - input);
        before = total / 2;
        after = total - before;
    }
}
