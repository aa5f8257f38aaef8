using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Candela.Inference.Kernels;

/// <summary>Halves widened to singles by shifts: there is no instruction for it in .NET's intrinsics. Finite values only, which loading makes sure of.</summary>
internal static unsafe class HalfVectors
{
    private const uint Kept = 0x8FFFE000; // sign, and the 15 bits of exponent and mantissa moved up
    private const uint TwoTo112 = 0x77800000;

    /// <summary>Eight halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(Half* halves)
    {
        Vector256<int> wide = Avx2.ShiftLeftLogical(Avx2.ConvertToVector256Int32((short*)halves), 13);
        return Avx.Multiply(Avx2.And(wide, Vector256.Create(Kept).AsInt32()).AsSingle(), Vector256.Create(TwoTo112).AsSingle());
    }
}
