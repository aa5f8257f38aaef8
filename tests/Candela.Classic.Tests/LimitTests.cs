using Candela.Classic.Linear;
using Candela.Classic.Trees;
using Candela.Energy;
using Candela.Models;

namespace Candela.Classic.Tests;

/// <summary>Time and energy limits, on a clock that moves a second (and a meter that moves a joule) each time it is read.</summary>
public class LimitTests
{
    private sealed class Ticking : TimeProvider, IEnergyMeter
    {
        private long _seconds;
        private double _joules;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => _seconds++;

        public EnergyReading Read() => new(++_joules, _joules, _joules, "ticking");
    }

    [Theory]
    [InlineData("linear", 0.0)]
    [InlineData("linear", 0.001)]
    [InlineData("forest", 0.0)]
    [InlineData("boosting", 0.0)]
    public void Fit_TimeOrEnergyUsed_EndsEarlyAndSaysWhich(string id, double l1)
    {
        IModelFamily family = id switch { "linear" => new LinearFamily(), "forest" => new ForestFamily(), _ => new BoostingFamily(native: false) };
        foreach (StopReason limit in new[] { StopReason.Time, StopReason.Energy })
        {
            var ticking = new Ticking();
            var options = new FitOptions { L1 = l1, L2 = l1 > 0 ? 0 : null, MaxTime = limit == StopReason.Time ? TimeSpan.FromSeconds(12) : null, MaxJoules = limit == StopReason.Energy ? 6 : null };
            FitContext context = Context(options) with { Clock = ticking, Meter = ticking };
            FitResult cut = family.Fit(context), whole = family.Fit(Context(options with { MaxTime = null, MaxJoules = null }));
            using (cut.Model)
            using (whole.Model)
            {
                Assert.Equal(limit, cut.StopReason);
                Assert.True(whole.StopReason is not (StopReason.Time or StopReason.Energy));
                Assert.True(cut.History[^1].Steps < whole.History[^1].Steps, $"{cut.History[^1].Steps} of {whole.History[^1].Steps}");
                Assert.True(cut.History[^1].Steps > 0);
            }
        }
    }

    // Two classes of 200 rows on both sides of a wave: no solver is done in a few steps.
    private static FitContext Context(FitOptions options)
    {
        var rng = new Rng(3);
        var dense = new float[600];
        var labels = new int[200];
        for (int row = 0; row < labels.Length; row++)
        {
            Span<float> x = dense.AsSpan(row * 3, 3);
            for (int feature = 0; feature < 3; feature++)
                x[feature] = (float)rng.NextGaussian() * (feature + 1);
            labels[row] = x[0] + (2 * MathF.Sin(x[1])) + (0.2 * rng.NextGaussian()) > 0 ? 1 : 0;
        }

        return new Examples(dense, 3, labels, cardinalities: [0, 0, 0]).Context(Examples.Binary, options with { Threads = 1 });
    }

    [Fact]
    public void Fit_NothingLeft_StillTakesOneStep()
    {
        foreach (IModelFamily family in new IModelFamily[] { new LinearFamily(), new ForestFamily(), new BoostingFamily(native: false) })
        {
            FitResult result = family.Fit(Context(new FitOptions { MaxTime = TimeSpan.FromMilliseconds(1) }) with { Clock = new Ticking() });
            using (result.Model)
            {
                Assert.Equal(StopReason.Time, result.StopReason);
                Assert.True(result.History[^1].Steps is > 0 and <= 10);
            }
        }
    }
}
