using Candela.Models;

namespace Candela.Cli.Output;

/// <summary>Writes warnings as they come, and keeps them for the JSON document; other events are not shown.</summary>
internal sealed class WarningLines(TextWriter error) : IProgress<TrainEvent>
{
    private readonly List<Warned> _all = [];

    public IReadOnlyList<Warned> All => _all;

    public void Report(TrainEvent value)
    {
        if (value is not Warned warned)
            return;
        _all.Add(warned);
        error.WriteLine($"warning: {warned.Message} [{warned.Code}]");
    }
}
