using System.Runtime.InteropServices;

namespace Candela.Training.DenseNets;

/// <summary>Zeroed floats in native memory, 64-byte aligned, at a fixed address: weights, gradients, activations and packed panels.
/// The owner disposes it; a finaliser frees what was forgotten.</summary>
public sealed unsafe class AlignedFloats : IDisposable
{
    private float* _pointer;

    /// <summary>Allocates <paramref name="length"/> zeros (0 is allowed).</summary>
    public AlignedFloats(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        nuint bytes = (nuint)Math.Max(length, 1) * sizeof(float);
        _pointer = (float*)NativeMemory.AlignedAlloc(bytes, 64);
        NativeMemory.Clear(_pointer, bytes);
    }

    /// <summary>Frees memory that was not disposed.</summary>
    ~AlignedFloats() => Free();

    /// <summary>Number of floats; 0 once disposed.</summary>
    public int Length { get; private set; }

    /// <summary>All floats. Valid until disposed.</summary>
    public Span<float> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_pointer == null, this);
            return new Span<float>(_pointer, Length);
        }
    }

    internal float* Pointer => _pointer;

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_pointer);
        _pointer = null;
        Length = 0;
    }
}
