namespace Candela.Energy;

/// <summary>Energy used since the meter was started.</summary>
/// <param name="Joules">Best value.</param>
/// <param name="Low">Lower end of the 95 % interval; equal to Joules when measured.</param>
/// <param name="High">Upper end.</param>
/// <param name="Method"><c>rapl</c> (measured) or <c>cpu-time-model</c> (estimated from CPU time).</param>
public sealed record EnergyReading(double Joules, double Low, double High, string Method);

/// <summary>Counts joules. Implementations: processor counters (RAPL) where the kernel gives them, else a model over CPU time.</summary>
public interface IEnergyMeter
{
    /// <summary>Energy since the meter was made.</summary>
    EnergyReading Read();
}
