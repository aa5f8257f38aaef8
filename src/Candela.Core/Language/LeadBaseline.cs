namespace Candela.Language;

/// <summary>The first sentences of a text, or the first turns of a dialogue (lines that begin with a speaker and a colon): the summary to beat for news.</summary>
public sealed class LeadBaseline : ITextBaseline
{
    private readonly bool _isFixed;
    private int _units;
    private bool _isChosen;
    private string _name = "sentences or dialogue turns";

    /// <summary>Fixes the length, or leaves it to <see cref="Train"/>.</summary>
    /// <param name="units">Sentences or turns, 1 or more; null takes the number of 1 to 8 with the best mean of ROUGE-1, -2 and -L F1 on (at most 500 of) the training pairs, and 3 before that.</param>
    /// <exception cref="UsageException">Fewer than one.</exception>
    public LeadBaseline(int? units = null)
    {
        if (units < 1)
            throw new UsageException($"A summary of {units} sentences was asked for; 1 or more were needed.");
        (_units, _isFixed) = (units ?? 3, units != null);
    }

    /// <inheritdoc/>
    public string Name => "lead";

    /// <inheritdoc/>
    public string Describe => $"the first {_units} {_name}{(_isChosen ? ", a number chosen on the training pairs by ROUGE" : "")}";

    /// <summary>Sentences or turns it gives.</summary>
    public int Units => _units;

    /// <inheritdoc/>
    public void Train(IReadOnlyList<TextPair> pairs, CancellationToken cancellation = default)
    {
        _name = SummaryUnits.NameOf(pairs);
        if (_isFixed)
            return;
        _units = SummaryUnits.Best(pairs, units => Enumerable.Range(0, units.Count), cancellation);
        _isChosen = true;
    }

    /// <inheritdoc/>
    public string Apply(string source) => SummaryUnits.Join(source, [.. SummaryUnits.Split(source).Take(_units)]);
}
