namespace Candela.Training;

/// <summary>What 1-d and 2-d convolutions refuse in the same words.</summary>
internal static class ConvolutionRules
{
    public static void CheckFilters(string layer, int filters, int groups)
    {
        if (filters < 1 || groups < 1 || filters % groups != 0)
            throw new UsageException($"{layer} needs filters that are a positive multiple of groups; got {filters} filters and {groups} groups.");
    }

    /// <summary>Refuses examples of another rank, or channels that do not fit.</summary>
    /// <param name="layer">For the message.</param>
    /// <param name="input">Shape of an example.</param>
    /// <param name="wanted">What it should be, in words; as many axes as there are commas, and one.</param>
    /// <param name="groups">Groups of channels.</param>
    /// <param name="built">The shape the layer was built for, or null.</param>
    public static void CheckInput(string layer, Shape input, string wanted, int groups, Shape? built)
    {
        if (input.Count != wanted.Count(c => c == ',') + 1)
            throw new ShapeException($"{layer} needs examples of shape {wanted}; got {input}.");
        if (input[0] % groups != 0)
            throw new ShapeException($"{layer} in {groups} groups needs a multiple of {groups} channels; got {input}.");
        if (built is not null && built[0] != input[0])
            throw new ShapeException($"{layer} was built for {built[0]} channels; got {input}.");
    }
}
