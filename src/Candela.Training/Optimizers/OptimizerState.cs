namespace Candela.Training;

/// <summary>Everything an optimiser needs to go on exactly where it was.</summary>
/// <param name="Id">The optimiser's id; loading into another one is refused.</param>
/// <param name="Steps">Steps taken.</param>
/// <param name="Buffers">Copies of its flat moment buffers by name (<c>velocity</c>, <c>first</c>, <c>second</c>, ...).</param>
public sealed record OptimizerState(string Id, long Steps, IReadOnlyDictionary<string, float[]> Buffers);
