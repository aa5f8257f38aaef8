using System.Runtime.InteropServices;

[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]

namespace Candela.Classic.Trees;

/// <summary>The part of LightGBM's C interface (LightGBM/c_api.h, version 4) that training needs. Every call returns 0 or leaves a text in
/// <c>LGBM_GetLastError</c>; <see cref="Check"/> turns that into an <see cref="EngineException"/>.</summary>
internal static class LightGbmNative
{
    private const string Library = "lib_lightgbm";

    /// <summary>Cells of matrices are 32-bit floats.</summary>
    public const int Float32 = 0;

    /// <summary>Loads the library on first use.</summary>
    /// <exception cref="EngineException">It cannot be loaded; the message names what is missing.</exception>
    public static void Load()
    {
        try
        {
            Marshal.PrelinkAll(typeof(Calls));
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
        {
            throw Unavailable(error);
        }
    }

    /// <summary>Throws when a call failed.</summary>
    /// <exception cref="EngineException">With LightGBM's own words.</exception>
    public static void Check(int result, string doing)
    {
        if (result != 0)
            throw new EngineException($"LightGBM failed while {doing}: {Marshal.PtrToStringUTF8(Calls.LGBM_GetLastError())}");
    }

    internal static EngineException Unavailable(Exception error) => new(
        error.Message.Contains("libgomp", StringComparison.Ordinal) || !OperatingSystem.IsWindows()
            ? $"The gradient boosting library LightGBM could not be loaded. On Debian and Ubuntu it needs the package libgomp1: apt-get install libgomp1. ({FirstLine(error.Message)})"
            : $"The gradient boosting library LightGBM could not be loaded. It needs the Visual C++ redistributable (x64). ({FirstLine(error.Message)})",
        error);

    private static string FirstLine(string text) => text.Split('\n').FirstOrDefault(l => l.Contains("libgomp", StringComparison.Ordinal)) ?? text.Split('\n')[0];

    /// <summary>The native functions. Booster and dataset handles are pointers freed by <c>LGBM_BoosterFree</c> and <c>LGBM_DatasetFree</c>.</summary>
    internal static class Calls
    {
        [DllImport(Library)]
        public static extern IntPtr LGBM_GetLastError();

        [DllImport(Library)]
        public static extern int LGBM_RegisterLogCallback(IntPtr callback);

        [DllImport(Library)]
        public static extern int LGBM_DatasetCreateFromMat(float[] data, int dataType, int rows, int columns, int isRowMajor, byte[] parameters, IntPtr reference, out IntPtr dataset);

        [DllImport(Library)]
        public static extern int LGBM_DatasetSetField(IntPtr dataset, byte[] name, float[] values, int count, int type);

        [DllImport(Library)]
        public static extern int LGBM_DatasetFree(IntPtr dataset);

        [DllImport(Library)]
        public static extern int LGBM_BoosterCreate(IntPtr dataset, byte[] parameters, out IntPtr booster);

        [DllImport(Library)]
        public static extern int LGBM_BoosterAddValidData(IntPtr booster, IntPtr dataset);

        [DllImport(Library)]
        public static extern int LGBM_BoosterUpdateOneIter(IntPtr booster, out int finished);

        [DllImport(Library)]
        public static extern int LGBM_BoosterGetEval(IntPtr booster, int set, out int count, double[] results);

        [DllImport(Library)]
        public static extern int LGBM_BoosterSaveModelToString(IntPtr booster, int firstRound, int rounds, int importance, long bufferLength, out long length, byte[] text);

        [DllImport(Library)]
        public static extern int LGBM_BoosterPredictForMat(IntPtr booster, float[] data, int dataType, int rows, int columns, int isRowMajor, int kind, int firstRound, int rounds, byte[] parameters, out long length, double[] results);

        [DllImport(Library)]
        public static extern int LGBM_BoosterFree(IntPtr booster);
    }
}
