namespace Candela.Energy;

/// <summary>Estimates joules as CPU time of this process x watts per busy logical processor. Method <c>cpu-time-model</c>.</summary>
/// <remarks>
/// <para>The watts come from two kinds of public figures. Rated package power over cores: server parts are at 4 to 8 W a core (280 W / 64, 205 W / 28), laptops at 4 to 8 W, desktops at
/// 8 to 16 W, and one desktop core alone in turbo draws 20 W and more. Whole servers at full load in the SPECpower results, as the Cloud Carbon Footprint coefficients average them, are at
/// 1.6 to 6 W per hardware thread, two threads to a core. One busy logical processor is therefore taken as 7 W, and as 2 to 20 W with 95 % confidence: the interval is a judgement
/// over machines, not a statistical one.</para>
/// <para>Memory, disks, fans and power supply of an idle machine, accelerators and the cooling of a data centre are not counted.</para>
/// </remarks>
public sealed class CpuTimeMeter : IEnergyMeter
{
    /// <summary>Watts of one busy logical processor: best value.</summary>
    public const double WattsPerBusyProcessor = 7;

    /// <summary>Lower end of the 95 % interval.</summary>
    public const double LowWatts = 2;

    /// <summary>Upper end.</summary>
    public const double HighWatts = 20;

    private readonly Func<TimeSpan> _cpuTime;
    private readonly TimeSpan _start;

    /// <summary>Starts counting the CPU time, user and system, of all threads of this process.</summary>
    public CpuTimeMeter() : this(ProcessCpuTime) { }

    internal CpuTimeMeter(Func<TimeSpan> cpuTime) => (_cpuTime, _start) = (cpuTime, cpuTime());

    /// <inheritdoc/>
    public EnergyReading Read()
    {
        double seconds = Math.Max(0, (_cpuTime() - _start).TotalSeconds);
        return new EnergyReading(seconds * WattsPerBusyProcessor, seconds * LowWatts, seconds * HighWatts, "cpu-time-model");
    }

    private static TimeSpan ProcessCpuTime()
    {
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        return process.TotalProcessorTime;
    }
}
