#:project ../src/Candela.Training/Candela.Training.csproj
#:property PublishAot=false

// XOR needs a hidden layer. A linear model's best answer is 0.5 for every row (mean squared error 0.25, half the rows right);
// a net of 2-8-1 units learns all four rows. Run: dotnet run samples/01-xor.cs
using Candela.Data;
using Candela.Training;

var xor = new ArrayExamples([0, 0, 0, 1, 1, 0, 1, 1], [2], labels: [0, 1, 1, 0]);
var plan = new TrainingPlan { Epochs = 400, BatchSize = 4, Optimizer = new AdamOptions(), LearningRate = 0.05, Seed = 1, Threads = 1 };

using var linear = new Sequential(new Dense(1));
TrainingOutcome straight = Trainer.Fit(linear, xor, xor, new BinaryCrossEntropy(), plan);
Console.WriteLine($"linear model: accuracy {straight.History[^1].ValidScore:P0}, loss {straight.History[^1].ValidLoss:F4} (ln 2 = 0.6931: it knows nothing)");

using var net = new Sequential(new Dense(8, ActivationKind.Tanh), new Dense(1));
TrainingOutcome bent = Trainer.Fit(net, xor, xor, new BinaryCrossEntropy(), plan);
Console.WriteLine($"with a hidden layer: accuracy {bent.History[^1].ValidScore:P0}, loss {bent.History[^1].ValidLoss:F4}");
Console.WriteLine(net.Summary());
