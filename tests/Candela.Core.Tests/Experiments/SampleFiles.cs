using System.Globalization;
using System.Text;

namespace Candela.Tests.Experiments;

/// <summary>Small CSV files with a known structure.</summary>
internal static class SampleFiles
{
    /// <summary>Three classes around three centres in four numbers, plus a category that helps and a blank here and there.</summary>
    public static string Classes(TemporaryFolder folder, int rows, long seed = 1, string name = "classes.csv")
    {
        var rng = new Rng(seed);
        var text = new StringBuilder("a,b,c,d,colour,kind\n");
        for (int i = 0; i < rows; i++)
        {
            int k = rng.Next(3);
            for (int f = 0; f < 4; f++)
                text.Append(rng.Next(50) == 0 ? "" : ((f == k ? 2.0 : 0.0) + rng.NextGaussian()).ToString("0.0000", CultureInfo.InvariantCulture)).Append(',');
            text.Append(rng.Next(4) == 0 ? "red" : k == 0 ? "green" : "blue").Append(',').Append("xyz"[k]).Append('\n');
        }

        File.WriteAllText(folder.File(name), text.ToString());
        return folder.File(name);
    }

    /// <summary>y = 3a - 2b + noise.</summary>
    public static string Numbers(TemporaryFolder folder, int rows, long seed = 1, string name = "numbers.csv")
    {
        var rng = new Rng(seed);
        var text = new StringBuilder("a,b,y\n");
        for (int i = 0; i < rows; i++)
        {
            double a = rng.NextGaussian(), b = rng.NextGaussian(), y = (3 * a) - (2 * b) + (0.5 * rng.NextGaussian());
            text.Append(CultureInfo.InvariantCulture, $"{a:0.0000},{b:0.0000},{y:0.0000}\n");
        }

        File.WriteAllText(folder.File(name), text.ToString());
        return folder.File(name);
    }
}
