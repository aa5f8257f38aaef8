#:project ../src/Candela.Training/Candela.Training.csproj
#:property PublishAot=false

// The classic small convolutional net on 28 x 28 digits: 225,034 parameters. Run: dotnet run samples/02-digits-cnn.cs [IMAGES LABELS]
using Candela.Data;
using Candela.Training;

string images = args.Length == 2 ? args[0] : Path.Combine("samples", "data", "mnist-2k-images-idx3-ubyte.gz");
string labels = args.Length == 2 ? args[1] : Path.Combine("samples", "data", "mnist-2k-labels-idx1-ubyte.gz");
using Table table = Table.Load(images, new TableOptions { LabelsFile = labels });
Problem problem = ProblemInference.Infer(table, "label", null);
TableSplit split = TableSplit.Create(table, problem, new SplitOptions { ValidFraction = 0, TestFraction = 0.2, Seed = 1 });
FeatureEncoder encoder = FeatureEncoder.Fit(table, split, problem, ["image"], new FeatureRequest(FeatureStyle.Scaled));
var train = new EncodedTable(table, split, Part.Train, encoder);
var test = new EncodedTable(table, split, Part.Test, encoder);

using var net = new Sequential(
    new Conv2d(32, 3, activation: ActivationKind.Relu), new MaxPool2d(2),
    new Conv2d(64, 3, activation: ActivationKind.Relu), new MaxPool2d(2),
    new Flatten(), new Dense(128, ActivationKind.Relu), new Dense(10));
net.Build([1, 28, 28], seed: 1);
Console.WriteLine(net.Summary());

// Outputs are logits: the loss applies the softmax itself, in a form that stays finite.
var plan = new TrainingPlan { Epochs = 3, BatchSize = 32, Optimizer = new AdamOptions(), LearningRate = 1e-3, Seed = 1 };
TrainingOutcome outcome = Trainer.Fit(net, train, test, new SparseCategoricalCrossEntropy(), plan);
foreach (var epoch in outcome.History)
    Console.WriteLine($"epoch {epoch.Epoch + 1}: loss {epoch.TrainLoss:F4}, accuracy on held-out digits {epoch.ValidScore:P1}");
