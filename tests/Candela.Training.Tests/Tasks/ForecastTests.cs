using System.Globalization;
using System.Text;
using Candela.Data;
using Candela.Experiments;
using Candela.Models;
using Candela.Runs;
using Candela.Training.Tasks;

namespace Candela.Training.Tests.Tasks;

public sealed class ForecastTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("candela-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [Trait("Kind", "analytic")]
    [InlineData("rnn")]
    [InlineData("lstm")]
    [InlineData("gru")]
    public void Train_SineWithNoise_BeatsTheNaiveForecastsAndItsBoundsHoldTheValues(string net)
    {
        // Noise of 0.3: no forecast has an error below 0.3 sqrt(2 / pi) = 0.239; the seasonal naive one has sqrt(2) times that.
        string data = Write("sine.csv", 500, (t, rng) => (3 * Math.Sin(2 * Math.PI * t / 12)) + (0.3 * rng.NextGaussian()));
        RunRecord record = Train(Request(data) with { Model = net }, Path.Combine(_folder, "run"));
        Assert.Equal(TaskKind.Forecast, record.Problem.Task);
        Assert.Equal("12", record.Chosen["season"]);
        double mae = record.Metrics["test"].Metrics["mae"].Value;
        Assert.InRange(mae, 0.2, 0.3);
        Assert.Equal("seasonal-naive", record.Baseline.Name);
        Assert.True(record.Baseline.Metrics["mae"].Low > mae, "the seasonal naive forecast doubles the noise's variance");
        Assert.True(record.Candidates.Single(c => c.Model == "seasonal-naive").Test!["maeOverNet"].Low > 0);
        Assert.InRange(record.Metrics["test"].Metrics["coverage"].Value, 0.8, 0.99);
        Assert.Equal(500, record.Rows.Values.Sum());
    }

    [Fact]
    [Trait("Kind", "property")]
    public void Train_InterruptedAndResumed_GivesTheSameWeights()
    {
        string data = Write("sine.csv", 150, (t, rng) => Math.Sin(t / 3.0) + (0.1 * rng.NextGaussian()));
        TrainRequest request = Request(data, epochs: 4) with { Sequence = new SequenceOptions { Width = 8, Layers = 2 }, Fit = new FitOptions { Seed = 1, Epochs = 4, Dropout = 0.2, Threads = 1 } };
        string whole = Path.Combine(_folder, "whole"), parts = Path.Combine(_folder, "parts");
        Train(request, whole);
        using var cancel = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => SequenceExperiment.Train(request, parts, [new ForecastTask()],
            new ExperimentOptions { CheckpointEvery = TimeSpan.Zero, Events = new CancelAfter(cancel, epochs: 6) }, cancel.Token)); // in the second net
        Train(request, parts, new ExperimentOptions { Resume = true });
        foreach (string file in new[] { "model.safetensors", "config.json" })
            Assert.Equal(File.ReadAllBytes(Path.Combine(whole, file)), File.ReadAllBytes(Path.Combine(parts, file)));
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Predict_SeveralSeriesWithInputs_GoesOnWithEachFromItsOwnLevel()
    {
        // The input says whether the value rises or falls at the next step; levels are 100 apart.
        var text = new StringBuilder("day,shop,y,push\n");
        var rng = new Rng(3);
        double[] level = [100, 200];
        for (int t = 0; t < 200; t++)
        {
            for (int s = 0; s < 2; s++)
            {
                int push = rng.Next(2);
                text.Append(CultureInfo.InvariantCulture, $"{new DateTime(2024, 1, 1).AddDays(t):yyyy-MM-dd},{"ab"[s]},{level[s]:F3},{push}\n");
                level[s] = (100 * (s + 1)) + (push == 1 ? 5 : -5);
            }
        }

        string data = Path.Combine(_folder, "shops.csv"), run = Path.Combine(_folder, "run");
        File.WriteAllText(data, text.ToString());
        RunRecord record = Train(Request(data) with { Model = "gru", Keep = ["push"], Sequence = new SequenceOptions { Group = "shop", Horizon = 1, Window = 4, Season = 1 } }, run);
        Assert.True(record.Metrics["test"].Metrics["mae"].Value < 1, $"MAE {record.Metrics["test"].Metrics["mae"].Value}; without the input it is 5");
        using ISequencePredictor predictor = SequenceExperiment.Open(run, [new ForecastTask()])!;
        SequencePrediction[] next = [.. predictor.Predict(data, new Progress<TrainEvent>(), TestContext.Current.CancellationToken)];
        Assert.Equal(["a", "b"], next.Select(p => p.Values[0]!.GetValue<string>()));
        Assert.All(next, p => Assert.Equal("2024-07-19", p.Values[2]!.GetValue<string>()));
        for (int s = 0; s < 2; s++)
        {
            Assert.Equal(level[s], next[s].Values[3]!.GetValue<double>(), 1.5);
            Assert.True(next[s].Values[4]!.GetValue<double>() < level[s] && level[s] < next[s].Values[5]!.GetValue<double>());
        }

        Assert.True(predictor.Evaluate(data, new Progress<TrainEvent>(), TestContext.Current.CancellationToken).Metrics["mae"].Value < 1);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Network_WithFirstWeights_IsTheSeasonalNaiveForecast()
    {
        using var network = new ForecastNetwork(new ForecastShape("gru", 1, 4, 0, Window: 6, Horizon: 4, Season: 3, Inputs: 0));
        network.Build(seed: 1);
        using TensorScope scope = TensorScope.Begin();
        using var output = network.call(TorchSharp.torch.tensor(new float[] { 1, 2, 3, 4, 5, 6 }, [1, 6, 1]));
        Assert.Equal([4f, 5, 6, 4], TensorMemory.Read(output));
    }

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("--heads")]
    [InlineData("--target")]
    [InlineData("--exclude")]
    [InlineData("'cnn'")]
    [InlineData("--valid")]
    public void Complete_OptionThatCannotBeUsed_IsRefusedByName(string name)
    {
        TrainRequest request = Request("x.csv");
        request = name switch
        {
            "--heads" => request with { Sequence = new SequenceOptions { Heads = 2 } },
            "--target" => request with { Target = null },
            "--exclude" => request with { Exclude = ["a"] },
            "'cnn'" => request with { Model = "cnn" },
            _ => request with { ValidFraction = 0 },
        };
        Assert.Contains(name, Assert.Throws<UsageException>(() => new ForecastTask().Complete(request)).Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Train_ConstantOrShortSeries_SaysWhy()
    {
        string run = Path.Combine(_folder, "run");
        string constant = Write("constant.csv", 100, (_, _) => 5), brief = Write("brief.csv", 10, (t, _) => t);
        Assert.Contains("one value 5", Assert.Throws<DataException>(() => Train(Request(constant), run)).Message, StringComparison.Ordinal);
        Assert.Contains("--window", Assert.Throws<DataException>(() => Train(Request(brief) with { Sequence = new SequenceOptions { Window = 8 } }, run)).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(run));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Open_DamagedConfig_NamesTheFault()
    {
        string data = Write("sine.csv", 120, (t, _) => Math.Sin(t)), run = Path.Combine(_folder, "run"), config = Path.Combine(run, "config.json");
        Train(Request(data, epochs: 1) with { Model = "rnn" }, run);
        string text = File.ReadAllText(config);
        foreach ((string from, string to) in new[] { ("\"horizon\": ", "\"horizon\": 9"), ("\"half_widths\"", "\"widths\""), ("\"season\": ", "\"season\": -"), ("\"deviations\"", "\"variations\"") })
        {
            File.WriteAllText(config, text.Replace(from, to, StringComparison.Ordinal));
            Assert.Equal(Fault.Corrupt, Assert.Throws<FileFormatException>(() => SeriesForecaster.Open(run)).Fault);
        }
    }

    private static TrainRequest Request(string data, int epochs = 60) => new() { Data = data, Target = "y", Task = SequenceTasks.Forecast, Fit = new FitOptions { Seed = 1, Epochs = epochs, LearningRate = 0.01, Threads = 1 } };

    private static RunRecord Train(TrainRequest request, string run, ExperimentOptions? options = null) =>
        SequenceExperiment.Train(request, run, [new ForecastTask()], options, TestContext.Current.CancellationToken);

    private string Write(string name, int count, Func<int, Rng, double> value)
    {
        var rng = new Rng(7);
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, "y\n" + string.Concat(Enumerable.Range(0, count).Select(t => string.Create(CultureInfo.InvariantCulture, $"{value(t, rng):F5}\n"))));
        return path;
    }

    private sealed class CancelAfter(CancellationTokenSource source, int epochs) : IProgress<TrainEvent>
    {
        private int _left = epochs;

        public void Report(TrainEvent value)
        {
            if (value is EpochEnded && --_left == 0)
                source.Cancel();
        }
    }
}
