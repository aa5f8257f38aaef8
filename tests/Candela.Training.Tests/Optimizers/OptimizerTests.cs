namespace Candela.Training.Tests.Optimizers;

[Trait("Kind", "analytic")]
public class OptimizerTests
{
    public static TheoryData<string> Ids => [.. OptimizerOptions.Ids];

    /// <summary>The formulas of each optimiser's options, in double and one number at a time, written independently of the kernels.</summary>
    [Theory]
    [InlineData("gd"), InlineData("sgd"), InlineData("momentum"), InlineData("nesterov"), InlineData("adagrad"), InlineData("rmsprop"), InlineData("adam"), InlineData("adamw"), InlineData("amsgrad"), InlineData("lion")]
    public void Trajectory_OfQuadratic_FollowsFormula(string id)
    {
        const int Length = 5, Steps = 60;
        const double Rate = 0.02, L2 = 0.05;
        Optimizer optimizer = Optimizer.Create(OptimizerOptions.Of(id) with { L2 = L2 }, [new(0, 3), new(3, 2, Decays: false)]);
        float[] p = [1, -2, 0.5f, 3, -0.25f], g = new float[Length];
        double[] q = [1, -2, 0.5, 3, -0.25], m = new double[Length], v = new double[Length], top = new double[Length];
        for (int t = 1; t <= Steps; t++)
        {
            for (int i = 0; i < Length; i++)
                g[i] = (i + 1) * (p[i] - 0.3f);
            optimizer.Step(p, g, Rate);
            for (int i = 0; i < Length; i++)
            {
                double decay = i < 3 ? L2 : 0, raw = (i + 1) * (q[i] - 0.3), d = raw + (decay * q[i]);
                switch (id)
                {
                    case "gd" or "sgd":
                        q[i] -= Rate * d;
                        break;
                    case "momentum" or "nesterov":
                        m[i] = t == 1 ? d : (0.9 * m[i]) + d;
                        q[i] -= Rate * (id == "nesterov" ? d + (0.9 * m[i]) : m[i]);
                        break;
                    case "adagrad":
                        v[i] += d * d;
                        q[i] -= Rate * d / (Math.Sqrt(v[i]) + 1e-10);
                        break;
                    case "rmsprop":
                        v[i] = (0.99 * v[i]) + (0.01 * d * d);
                        q[i] -= Rate * d / (Math.Sqrt(v[i]) + 1e-8);
                        break;
                    case "lion":
                        double u = (0.9 * m[i]) + (0.1 * raw);
                        m[i] = (0.99 * m[i]) + (0.01 * raw);
                        q[i] -= Rate * (Math.Sign(u) + (decay * q[i]));
                        break;
                    default:
                        if (id == "adamw")
                            (d, q[i]) = (raw, q[i] * (1 - (Rate * decay)));
                        m[i] = (0.9 * m[i]) + (0.1 * d);
                        v[i] = (0.999 * v[i]) + (0.001 * d * d);
                        top[i] = Math.Max(top[i], v[i]);
                        double second = (id == "amsgrad" ? top[i] : v[i]) / (1 - Math.Pow(0.999, t));
                        q[i] -= Rate * (m[i] / (1 - Math.Pow(0.9, t))) / (Math.Sqrt(second) + 1e-8);
                        break;
                }
            }

            // Lion moves by whole rates; where u is within rounding of 0 float and double may differ in sign, which this trajectory does not meet.
            for (int i = 0; i < Length; i++)
                Assert.True(Math.Abs(p[i] - q[i]) <= 2e-6 * Math.Max(1, Math.Abs(q[i])), $"{id} step {t} number {i}: {p[i]} and {q[i]}");
        }
    }

