#:project ../src/Candela.Training/Candela.Training.csproj
#:property PublishAot=false

// A small net for regression: tanh hidden units, a linear output (a step activation has no gradient, and one in 0..1 can not reach targets of 2 to 6).
// The points carry uniform noise of variance 1/12 = 0.0833: no honest model gets far below that. Run: dotnet run samples/04-mlp-regression.cs
using Candela.Data;
using Candela.Training;

using Table table = Table.Load(Path.Combine("samples", "data", "linear-regression-100.csv"));
TableChunk rows = table.ReadChunk(0);
float[] x = ((NumberColumn)rows.Column("x")).Values, y = ((NumberColumn)rows.Column("y")).Values;
var points = new ArrayExamples(x, [1], targets: y);

using var net = new Sequential(new Dense(8, ActivationKind.Tanh), new Dense(1));
var plan = new TrainingPlan { Epochs = 300, BatchSize = 20, Optimizer = new AdamOptions(), LearningRate = 0.02, Seed = 3, Threads = 1 };
TrainingOutcome outcome = Trainer.Fit(net, points, null, new MeanSquaredError(), plan);
Console.WriteLine($"mean squared error: {outcome.History[0].TrainLoss:F4} after one epoch, {outcome.History[^1].TrainLoss:F4} after {outcome.History.Count} (noise variance 0.0833)");
Console.WriteLine(net.Summary());
