namespace Candela.Training.DenseNets;

/// <summary>Sizes of the engine's buffers, whose places are 32-bit: products that do not fit are refused before anything is allocated.</summary>
internal static class Extent
{
    /// <summary>Numbers of <paramref name="rows"/> rows.</summary>
    /// <exception cref="ShapeException">More than 2,147,483,647.</exception>
    public static int OfRows(int rows, long perRow) => rows * perRow is <= int.MaxValue and var length ? (int)length
        : throw new ShapeException($"A batch of {rows} rows x {perRow} numbers in one layer needs {(double)rows * perRow:N0} numbers; the dense engine holds at most {int.MaxValue:N0} in one buffer. Use a smaller batch (--batch-size), narrower layers or smaller images.");

    /// <summary>Numbers of a layer's weight or of one row, outer x inner.</summary>
    /// <exception cref="ShapeException">More than 2,147,483,647.</exception>
    public static int OfLayer(string layer, long outer, long inner) => (Int128)outer * inner <= int.MaxValue ? (int)(outer * inner)
        : throw new ShapeException($"Layer '{layer}' has {outer:N0} x {inner:N0} = {(double)outer * inner:N0} numbers; the dense engine holds at most {int.MaxValue:N0} in one buffer. Use narrower layers (--hidden) or smaller inputs.");

    /// <summary>A net's parameters so far and those of one more tensor.</summary>
    /// <exception cref="ShapeException">More than 2,147,483,647.</exception>
    public static int Sum(string layer, int length, int more) => (long)length + more is <= int.MaxValue and var sum ? (int)sum
        : throw new ShapeException($"With layer '{layer}' the net has {(long)length + more:N0} parameters; the dense engine holds at most {int.MaxValue:N0}. Use narrower layers (--hidden) or smaller inputs.");
}
