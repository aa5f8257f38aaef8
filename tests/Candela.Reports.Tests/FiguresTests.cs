using Candela.Reports.Charts;
using CsCheck;

namespace Candela.Reports.Tests;

public class FiguresTests
{
    [Theory, Trait("Kind", "golden")]
    [InlineData(48213.4, "48,213")]
    [InlineData(3.14159, "3.142")]
    [InlineData(0.0999, "0.0999")]
    [InlineData(-1500, "-1,500")]
    [InlineData(0, "0")]
    [InlineData(0.00001234, "1.234e-5")]
    [InlineData(899_667_384, "8.997e8")]
    [InlineData(2e12, "2e12")]
    [InlineData(double.NaN, "n/a")]
    public void Number_AnyMagnitude_HasFourDigits(double value, string expected) => Assert.Equal(expected, Figures.Number(value));

    [Theory, Trait("Kind", "golden")]
    [InlineData(0.61, "610 ms")]
    [InlineData(5.43, "5.43 s")]
    [InlineData(95.3, "1 min 35 s")]
    [InlineData(4000, "1 h 06 min")]
    public void Duration_AnyLength_HasAUnit(double seconds, string expected) => Assert.Equal(expected, Figures.Duration(seconds).Replace('\u00A0', ' '));

    [Fact, Trait("Kind", "golden")]
    public void EnergyAndMass_AnySize_HaveUnits()
        => Assert.Equal(["63.7 J", "1.33 kJ", "7.2 MJ", "2 kWh", "4.31 mg", "12 g", "1.5 kg"], new[] { Figures.Energy(63.7), Figures.Energy(1334), Figures.Energy(7.2e6), Figures.KilowattHours(7.2e6), Figures.Mass(0.00431), Figures.Mass(12), Figures.Mass(1500) }.Select(s => s.Replace('\u00A0', ' ')));

    [Fact, Trait("Kind", "property")]
    public void Ticks_AnyRange_AreRoundInsideAndFew()
        => Gen.Select(Gen.Double[-1e6, 1e6], Gen.Double[1e-6, 1e6]).Sample((low, span) =>
        {
            var scale = new Scale(low, low + span, 0, 100);
            var ticks = scale.Ticks();
            Assert.InRange(ticks.Count, 2, 12);
            Assert.All(ticks, t => Assert.InRange(t, low - (span * 1e-6), low + (span * (1 + 1e-6))));
            Assert.All(ticks, t => Assert.InRange(scale.At(t), 0, 100));
        });

    [Fact, Trait("Kind", "golden")]
    public void Ticks_LogScale_ArePowersOfTen()
    {
        var scale = new Scale(0.01, 100, 0, 100, log: true);
        Assert.Equal([0.01, 0.1, 1, 10, 100], scale.Ticks().Select(t => Math.Round(t, 6)));
        Assert.Equal(50, scale.At(1), 9);
    }
}