    [Fact]
    public void Rmsprop_Centered_FollowsFormula()
    {
        Optimizer optimizer = Optimizer.Create(new RmspropOptions { Centered = true, Momentum = 0.5, Alpha = 0.9 }, [new(0, 1)]);
        float[] p = [2];
        double q = 2, square = 0, mean = 0, velocity = 0;
        for (int t = 0; t < 40; t++)
        {
            optimizer.Step(p, [3 * p[0]], 0.01);
            double d = 3 * q;
            square = (0.9 * square) + (0.1 * d * d);
            mean = (0.9 * mean) + (0.1 * d);
            velocity = (0.5 * velocity) + (d / (Math.Sqrt(square - (mean * mean)) + 1e-8));
            q -= 0.01 * velocity;
            Assert.Equal(q, p[0], 1e-5); // the centred denominator is a difference of near-equal squares: rounding is amplified
        }
    }

    [Fact]
    public void Momentum_WithDampening_FollowsFormula()
    {
        Optimizer optimizer = Optimizer.Create(new SgdOptions { Momentum = 0.8, Dampening = 0.25 }, [new(0, 1)]);
        float[] p = [2];
        double q = 2, velocity = 0;
        for (int t = 0; t < 40; t++)
        {
            optimizer.Step(p, [p[0]], 0.05);
            velocity = t == 0 ? q : (0.8 * velocity) + (0.75 * q);
            q -= 0.05 * velocity;
            Assert.Equal(q, p[0], 1e-6);
        }
    }

    [Theory]
    [InlineData("adam", 1e-4), InlineData("adam", 1000), InlineData("adamw", 1e-4), InlineData("amsgrad", 1000)]
    public void Adam_FirstStep_HasTheLearningRateAsSize(string id, double gradient)
    {
        Optimizer optimizer = Optimizer.Create(OptimizerOptions.Of(id) with { L2 = 0 }, [new(0, 2)]);
        float[] p = [0, 0];
        optimizer.Step(p, [(float)gradient, -(float)gradient], 0.001);
        Assert.Equal(-0.001, p[0], 1e-6);
        Assert.Equal(0.001, p[1], 1e-6);
    }

    [Fact]
    public void Adagrad_UnderConstantGradient_SlowsAsOneOverRootT()
    {
        Optimizer optimizer = Optimizer.Create(new AdagradOptions(), [new(0, 1)]);
        float[] p = [0];
        float before = 0;
        for (int t = 1; t <= 1000; t++)
        {
            before = p[0];
            optimizer.Step(p, [2], 0.1);
            Assert.Equal(0.1 / Math.Sqrt(t), before - p[0], 1e-5);
        }
    }

    /// <summary>Lasso with one feature per weight has a closed form: soft-threshold of the least-squares weight by L1 / curvature.</summary>
    [Theory]
    [InlineData("gd"), InlineData("momentum"), InlineData("nesterov"), InlineData("adam"), InlineData("amsgrad"), InlineData("adagrad"), InlineData("rmsprop")]
    public void L1_AtTheEnd_GivesExactZerosAndTheLassoSolution(string id)
    {
        const double L1 = 0.5;
        Optimizer optimizer = Optimizer.Create(OptimizerOptions.Of(id) with { L1 = L1 }, [new(0, 4), new(4, 1, Decays: false)]);
        float[] p = [1, 1, 1, 1, 1];
        double[] target = [2, 0.1, -0.3, -1, 0.2];
        bool adaptive = id is "adam" or "amsgrad" or "adagrad" or "rmsprop";
        for (int t = 0; t < 4000; t++)
            optimizer.Step(p, [.. p.Select((x, i) => (float)(x - target[i]))], adaptive ? 0.02 * Math.Pow(0.999, t) * (id == "adagrad" ? 50 : 1) : 0.1);
        Assert.Equal(0f, p[1]);
        Assert.Equal(0f, p[2]);
        Assert.Equal(0.2, p[4], 1e-3); // a bias: no penalty
        Assert.Equal(1.5, p[0], adaptive ? 5e-3 : 1e-5); // adaptive ones are still moving a little
        Assert.Equal(-0.5, p[3], adaptive ? 5e-3 : 1e-5);
    }

