using Candela.Language;
using CsCheck;

namespace Candela.Core.Tests.Language;

public sealed class NGramModelTests
{
    [Fact, Trait("Kind", "analytic")]
    public void Next_Bigrams_EqualTheHandComputation()
    {
        // Text a b a a of a vocabulary of 3. Unigrams: a 3, b 1, 2 kinds, so P(a) = (3 + 2/3) / 6, P(b) = (1 + 2/3) / 6, P(c) = (2/3) / 6.
        // After a: b 1, a 1, 2 kinds, so P(w | a) = (count + 2 P(w)) / 4. After b: a 1, 1 kind, so P(w | b) = (count + P(w)) / 2.
        double a = (3 + (2 / 3.0)) / 6, b = (1 + (2 / 3.0)) / 6, c = 2 / 3.0 / 6;
        NGramModel model = Counted(2, 3, [0, 1, 0, 0]);
        Assert.Equal(5, model.Size); // a, b; a b, b a, a a
        model.Restart();
        Assert.Equal(a, model.Next(0), 1e-12);
        Assert.Equal((1 + (2 * b)) / 4, model.Next(1), 1e-12);
        Assert.Equal((1 + a) / 2, model.Next(0), 1e-12);
        Assert.Equal(2 * c / 4, model.Next(2), 1e-12);
        Assert.Equal(b, model.Next(1), 1e-12); // nothing is known after c: single tokens
    }

    [Fact, Trait("Kind", "property")]
    public void Next_AnyTextAndHistory_ProbabilitiesSumToOne()
    {
        Gen.Select(Gen.Int[1, 5], Gen.Int[2, 6]).SelectMany((order, vocabulary) => Gen.Select(Gen.Int[0, vocabulary - 1].Array[1, 60], Gen.Int[0, vocabulary - 1].Array[0, 6])
            .Select((text, history) => (order, vocabulary, text, history))).Sample(t =>
        {
            double sum = 0;
            for (int token = 0; token < t.vocabulary; token++)
            {
                NGramModel model = Counted(t.order, t.vocabulary, t.text);
                model.Restart();
                foreach (int before in t.history)
                    _ = model.Next(before);
                double probability = model.Next(token);
                Assert.True(probability > 0);
                sum += probability;
            }

            Assert.Equal(1, sum, 1e-9);
        }, iter: 300, threads: 1, seed: "0000KTbmuH31");
    }

    private static NGramModel Counted(int order, int vocabulary, int[] text)
    {
        var model = new NGramModel(order, vocabulary);
        foreach (int token in text)
            model.Add(token);
        return model;
    }
}
