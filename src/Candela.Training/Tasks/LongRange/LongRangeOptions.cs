namespace Candela.Training.Tasks;

/// <summary>The classic problems that need a long memory. At every length they are equally hard but for the distance.</summary>
public enum LongRangeProblem
{
    /// <summary>A row of numbers in [0, 1), two of them marked, one in each half: their sum. Always answering 1 has a squared error of 1/6. Source: Hochreiter and Schmidhuber 1997, section 5.4, as Arjovsky et al. 2016 state it.</summary>
    Adding,

    /// <summary>Ten symbols of eight kinds, then as many blanks as the length says, a mark, and ten steps in which the symbols are to be repeated. Guessing is right 1 time in 8. Source: Arjovsky et al. 2016, section 5.1.</summary>
    Copy,
}

/// <summary>How a recurrent net is tried on a <see cref="LongRangeProblem"/>.</summary>
/// <param name="Problem">The problem.</param>
/// <param name="Net"><c>rnn</c>, <c>lstm</c> or <c>gru</c>.</param>
public sealed record LongRangeOptions(LongRangeProblem Problem, string Net)
{
    /// <summary>Steps of an adding problem, or blanks of a copy problem. Default 200.</summary>
    public int Length { get; init; } = 200;

    /// <summary>Whether training goes from short to full length: at 10, 20, 50, 100, ... up to <see cref="Length"/>, each until the loss is <see cref="StageLoss"/>, batches drawing their own length
    /// from half of it up. False (default) trains at <see cref="Length"/> alone. Evaluation is at that in any case.</summary>
    public bool Curriculum { get; init; }

    /// <summary>Numbers of the state. Default 128.</summary>
    public int Units { get; init; } = 128;

    /// <summary>Chrono initialisation of lstm and gru, see <see cref="Recurrent.Memory"/>; a plain net has no gates to set. Default 0, none.</summary>
    public int Memory { get; init; }

    /// <summary>Steps at the most. Default 5,000.</summary>
    public long Steps { get; init; } = 5000;

    /// <summary>Sequences per step. Default 32.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Adam's rate. Default 0.002.</summary>
    public double LearningRate { get; init; } = 0.002;

    /// <summary>Bound of the gradient's norm. Default 1.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Decay of the weight average that is judged, and that each stage goes on from: it takes the noise of a high rate off. Default 0.99; 0 for none.</summary>
    public double Ema { get; init; } = 0.99;

    /// <summary>Training ends when the mean loss of 100 steps is at most this: squared error, or nats per symbol. Default 0.002.</summary>
    public double StopLoss { get; init; } = 0.002;

    /// <summary>A stage of a curriculum before the last ends when the mean loss of 100 steps is at most this. Default 0.1.</summary>
    public double StageLoss { get; init; } = 0.1;

    /// <summary>Of weights and sequences. Default 1.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Threads. Default 1.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>The settings with which lstm and gru solve a problem at a length of 200, and which a plain net gets too: same size, steps, rate and curriculum. On one core a minute or two (adding)
    /// to some ten minutes (copy).</summary>
    /// <param name="problem">The problem.</param>
    /// <param name="net"><c>rnn</c>, <c>lstm</c> or <c>gru</c>.</param>
    public static LongRangeOptions Proof(LongRangeProblem problem, string net) => problem == LongRangeProblem.Adding
        ? new LongRangeOptions(problem, net) { Units = 64, Steps = 6000, LearningRate = 0.003, Curriculum = true, StageLoss = 0.02, Memory = net == "rnn" ? 0 : 200 }
        : new LongRangeOptions(problem, net) { Units = 128, Steps = 15_000, LearningRate = 0.01, Curriculum = true, StopLoss = 0.02, Memory = net == "rnn" ? 0 : 60 };
}

/// <summary>How a net did on a <see cref="LongRangeProblem"/>.</summary>
/// <param name="Steps">Steps taken.</param>
/// <param name="Error">On 1,000 fresh sequences at full length: mean squared error (adding), or the share of wrong symbols (copy).</param>
/// <param name="Seconds">Wall time of training.</param>
public sealed record LongRangeOutcome(long Steps, double Error, double Seconds);
