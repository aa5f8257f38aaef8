using Candela.Energy;

namespace Candela.Tests.Energy;

public sealed class EnergyTests : IDisposable
{
    private readonly string _root = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    public void Dispose()
    {
        if (Directory.Exists(_root))
            Directory.Delete(_root, recursive: true);
    }

    [Fact, Trait("Kind", "golden")]
    public void Rapl_TwoPackagesAndMemory_AreSummedWithoutTheirParts()
    {
        Zone("intel-rapl:0", "package-0", 1_000_000, 262_143_328_850);
        Zone("intel-rapl:0:0", "core", 500_000, 262_143_328_850);
        Zone("intel-rapl:0:1", "dram", 2_000_000, 65_712_999_613);
        Zone("intel-rapl:1", "package-1", 0, 262_143_328_850);
        Zone("intel-rapl:2", "psys", 7, 262_143_328_850);
        RaplMeter meter = RaplMeter.TryStart(_root)!;
        Set("intel-rapl:0", 4_000_000);
        Set("intel-rapl:0:0", 90_000_000);
        Set("intel-rapl:0:1", 2_500_000);
        Set("intel-rapl:1", 1_250_000);
        Set("intel-rapl:2", 80_000_000);
        Assert.Equal(new EnergyReading(4.75, 4.75, 4.75, "rapl"), meter.Read());
    }

    [Fact, Trait("Kind", "golden")]
    public void Rapl_CounterRestarts_IsCarriedOver()
    {
        Zone("intel-rapl:0", "package-0", 9_000_000, 10_000_000);
        RaplMeter meter = RaplMeter.TryStart(_root)!;
        Set("intel-rapl:0", 2_000_000);
        Assert.Equal(3, meter.Read().Joules, 9);
        Set("intel-rapl:0", 6_000_000);
        Assert.Equal(7, meter.Read().Joules, 9);
        Set("intel-rapl:0", 1_000_000);
        Assert.Equal(12, meter.Read().Joules, 9);
    }

    [Fact, Trait("Kind", "fault")]
    public void Rapl_CounterGoneForAMoment_IsCaughtUpWith()
    {
        Zone("intel-rapl:0", "package-0", 0, 10_000_000);
        RaplMeter meter = RaplMeter.TryStart(_root)!;
        File.WriteAllText(Path.Combine(_root, "intel-rapl:0", "energy_uj"), "");
        Assert.Equal(0, meter.Read().Joules);
        Set("intel-rapl:0", 5_000_000);
        Assert.Equal(5, meter.Read().Joules, 9);
    }

    [Fact, Trait("Kind", "fault")]
    public void Rapl_NothingReadable_IsNull()
    {
        Assert.Null(RaplMeter.TryStart(_root));
        Zone("intel-rapl:0", "psys", 0, 1);
        Assert.Null(RaplMeter.TryStart(_root));
        Zone("intel-rapl:1", "package-0", 0, 1);
        File.WriteAllText(Path.Combine(_root, "intel-rapl:1", "energy_uj"), "not a number");
        Assert.Null(RaplMeter.TryStart(_root));
    }

    [Fact, Trait("Kind", "analytic")]
    public void CpuTime_TenSeconds_IsTenTimesTheWatts()
    {
        var cpu = TimeSpan.FromSeconds(3);
        var meter = new CpuTimeMeter(() => cpu);
        cpu += TimeSpan.FromSeconds(10);
        Assert.Equal(new EnergyReading(70, 20, 200, "cpu-time-model"), meter.Read());
    }

    [Fact, Trait("Kind", "property")]
    public void Start_AfterWork_HasUsedEnergyWithinItsInterval()
    {
        IEnergyMeter meter = EnergyMeters.Start();
        double sum = 0;
        for (int i = 0; i < 30_000_000; i++)
            sum += Math.Sqrt(i);
        EnergyReading reading = meter.Read();
        Assert.True(sum > 0 && reading.Joules > 0 && reading.Low <= reading.Joules && reading.Joules <= reading.High);
    }

    [Fact, Trait("Kind", "golden")]
    public void Carbon_OneKilowattHourInFrance_IsItsIntensity()
    {
        Assert.Equal(56.0, CarbonIntensity.Estimate("FR", 3_600_000).Grams, 9);
        Assert.Equal("fr", CarbonIntensity.Estimate("FR", 1).Region);
        Assert.Equal(480.8, CarbonIntensity.Of("world").GramsPerKilowattHour);
        Assert.Equal(CarbonIntensity.Regions.Count, CarbonIntensity.Regions.Select(r => r.Id).Distinct().Count());
    }

    [Fact, Trait("Kind", "fault")]
    public void Carbon_UnknownRegion_NamesTheNearest()
        => Assert.Contains("Did you mean 'world'?", Assert.Throws<UsageException>(() => CarbonIntensity.Of("wrld")).Message, StringComparison.Ordinal);

    private void Zone(string folder, string name, long energy, long range)
    {
        string path = Path.Combine(_root, folder);
        Directory.CreateDirectory(path);
        File.WriteAllText(Path.Combine(path, "name"), name + "\n");
        File.WriteAllText(Path.Combine(path, "max_energy_range_uj"), range + "\n");
        Set(folder, energy);
    }

    private void Set(string folder, long energy) => File.WriteAllText(Path.Combine(_root, folder, "energy_uj"), energy + "\n");
}
