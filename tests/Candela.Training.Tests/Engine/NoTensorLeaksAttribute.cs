using System.Reflection;
using TorchSharp;
using Xunit.v3;

namespace Candela.Training.Tests;

/// <summary>Fails a test that leaves tensors undisposed on its thread. The test must be synchronous: TorchSharp counts per thread.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class NoTensorLeaksAttribute : BeforeAfterTestAttribute
{
    [ThreadStatic] private static long _before;

    public override void Before(MethodInfo methodUnderTest, IXunitTest test)
    {
        LibTorch.Load();
        _before = TensorScope.LiveTensors;
    }

    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        long left = TensorScope.LiveTensors - _before;
        Assert.True(left <= 0, $"{methodUnderTest.Name} left {left} tensors undisposed: {DisposeScopeManager.Statistics}");
    }
}
