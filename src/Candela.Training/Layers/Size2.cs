namespace Candela.Training;

/// <summary>A height and a width; an <c>int</c> converts to a square.</summary>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
public readonly record struct Size2(int Height, int Width)
{
    /// <summary>A square.</summary>
    public static Size2 Square(int side) => new(side, side);

    /// <summary>A square.</summary>
    public static implicit operator Size2(int side) => Square(side);

    /// <summary>For example <c>3x3</c>.</summary>
    public override string ToString() => $"{Height}x{Width}";
}
