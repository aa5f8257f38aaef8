namespace Candela.Training.Tests;

/// <summary>Tests whose module draws from torch's own generator, of which the process has one: they run while no other test does.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TorchRandomness
{
    public const string Name = "torch's own generator";
}
