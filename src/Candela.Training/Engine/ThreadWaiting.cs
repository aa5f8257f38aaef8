using System.Runtime.InteropServices;

namespace Candela.Training.Engine;

/// <summary>How OpenMP threads wait for each other inside libtorch. GNU OpenMP spins for milliseconds by default, which on a machine that is busy, or whose processors
/// are shared, makes every small operation wait for a thread that is not running: measured here, a training epoch of 5 s took 64 s.</summary>
internal static partial class ThreadWaiting
{
    // A few microseconds: long enough between operations of a step, short enough for a thread that has lost its processor.
    private const string Spins = "2000";

    /// <summary>Lets threads sleep soon, unless the environment says how they are to wait. Must come before libgomp is loaded.</summary>
    public static void Calm()
    {
        // .NET keeps its own copy of the environment; libgomp reads the process's.
        if (OperatingSystem.IsLinux() && Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is null && Environment.GetEnvironmentVariable("GOMP_SPINCOUNT") is null)
            _ = SetEnvironment("GOMP_SPINCOUNT", Spins, 0);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
