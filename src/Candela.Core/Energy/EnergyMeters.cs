namespace Candela.Energy;

/// <summary>Starts the best energy meter this machine allows.</summary>
public static class EnergyMeters
{
    /// <summary>Starts counting: <see cref="RaplMeter"/> where its counters are readable (Linux on bare metal, as root or with the read right granted), else <see cref="CpuTimeMeter"/>.</summary>
    public static IEnergyMeter Start() => (IEnergyMeter?)RaplMeter.TryStart() ?? new CpuTimeMeter();
}
