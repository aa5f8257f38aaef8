using Candela.Tokenization;

namespace Candela.Decoding;

/// <summary>The special tokens with which a model was trained to fill in the middle (Bavarian et al. 2022), in the order prefix, suffix, middle.</summary>
/// <param name="Prefix">Id before the text that comes before.</param>
/// <param name="Suffix">Id before the text that comes after.</param>
/// <param name="Middle">Id after which the model writes what is between.</param>
/// <param name="EndTokens">Ids that end what is filled in, besides the end-of-text token.</param>
public sealed record FillInMiddle(int Prefix, int Suffix, int Middle, IReadOnlyList<int> EndTokens)
{
    // Qwen and CodeGemma, StarCoder and Granite, SantaCoder, Code Llama (in its vocabulary and as plain text), DeepSeek.
    private static readonly string[][] Names =
    [
        ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"],
        ["<fim_prefix>", "<fim_suffix>", "<fim_middle>"],
        ["<fim-prefix>", "<fim-suffix>", "<fim-middle>"],
        ["\u2581<PRE>", "\u2581<SUF>", "\u2581<MID>"],
        ["<PRE>", "<SUF>", "<MID>"],
        ["<\uFF5Cfim\u2581begin\uFF5C>", "<\uFF5Cfim\u2581hole\uFF5C>", "<\uFF5Cfim\u2581end\uFF5C>"],
    ];

    private static readonly string[] Ends = ["\u2581<EOT>", "<EOT>", "<|endoftext|>", "<|fim_pad|>", "<fim_pad>", "<|file_sep|>", "<|file_separator|>", "<file_sep>", "<|repo_name|>"];

    /// <summary>Finds the tokens in a vocabulary by their usual names.</summary>
    /// <exception cref="UsageException">None of the known sets is there.</exception>
    public static FillInMiddle Of(Tokenizer tokenizer)
    {
        foreach (string[] names in Names)
            if (tokenizer.IdOf(names[0]) is { } prefix && tokenizer.IdOf(names[1]) is { } suffix && tokenizer.IdOf(names[2]) is { } middle)
                return new FillInMiddle(prefix, suffix, middle, [prefix, suffix, middle, .. Ends.Select(tokenizer.IdOf).OfType<int>()]);
        throw new UsageException($"The vocabulary has no fill-in-the-middle tokens ({string.Join(", ", Names.Select(n => n[0]))}): this model was not trained to fill in. Give a plain prompt, or use a code model that was.");
    }

    /// <summary>The prompt after which the model writes the middle.</summary>
    public int[] Prompt(Tokenizer tokenizer, string prefix, string suffix)
    {
        List<int> ids = [.. tokenizer.Encode("")]; // the begin-of-text token of those that add one
        ids.Add(Prefix);
        tokenizer.Encode(prefix, ids, addSpecialTokens: false);
        ids.Add(Suffix);
        tokenizer.Encode(suffix, ids, addSpecialTokens: false);
        ids.Add(Middle);
        return [.. ids];
    }
}
