using System.Globalization;

namespace Candela.Energy;

/// <summary>Reads the processor's own energy counters (running average power limit, RAPL) through Linux's powercap files. Method <c>rapl</c>.</summary>
/// <remarks>
/// <para>Counts the packages and, where listed, their memory (<c>dram</c>). The <c>core</c> and <c>uncore</c> parts lie within a package and <c>psys</c> contains it, so they are left out.
/// The counters are of the whole machine: other processes and its idle power are included.</para>
/// <para>A counter restarts at 0 past <c>max_energy_range_uj</c> (about 262 kJ: 44 minutes at 100 W). The meter polls in between so that no restart is missed.</para>
/// </remarks>
public sealed class RaplMeter : IEnergyMeter
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromSeconds(60);
    private readonly Domain[] _domains;
    private readonly Lock _lock = new();
    private double _microjoules;

    private RaplMeter(Domain[] domains) => _domains = domains;

    /// <summary>Starts counting, or null when there are no counters or they may not be read.</summary>
    /// <param name="root">Where the kernel lists them. Default <c>/sys/class/powercap</c>.</param>
    /// <param name="clock">Clock of the polls. Default the system's.</param>
    public static RaplMeter? TryStart(string root = "/sys/class/powercap", TimeProvider? clock = null)
    {
        try
        {
            if (!Directory.Exists(root))
                return null;
            Domain[] domains = [.. Directory.EnumerateDirectories(root, "intel-rapl:*").Where(IsCounted).Order(StringComparer.Ordinal).Select(d => new Domain(d))];
            if (!domains.Any(d => d.IsPackage))
                return null;
            var meter = new RaplMeter(domains);
            var reference = new WeakReference<RaplMeter>(meter);
            ITimer? timer = null;
            timer = (clock ?? TimeProvider.System).CreateTimer(
                _ =>
                {
                    if (reference.TryGetTarget(out RaplMeter? target))
                        target.Read();
                    else
                        timer?.Dispose();
                },
                null, PollEvery, PollEvery);
            return meter;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or OverflowException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public EnergyReading Read()
    {
        lock (_lock)
        {
            foreach (Domain domain in _domains)
                _microjoules += domain.Advance();
            double joules = _microjoules / 1e6;
            return new EnergyReading(joules, joules, joules, "rapl");
        }
    }

    private static bool IsCounted(string folder)
    {
        string name = File.ReadAllText(Path.Combine(folder, "name")).Trim();
        return name.StartsWith("package", StringComparison.Ordinal) || name == "dram";
    }

    private sealed class Domain
    {
        private readonly string _counter;
        private readonly double _range;
        private double _last;

        public Domain(string folder)
        {
            _counter = Path.Combine(folder, "energy_uj");
            _range = Number(Path.Combine(folder, "max_energy_range_uj"));
            _last = Number(_counter);
            IsPackage = File.ReadAllText(Path.Combine(folder, "name")).StartsWith("package", StringComparison.Ordinal);
        }

        public bool IsPackage { get; }

        // Microjoules since the last call; a counter that cannot be read for the moment is caught up with at the next call.
        public double Advance()
        {
            double now;
            try
            {
                now = Number(_counter);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
            {
                return 0;
            }

            double used = now >= _last ? now - _last : now + _range - _last;
            _last = now;
            return used;
        }

        private static double Number(string path) => double.Parse(File.ReadAllText(path).Trim(), CultureInfo.InvariantCulture);
    }
}
