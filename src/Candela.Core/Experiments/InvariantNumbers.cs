using System.Globalization;

namespace Candela.Experiments;

/// <summary>Until disposed, this thread formats numbers and dates the same everywhere: what a run records must not depend on the host's language.</summary>
internal sealed class InvariantNumbers : IDisposable
{
    private readonly CultureInfo _before = CultureInfo.CurrentCulture;

    public InvariantNumbers() => CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;

    public void Dispose() => CultureInfo.CurrentCulture = _before;
}
