#:project ../src/Candela.Training/Candela.Training.csproj
#:property PublishAot=false

// A table to a classifier, step by step: the scaler is fitted on training rows only, and the test rows are scored. Run: dotnet run samples/05-tabular-classifier.cs
// (`candela train samples/data/breast_cancer.csv --target last` does all of this and more.)
using Candela.Data;
using Candela.Evaluation;
using Candela.Training;

using Table table = Table.Load(Path.Combine("samples", "data", "breast_cancer.csv"));
Problem problem = ProblemInference.Infer(table, "last", null);
TableSplit split = TableSplit.Create(table, problem, new SplitOptions { ValidFraction = 0.15, TestFraction = 0.2, Seed = 42 });
string[] inputs = [.. table.Schema.Columns.Select(c => c.Name).Where(name => name != problem.Target)];
FeatureEncoder encoder = FeatureEncoder.Fit(table, split, problem, inputs, new FeatureRequest(FeatureStyle.Scaled));
EncodedTable train = new(table, split, Part.Train, encoder), valid = new(table, split, Part.Valid, encoder), test = new(table, split, Part.Test, encoder);

using var net = new Sequential(new Dense(64, ActivationKind.Relu), new Dropout(0.2), new Dense(32, ActivationKind.Relu), new Dense(1));
var plan = new TrainingPlan { Epochs = 60, BatchSize = 32, Optimizer = new AdamOptions(), LearningRate = 1e-3, Patience = 10, Seed = 42, Threads = 1 };
TrainingOutcome outcome = Trainer.Fit(net, train, valid, new BinaryCrossEntropy(), plan);
Console.WriteLine($"{net.Summary().Parameters:N0} parameters (64 x {encoder.Layout.DenseWidth} + 2,177); stopped by {outcome.StopReason} after {outcome.History.Count} epochs");

var (scores, labels) = (new List<float>(), new List<int>());
using (TorchSharp.torch.no_grad())
using (var tensors = new TensorBatch(test.Layout, 64))
{
    foreach (FeatureBatch batch in test.Batches(new BatchPlan(64)))
    {
        using TensorScope scope = TensorScope.Begin();
        tensors.Fill(batch);
        foreach (float p in net.call(tensors.Inputs).sigmoid().data<float>())
            scores.AddRange([1 - p, p]);
        labels.AddRange(batch.Labels.AsSpan(0, batch.Count));
    }
}

SplitEvaluation result = Evaluator.Evaluate(problem, [.. scores], [.. labels], null, labels.Count, seed: 42);
foreach (string name in (string[])["accuracy", "rocAuc", "ece"])
    Console.WriteLine($"test {name}: {result.Metrics[name].Value:F4} [{result.Metrics[name].Low:F4}, {result.Metrics[name].High:F4}]");
