using System.Globalization;
using Candela.Data;
using CsCheck;

namespace Candela.Tests.Data;

/// <summary>The independent implementation is the library's float.Parse.</summary>
public sealed class NumberCellTests
{
    private static readonly Gen<string> Decimal = Gen.Select(Gen.OneOf("", "-", "+"), Gen.String[Gen.Char['0', '9'], 0, 20], Gen.OneOf("", "."), Gen.String[Gen.Char['0', '9'], 0, 20],
        Gen.OneOf<string>(Gen.Const(""), Gen.Int[-60, 60].Select(e => "e" + e.ToString(CultureInfo.InvariantCulture)), Gen.Int[0, 45].Select(e => "E+" + e.ToString(CultureInfo.InvariantCulture))), (a, b, c, d, e) => a + b + c + d + e);

    [Fact, Trait("Kind", "property")]
    public void TryParse_AnyDecimal_EqualsFloatParseBitForBit() => Decimal.Sample(text =>
    {
        bool expected = float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float value);
        bool got = NumberCell.TryParse(text, out float parsed);
        return expected == got && (!got || BitConverter.SingleToInt32Bits(value) == BitConverter.SingleToInt32Bits(parsed));
    }, iter: 20_000);

    [Fact, Trait("Kind", "property")]
    public void TryParse_AnyFloatInAnyPrecision_EqualsFloatParseBitForBit() => Gen.Select(Gen.Int, Gen.OneOf("R", "G6", "G9", "F3", "E4", "G17")).Sample((bits, format) =>
    {
        float number = BitConverter.Int32BitsToSingle(bits);
        if (!float.IsFinite(number))
            return true;
        string text = format == "G17" ? ((double)number).ToString(format, CultureInfo.InvariantCulture) : number.ToString(format, CultureInfo.InvariantCulture);
        return NumberCell.TryParse(text, out float parsed) && BitConverter.SingleToInt32Bits(float.Parse(text, CultureInfo.InvariantCulture)) == BitConverter.SingleToInt32Bits(parsed);
    }, iter: 20_000);

    [Theory, Trait("Kind", "analytic")]
    // Midway between two floats, a hair above and a hair below: rounding by way of double would give the even neighbour each time.
    [InlineData("1.000000059604644775390625", 0x3f800000)]
    [InlineData("1.000000059604644775390626", 0x3f800001)]
    [InlineData("1.000000178813934326171875", 0x3f800002)]
    [InlineData("16777217", 0x4b800000)]
    [InlineData("16777219", 0x4b800002)]
    [InlineData("-0", unchecked((int)0x80000000))]
    [InlineData("1e-46", 0)]
    [InlineData("inf", 0x7f800000)]
    [InlineData("-Inf", unchecked((int)0xff800000))]
    [InlineData("1e39", 0x7f800000)]
    public void TryParse_EdgeCases_GiveTheNearestFloat(string text, int bits)
    {
        Assert.True(NumberCell.TryParse(text, out float value));
        Assert.Equal(bits, BitConverter.SingleToInt32Bits(value));
    }

    [Theory, Trait("Kind", "fault")]
    [InlineData("")]
    [InlineData("-")]
    [InlineData(".")]
    [InlineData("1,000")]
    [InlineData("1e")]
    [InlineData("0x10")]
    [InlineData("1 2")]
    [InlineData("--1")]
    [InlineData("--inf")]
    [InlineData("１")]
    public void TryParse_NotANumber_IsRefused(string text) => Assert.False(NumberCell.TryParse(text, out float _));
}
