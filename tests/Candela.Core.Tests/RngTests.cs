namespace Candela.Tests;

public class RngTests
{
    [Fact]
    public void NextGaussian_ManyDraws_MeanAndVarianceMatchTheStandardNormal()
    {
        var rng = new Rng(7);
        double sum = 0, squares = 0;
        const int N = 200_000;
        for (int i = 0; i < N; i++)
        {
            double x = rng.NextGaussian();
            sum += x;
            squares += x * x;
        }

        // Standard errors: 1/sqrt(N) = 0.0022 for the mean, sqrt(2/N) = 0.0032 for the variance; bounds are 5 of them.
        Assert.InRange(sum / N, -0.011, 0.011);
        Assert.InRange(squares / N, 0.984, 1.016);
    }

    [Fact]
    public void Shuffle_EachPosition_IsUniform()
    {
        var counts = new int[5, 5];
        for (int seed = 0; seed < 20_000; seed++)
        {
            int[] items = [0, 1, 2, 3, 4];
            new Rng(seed).Shuffle(items.AsSpan());
            for (int i = 0; i < 5; i++)
                counts[i, items[i]]++;
        }

        foreach (int count in counts)
            Assert.InRange(count, 4000 - 290, 4000 + 290); // 5 sigma of Binomial(20000, 1/5)
    }
}