    [Fact]
    public void ElasticNet_AtTheEnd_IsTheClosedForm()
    {
        Optimizer optimizer = Optimizer.Create(new SgdOptions { L1 = 0.5, L2 = 0.25 }, [new(0, 3)]);
        float[] p = [1, 1, 1];
        double[] target = [2, 0.4, -3];
        for (int t = 0; t < 2000; t++)
            optimizer.Step(p, [.. p.Select((x, i) => (float)(x - target[i]))], 0.1);
        Assert.Equal(1.5 / 1.25, p[0], 1e-5);
        Assert.Equal(0f, p[1]);
        Assert.Equal(-2.5 / 1.25, p[2], 1e-5);
    }

    [Theory]
    [InlineData("sgd"), InlineData("adamw"), InlineData("lion")]
    public void Penalties_LeaveBiasesAlone(string id)
    {
        Optimizer optimizer = Optimizer.Create(OptimizerOptions.Of(id) with { L1 = 0.1, L2 = 0.1 }, [new(0, 9), new(9, 9, Decays: false)]);
        float[] p = [.. Enumerable.Repeat(1f, 18)];
        for (int t = 0; t < 10; t++)
            optimizer.Step(p, new float[18], 0.1);
        Assert.All(p[..9], x => Assert.InRange(x, 0, 0.95f));
        Assert.All(p[9..], x => Assert.Equal(1f, x));
    }

    [Fact]
    public void Clipping_OfALongGradient_ScalesItToTheBound()
    {
        Optimizer optimizer = Optimizer.Create(new SgdOptions(), [new(0, 2)]);
        float[] p = [0, 0];
        Assert.Equal(50, optimizer.Step(p, [30, 40], 1, maxNorm: 5), 1e-4);
        Assert.Equal([-3f, -4f], p);
        Assert.Equal(2.5, optimizer.Step(p, [3, 4], 1, maxNorm: 5, gradientScale: 0.5), 1e-6);
        Assert.Equal([-4.5f, -6f], p);
    }

    [Theory, MemberData(nameof(Ids))]
    public void State_SavedAndLoaded_GoesOnBitForBit(string id)
    {
        ParameterSegment[] segments = [new(0, 13), new(13, 4, Decays: false)];
        OptimizerOptions options = OptimizerOptions.Of(id);
        Optimizer first = Optimizer.Create(options, segments);
        float[] p = Start();
        for (int t = 0; t < 7; t++)
            Advance(first, p);
        OptimizerState saved = first.Save();
        Optimizer second = Optimizer.Create(options, segments);
        second.Load(saved);
        float[] q = [.. p];
        for (int t = 0; t < 7; t++)
        {
            Advance(first, p);
            Advance(second, q);
        }

        Assert.Equal(p, q);
        Assert.Equal(14, second.Steps);
    }

    [Theory, MemberData(nameof(Ids))]
    public void Minimize_OfAConvexQuadratic_ComesNearTheMinimum(string id)
    {
        OptimizerOptions options = OptimizerOptions.Of(id) with { L2 = 0 };
        Optimizer optimizer = Optimizer.Create(options, [new(0, 17)]);
        float[] p = Start();
        double first = 0, last = 0;
        for (int t = 0; t < 1500; t++)
        {
            double rate = options is LbfgsOptions ? 1 : (options.FullBatch ? 0.05 : 0.05 * (1 - (t / 1500.0)));
            last = Advance(optimizer, p, rate);
            first = t == 0 ? last : first;
        }

        Assert.True(last < 0.02 * first, $"{id}: {first} -> {last}");
    }

    [Fact]
    public void State_OfAnotherOptimiser_IsRefused()
    {
        Optimizer adam = Optimizer.Create(new AdamOptions(), [new(0, 3)]);
        Assert.Contains("'lion'", Assert.Throws<ShapeException>(() => adam.Load(Optimizer.Create(new LionOptions(), [new(0, 3)]).Save())).Message);
        Assert.Contains("4", Assert.Throws<ShapeException>(() => adam.Load(Optimizer.Create(new AdamOptions(), [new(0, 4)]).Save())).Message);
    }

