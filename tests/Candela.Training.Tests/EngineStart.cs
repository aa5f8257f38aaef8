using System.Runtime.CompilerServices;

namespace Candela.Training.Tests;

/// <summary>Loads libtorch before any test: TorchSharp's own loader, which runs when a test touches <c>torch</c> first, knows nothing of the versions it may need patched.</summary>
internal static class EngineStart
{
    [ModuleInitializer]
    internal static void Load() => LibTorch.Load();
}
