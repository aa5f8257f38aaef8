using Candela.Data;
using Candela.Training.Tasks;

namespace Candela.Training.Tests.Tasks;

/// <summary>What recurrent nets remember. The full figures (length 200) are in the slow tier, CANDELA_SLOW=1, some half an hour on one core.</summary>
public sealed class LongRangeTests
{
    [Fact]
    [Trait("Kind", "analytic")]
    public void Batches_OfBothProblems_AreWhatTheProblemsSay()
    {
        LongRangeBatch adding = new LongRangeSource(LongRangeProblem.Adding, 30, 30, 4, seed: 1).Batches(new BatchPlan(4)).Single();
        for (int n = 0; n < 4; n++)
        {
            int[] marked = [.. Enumerable.Range(0, 30).Where(t => adding.Inputs[(2 * ((n * 30) + t)) + 1] == 1)];
            Assert.Equal(2, marked.Length);
            Assert.True(marked[0] < 15 && marked[1] >= 15);
            Assert.Equal(marked.Sum(t => adding.Inputs[2 * ((n * 30) + t)]), adding.Sums[n], 6);
        }

        LongRangeBatch copy = new LongRangeSource(LongRangeProblem.Copy, 7, 7, 3, seed: 1).Batches(new BatchPlan(3)).Single();
        Assert.Equal(27, copy.Steps);
        for (int n = 0; n < 3; n++)
        {
            long[] kinds = [.. Enumerable.Range(0, 27).Select(t => (long)Array.IndexOf(copy.Inputs, 1f, ((n * 27) + t) * 10, 10) % 10)];
            Assert.Equal(copy.Recalled[(n * 10)..((n + 1) * 10)], kinds[..10]);
            Assert.Equal(9, kinds[16]); // the mark, then ten blanks in which the symbols are asked for
            Assert.All(kinds[10..16].Concat(kinds[17..]), k => Assert.Equal(8, k));
        }
    }

    /// <summary>With PyTorch's first weights every net's gradient vanishes; with gates set to keep (Tallec and Ollivier 2018) it reaches back 200 steps. A plain net has no gates.</summary>
    [Theory]
    [Trait("Kind", "gradient")]
    [InlineData("rnn", 0, 0, 1e-12)]
    [InlineData("lstm", 0, 0, 1e-8)]
    [InlineData("gru", 0, 0, 1e-8)]
    [InlineData("lstm", 200, 5e-3, 1)]
    [InlineData("gru", 200, 5e-3, 1)]
    public void GradientReach_HundredStepsBack_VanishesUnlessGatesKeep(string net, int memory, double least, double most)
    {
        double reach = LongRangeTrial.GradientReach(net, [0, 100], memory: memory)[1];
        Assert.InRange(reach, least, most);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Memory_OfLstmAndGru_SetsTheOffsetsOfTheGatesThatKeep()
    {
        const int Units = 400, Memory = 100;
        foreach (Recurrent net in new Recurrent[] { new Lstm(Units, memory: Memory), new Gru(Units, memory: Memory) })
        {
            using (net)
            {
                net.Build([3, 2], seed: 5);
                float[] bias = TensorMemory.Read(net.OwnParameters.Single(p => p.Name == "bias_ih_l0").Value);
                Assert.All(TensorMemory.Read(net.OwnParameters.Single(p => p.Name == "bias_hh_l0").Value), b => Assert.Equal(0, b));
                float[] keep = bias[Units..(2 * Units)];
                Assert.All(keep, b => Assert.InRange(b, 0, Math.Log(Memory - 1) + 1e-6));
                Assert.Equal((Memory / 2.0), keep.Average(b => Math.Exp(b)), 5.0); // uniform in [1, 99]; standard error 28 / 20
                Assert.Equal(net is Lstm ? keep.Select(b => -b) : Enumerable.Repeat(0f, Units), bias[..Units]);
                Assert.All(bias[(2 * Units)..], b => Assert.Equal(0, b));
            }
        }

        Assert.Throws<UsageException>(() => new Lstm(4, bias: false, memory: 10));
        Assert.Throws<UsageException>(() => new Gru(4, memory: 2));
    }

    /// <summary>The fast twin: adding at a length of 30.</summary>
    [Fact]
    [Trait("Kind", "analytic")]
    public void Train_ShortAdding_IsSolvedByTheGru()
    {
        LongRangeOutcome outcome = LongRangeTrial.Train(new LongRangeOptions(LongRangeProblem.Adding, "gru") { Length = 30, Units = 32, Memory = 30, Steps = 1500, LearningRate = 0.01, Curriculum = true, StageLoss = 0.02, StopLoss = 0.005 }, cancellation: TestContext.Current.CancellationToken);
        Assert.True(outcome.Error < 0.01, $"squared error {outcome.Error} after {outcome.Steps} steps; always answering 1 has 0.167");
    }

    [Theory]
    [Trait("Kind", "analytic")]
    [InlineData("lstm", true)]
    [InlineData("gru", true)]
    [InlineData("rnn", false)]
    public void Train_AddingAt200_IsSolvedWithGatesOnly(string net, bool solved)
    {
        if (Environment.GetEnvironmentVariable("CANDELA_SLOW") != "1")
            return;
        LongRangeOutcome outcome = LongRangeTrial.Train(LongRangeOptions.Proof(LongRangeProblem.Adding, net), cancellation: TestContext.Current.CancellationToken);
        Assert.InRange(outcome.Error, solved ? 0 : 0.03, solved ? 0.01 : 1);
    }

    [Theory]
    [Trait("Kind", "analytic")]
    [InlineData("lstm", true)]
    [InlineData("gru", true)]
    [InlineData("rnn", false)]
    public void Train_CopyAt200_IsSolvedWithGatesOnly(string net, bool solved)
    {
        if (Environment.GetEnvironmentVariable("CANDELA_SLOW") != "1")
            return;
        LongRangeOutcome outcome = LongRangeTrial.Train(LongRangeOptions.Proof(LongRangeProblem.Copy, net), cancellation: TestContext.Current.CancellationToken);
        Assert.InRange(outcome.Error, solved ? 0 : 0.5, solved ? 0.01 : 1);
    }
}