    [Fact]
    public void Id_Mistyped_NamesTheNearest() =>
        Assert.Contains("Did you mean 'nesterov'?", Assert.Throws<UsageException>(() => OptimizerOptions.Of("nestrov")).Message);

    [Fact]
    public void Options_OutOfRange_AreRefusedByName()
    {
        Assert.Contains("Beta1", Assert.Throws<UsageException>(() => Optimizer.Create(new AdamOptions { Beta1 = 1 }, [new(0, 1)])).Message);
        Assert.Contains("Nesterov", Assert.Throws<UsageException>(() => Optimizer.Create(new SgdOptions { Nesterov = true }, [new(0, 1)])).Message);
        Assert.Contains("L1", Assert.Throws<UsageException>(() => Optimizer.Create(new LbfgsOptions { L1 = 1 }, [new(0, 1)])).Message);
        Assert.Contains("overlaps", Assert.Throws<ShapeException>(() => Optimizer.Create(new SgdOptions(), [new(0, 3), new(2, 3)])).Message);
        Assert.Contains("needs buffers of 3", Assert.Throws<ShapeException>(() => Optimizer.Create(new SgdOptions(), [new(0, 3)]).Step(new float[2], new float[3], 1)).Message);
    }

    [Fact]
    public void Lbfgs_OnRosenbrock_ReachesTheMinimum()
    {
        Optimizer optimizer = Optimizer.Create(new LbfgsOptions(), [new(0, 2)]);
        float[] p = [-1.2f, 1], g = new float[2];
        int evaluations = 0;
        double Loss()
        {
            evaluations++;
            double x = p[0], y = p[1], a = y - (x * x);
            (g[0], g[1]) = ((float)((-400 * x * a) - (2 * (1 - x))), (float)(200 * a));
            return (100 * a * a) + ((1 - x) * (1 - x));
        }

        for (int t = 0; t < 60; t++)
            optimizer.Minimize(p, g, Loss, 1);
        Assert.Equal(1, p[0], 1e-3); // Rosenbrock's minimum is (1, 1)
        Assert.Equal(1, p[1], 2e-3);
        Assert.InRange(evaluations, 60, 400);
    }

    [Fact]
    public void Lbfgs_WithL2_IsRidgeRegression()
    {
        // minimise sum c (w - t)^2 / 2 + L2 w^2 / 2: w = c t / (c + L2)
        Optimizer optimizer = Optimizer.Create(new LbfgsOptions { L2 = 0.5 }, [new(0, 2), new(2, 1, Decays: false)]);
        float[] p = [5, 5, 5], g = new float[3];
        double[] c = [1, 30, 2], t = [2, -1, 3];
        double Loss()
        {
            double sum = 0;
            for (int i = 0; i < 3; i++)
                (g[i], sum) = ((float)(c[i] * (p[i] - t[i])), sum + (c[i] * (p[i] - t[i]) * (p[i] - t[i]) / 2));
            return sum;
        }

        for (int i = 0; i < 20; i++)
            optimizer.Minimize(p, g, Loss, 1);
        Assert.Equal(2 / 1.5, p[0], 1e-4);
        Assert.Equal(-30 / 30.5, p[1], 1e-4);
        Assert.Equal(3, p[2], 1e-4);
    }

    private static float[] Start()
    {
        var rng = new Rng(3);
        return [.. Enumerable.Range(0, 17).Select(_ => (float)(0.5 * rng.NextGaussian()))];
    }

    private static double Advance(Optimizer optimizer, float[] p, double rate = 0.01)
    {
        var g = new float[p.Length];
        return optimizer.Minimize(p, g, () =>
        {
            double loss = 0;
            for (int i = 0; i < p.Length; i++)
            {
                double c = 1 + (i % 5), d = p[i] - (0.1 * (i % 3));
                g[i] = (float)(c * d);
                loss += c * d * d / 2;
            }

            return loss;
        }, rate);
    }
}
