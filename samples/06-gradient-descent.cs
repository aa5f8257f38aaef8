#:project ../src/Candela.Training/Candela.Training.csproj
#:property PublishAot=false

// Gradient descent in the open: three points, two weights, no bias, gradient of half the mean squared error. Run: dotnet run samples/06-gradient-descent.cs
// The exact answer is [0, 1]; the problem's condition number is 306, so 1,000 steps are only on the way there.
using Candela.Training;

float[][] x = [[1, 2], [2, 3], [3, 4]];
float[] y = [2, 3, 4], theta = [0, 0], gradient = [0, 0];
Optimizer optimizer = Optimizer.Create(new SgdOptions(), [new ParameterSegment(0, 2, Decays: true)]);
foreach (int steps in (int[])[1_000, 9_000])
{
    for (int step = 0; step < steps; step++)
    {
        Array.Clear(gradient);
        for (int i = 0; i < 3; i++)
        {
            float error = (theta[0] * x[i][0]) + (theta[1] * x[i][1]) - y[i];
            gradient[0] += error * x[i][0] / 3;
            gradient[1] += error * x[i][1] / 3;
        }

        optimizer.Step(theta, gradient, learningRate: 0.01);
    }

    double mse = Enumerable.Range(0, 3).Average(i => Math.Pow((theta[0] * x[i][0]) + (theta[1] * x[i][1]) - y[i], 2));
    Console.WriteLine($"after {optimizer.Steps:N0} steps: theta=[{theta[0]:F6}, {theta[1]:F6}], MSE {mse:E4}");
}
