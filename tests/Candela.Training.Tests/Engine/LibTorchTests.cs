using System.Security.Cryptography;
using Candela.Training.Engine;
using TorchSharp;

namespace Candela.Training.Tests;

public sealed class LibTorchTests
{
    [Fact]
    [Trait("Kind", "conformance")]
    public void Load_OnThisHost_WorksAndIsIdempotent()
    {
        EngineReport first = LibTorch.Load();
        Assert.Same(first, LibTorch.Load());
        Assert.True(first.Loaded);
        using var scope = TensorScope.Begin();
        Assert.Equal(6f, torch.tensor(new float[] { 1, 2, 3 }).sum().item<float>());
    }

    [Fact]
    [Trait("Kind", "conformance")]
    public void Load_FromManyThreads_LoadsOnce()
    {
        var reports = new EngineReport[16];
        Parallel.For(0, reports.Length, i => reports[i] = LibTorch.Load());
        Assert.All(reports, r => Assert.Same(reports[0], r));
    }

    [Fact]
    [Trait("Kind", "conformance")]
    public void Load_WhenPatched_LeavesTheOriginalAsItWas()
    {
        EngineReport report = LibTorch.Load();
        if (report.Patched.Count == 0)
            return; // this host's C++ runtime is young enough: the original was loaded
        Assert.Equal(VersionPatch.Dispensable, report.Patched);
        string original = Path.Combine(NativeSearch.FolderWith([Path.Combine(AppContext.BaseDirectory, "runtimes", NativeSearch.Rid, "native")], NativeSearch.BridgeFile)!, NativeSearch.BridgeFile);
        byte[] bytes = File.ReadAllBytes(original);
        byte[] copy = File.ReadAllBytes(report.BridgeFile!);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), Path.GetFileName(Path.GetDirectoryName(report.BridgeFile!)));
        Assert.Equal(1, bytes.Zip(copy).Count(p => p.First != p.Second));
        Assert.All(ElfFile.Parse(bytes, original).VersionNeeds, n => Assert.False(n.Weak));
    }

    [Fact]
    public void Inspect_OnThisHost_NamesVersionsDevicesAndProcessor()
    {
        EngineReport report = LibTorch.Inspect();
        Assert.Null(report.Problem);
        Assert.Contains("cpu", report.Devices);
        Assert.True(report.Threads >= 1);
        Assert.NotEmpty(report.ProcessorFeatures);
        Assert.Matches(@"^\d+\.\d+\.\d+", report.TorchSharpVersion);
        Assert.Matches(@"^\d+\.\d+\.\d+$", report.LibTorchVersion);
    }

    [Fact]
    public void Devices_AutoAndCpu_Resolve()
    {
        Assert.Equal(DeviceType.CPU, Devices.Resolve("cpu").type);
        Assert.NotNull(Devices.Resolve("auto"));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Devices_CudaWithTheCpuPackage_NamesThePackageToAdd()
    {
        if (Devices.Available().Any(d => d.StartsWith("cuda", StringComparison.Ordinal)))
            return; // a machine with a GPU and the CUDA build
        var error = Assert.Throws<EngineException>(() => Devices.Resolve("cuda"));
        Assert.Contains("libtorch-cuda-12.8", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Locate_PackageMissing_NamesItAndNothingElseIsTried()
    {
        string folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())).FullName;
        try
        {
            var none = Assert.Throws<EngineException>(() => LibTorch.Locate([folder], out _, out _));
            Assert.Contains("TorchSharp", none.Message, StringComparison.Ordinal);
            File.WriteAllText(Path.Combine(folder, NativeSearch.BridgeFile), "");
            var half = Assert.Throws<EngineException>(() => LibTorch.Locate([folder], out _, out _));
            Assert.Contains($"libtorch-cpu-{NativeSearch.Rid}", half.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', half.Message);
            File.WriteAllText(Path.Combine(folder, NativeSearch.CoreFile), "");
            LibTorch.Locate([folder], out string bridge, out string torchFolder);
            Assert.Equal([folder, folder], [bridge, torchFolder]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("gpu")]
    [InlineData("cuda:x")]
    [InlineData("cpu:1")]
    [InlineData("")]
    [Trait("Kind", "fault")]
    public void Devices_UnknownName_IsAUsageError(string name) => Assert.Throws<UsageException>(() => Devices.Resolve(name));

    [Fact]
    [Trait("Kind", "fault")]
    [NoTensorLeaks]
    public void MatMul_WrongShapes_ThrowsWithBothOperands()
    {
        using var scope = TensorScope.Begin();
        var error = Assert.Throws<ShapeException>(() => Ops.MatMul(torch.zeros(2, 3), torch.zeros(4, 5)));
        Assert.Contains("[2, 3]", error.Message, StringComparison.Ordinal);
        Assert.Contains("[4, 5]", error.Message, StringComparison.Ordinal);
        Assert.Throws<ShapeException>(() => Ops.MatMul(torch.zeros(2, 3), torch.zeros(3, 5, torch.float64)));
        Assert.Throws<ShapeException>(() => Ops.MatMul(torch.zeros(3, 2, 4), torch.zeros(2, 4, 5)));
        Assert.Throws<ShapeException>(() => Ops.MatMul(torch.zeros(2, 3), torch.tensor(1f)));
        Assert.Throws<ShapeException>(() => Ops.Linear(torch.zeros(2, 3), torch.zeros(4, 2), null));
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void MatMul_ShapesThatFit_GiveTheProduct()
    {
        using var scope = TensorScope.Begin();
        Assert.Equal([2L, 5L], Ops.MatMul(torch.ones(2, 3), torch.ones(3, 5)).shape);
        Assert.Equal([7L, 2L, 5L], Ops.MatMul(torch.ones(7, 2, 3), torch.ones(3, 5)).shape);
        Assert.Equal([2L], Ops.MatMul(torch.ones(2, 3), torch.ones(3)).shape);
        Assert.Equal(3f, Ops.MatMul(torch.ones(3), torch.ones(3)).item<float>());
    }

    [Fact]
    [Trait("Kind", "leak")]
    public void TensorScope_Closed_DisposesAllButTheKept()
    {
        LibTorch.Load();
        long before = TensorScope.LiveTensors;
        torch.Tensor kept;
        using (var scope = TensorScope.Begin())
        {
            using torch.Tensor a = torch.ones(4);
            kept = scope.Release(a + a);
        }

        Assert.Equal(before + 1, TensorScope.LiveTensors);
        kept.Dispose();
        Assert.Equal(before, TensorScope.LiveTensors);
    }
}
