#:project ../src/Candela.Training/Candela.Training.csproj
#:property PublishAot=false

// y = w x + b on 100 points, by gradient descent in double precision and in closed form. Run: dotnet run samples/03-linear-regression.cs
// The noise is uniform in 0..1, so the true intercept is 2.5. 1,000 steps are not enough to converge: both answers are right, for what they are.
using Candela.Data;
using Candela.Training;
using TorchSharp;
using static TorchSharp.torch;

using Table table = Table.Load(Path.Combine("samples", "data", "linear-regression-100.csv"));
TableChunk rows = table.ReadChunk(0);
double[] xs = [.. ((NumberColumn)rows.Column("x")).Values], ys = [.. ((NumberColumn)rows.Column("y")).Values];

LibTorch.Load();
using Tensor x = tensor(xs).view(-1, 1), y = tensor(ys).view(-1, 1);
using Tensor w = tensor(0.3117958819941026, requires_grad: true), b = tensor(0.6963434888154595, requires_grad: true);
var loss = new MeanSquaredError();
for (int step = 0; step < 1000; step++)
{
    using TensorScope scope = TensorScope.Begin();
    loss.Of((w * x) + b, y).backward();
    using (no_grad())
    {
        foreach (Tensor parameter in (Tensor[])[w, b])
        {
            parameter.sub_(parameter.grad! * 0.01);
            parameter.grad!.zero_();
        }
    }
}

Console.WriteLine($"gradient descent, 1,000 steps: w={w.ToDouble():F6}, b={b.ToDouble():F6}");

double mx = xs.Average(), my = ys.Average();
double slope = xs.Zip(ys, (a, c) => (a - mx) * (c - my)).Sum() / xs.Sum(a => (a - mx) * (a - mx));
Console.WriteLine($"ordinary least squares:        w={slope:F6}, b={my - (slope * mx):F6}");
