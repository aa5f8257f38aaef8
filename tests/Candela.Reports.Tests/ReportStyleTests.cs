using System.Globalization;
using System.Text.RegularExpressions;

namespace Candela.Reports.Tests;

/// <summary>Contrast by the formula of WCAG 2.2 (relative luminance of sRGB).</summary>
public class ReportStyleTests
{
    [Theory, Trait("Kind", "golden")]
    [InlineData("light")]
    [InlineData("dark")]
    [InlineData("print")]
    public void Css_TextOnItsGround_HasContrastOf45(string scheme)
    {
        var colours = Colours(scheme);
        foreach (string text in (string[])["ink", "soft", "accent"])
            foreach (string ground in (string[])["bg", "card", "wash"])
                AssertContrast(4.5, text, colours[text], ground, colours[ground]);
        AssertContrast(4.5, "ink", colours["ink"], "warn", colours["warn"]);
        AssertContrast(4.5, "soft", colours["soft"], "warn", colours["warn"]);
        AssertContrast(4.5, "card", colours["card"], "accent", colours["accent"]); // badges
        foreach (string heat in (string[])["right", "wrong"]) // the strongest cell of the confusion matrix: 70 % colour over the card
            AssertContrast(4.5, "ink", colours["ink"], heat, [.. colours[heat].Zip(colours["card"], (c, g) => (0.7 * c) + (0.3 * g))]);
    }

    [Theory, Trait("Kind", "golden")]
    [InlineData("light")]
    [InlineData("dark")]
    [InlineData("print")]
    public void Css_LinesAndBarsOnTheCard_HaveContrastOf3(string scheme)
    {
        var colours = Colours(scheme);
        foreach (string drawn in (string[])["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "right", "wrong", "bar"])
            AssertContrast(3, drawn, colours[drawn], "card", colours["card"]);
    }

    private static Dictionary<string, double[]> Colours(string scheme)
    {
        string css = ReportStyle.Css;
        int dark = css.IndexOf("@media (prefers-color-scheme:dark)", StringComparison.Ordinal), print = css.IndexOf("@media print", StringComparison.Ordinal), end = css.IndexOf("*{box-sizing", StringComparison.Ordinal);
        string part = scheme switch { "light" => css[..dark], "dark" => css[dark..end], _ => css[print..] };
        return Regex.Matches(part, @"--(\w+):#([0-9a-f]{3,6})\b").ToDictionary(m => m.Groups[1].Value, m => Rgb(m.Groups[2].Value));
    }

    private static double[] Rgb(string hex)
    {
        if (hex.Length == 3)
            hex = string.Concat(hex.Select(c => new string(c, 2)));
        return [.. Enumerable.Range(0, 3).Select(i => int.Parse(hex.AsSpan(2 * i, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) / 255.0)];
    }

    private static void AssertContrast(double least, string name, double[] colour, string groundName, double[] ground)
    {
        double a = Luminance(colour), b = Luminance(ground), ratio = (Math.Max(a, b) + 0.05) / (Math.Min(a, b) + 0.05);
        Assert.True(ratio >= least, $"{name} on {groundName}: {ratio:0.00}, needed {least}");
    }

    private static double Luminance(double[] rgb)
    {
        double Linear(double c) => c <= 0.04045 ? c / 12.92 : Math.Pow((c + 0.055) / 1.055, 2.4);
        return (0.2126 * Linear(rgb[0])) + (0.7152 * Linear(rgb[1])) + (0.0722 * Linear(rgb[2]));
    }
}
