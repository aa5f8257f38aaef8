namespace Candela.Tokenization;

/// <summary>The patterns that cut text before byte-level BPE, by GGUF's <c>tokenizer.ggml.pre</c>. A file names its pre-tokenizer only by this id. Sources: the tokenizer.json files of the models.</summary>
internal static class GgufPreTokenizers
{
    private const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    private const string Contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private const string Words = @"|[^\r\n\p{L}\p{N}]?\p{L}+";
    private const string Rest = @"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Llama3 = Contractions + Words + @"|\p{N}{1,3}" + Rest;
    private const string Qwen2 = Contractions + Words + @"|\p{N}" + Rest;
    private const string Cased = @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+", Capitals = @"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*";
    private const string CasedRest = @"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const string DeepSeekLetters =
        "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\u1f7dᾀ-ᾴᾶ-ᾼ\u1fbeῂ-ῄῆ-ῌῐ-\u1fd3ῖ-\u1fdbῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212a-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃";

    private static readonly Dictionary<string, string[]> ById = Build();

    /// <summary>The pre-tokenizer of that id.</summary>
    public static PreTokenizer Of(string id, string file)
    {
        if (!ById.TryGetValue(id, out string[]? patterns))
            throw new FileFormatException(file, Fault.Unsupported, $"its pre-tokenizer (tokenizer.ggml.pre) is '{id}', which is not known; known are {string.Join(", ", ById.Keys.Order(StringComparer.Ordinal))}. Use the tokenizer.json of the model.");
        if (patterns is [Gpt2])
            return new ByteLevelPreTokenizer(addPrefixSpace: false, trimOffsets: true, useRegex: true);
        var parts = patterns.Select(p => $$$"""{"type":"Split","pattern":{"Regex":{{{PipelineText.Quoted(p)}}}},"behavior":"Isolated","invert":false}""")
            .Append("""{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}""");
        return PipelineText.PreTokenizer($$"""{"type":"Sequence","pretokenizers":[{{string.Join(",", parts)}}]}""", file)!;
    }

    /// <summary>Whether a whole pre-token that is in the vocabulary is taken at once.</summary>
    public static bool IgnoresMerges(string id) => id is "llama-bpe" or "llama3" or "llama-v3" or "falcon3" or "tekken" or "gpt-4o" or "llama4";

    /// <summary>Whether a text begins with the BOS token where the file does not say.</summary>
    public static bool AddsBos(string id) => id is "llama-bpe" or "llama3" or "llama-v3" or "falcon3" or "tekken" or "deepseek-llm" or "deepseek-coder" or "deepseek-v3";

    private static Dictionary<string, string[]> Build()
    {
        var map = new Dictionary<string, string[]>(StringComparer.Ordinal);
        void Add(string[] patterns, params ReadOnlySpan<string> ids)
        {
            foreach (string id in ids)
                map.Add(id, patterns);
        }

        Add([@"[\p{P}\$\+<=>\^~\|]+", Gpt2, @"\p{N}+", "[0-9][0-9][0-9]"], "default");
        Add([Gpt2], "gpt-2", "mpt", "olmo", "jais", "phi-2", "gigachat", "roberta-bpe", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "jina-v2-code", "trillion");
        Add([Llama3], "llama-bpe", "llama3", "llama-v3", "falcon3", "dbrx", "smaug-bpe", "chatglm-bpe", "glm4", "pixtral");
        Add([Qwen2], "qwen2", "stablelm2", "deepseek-r1-qwen", "megrez");
        Add([@"\p{N}", Gpt2], "starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b");
        Add([@"[\p{P}\$\+<=>\^~\|`]+", Gpt2, "[0-9][0-9][0-9]"], "falcon");
        Add(["[\r\n]", $@"\s?[{DeepSeekLetters}]+", @"\s?[!-/:-~！-／：-～‘-‟　-。]+", @"\s+$", "[一-龥ࠀ-一가-\ud7ff]+", @"\p{N}+"], "deepseek-llm");
        Add(["[\r\n]", @"\s?\p{L}+", @"\s?\p{P}+", "[一-龥ࠀ-一가-\ud7ff]+", @"\p{N}"], "deepseek-coder");
        Add([@"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", """[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""], "deepseek-v3", "hunyuan-dense");
        Add([Cased + Capitals + @"|\p{N}" + CasedRest], "tekken");
        Add([Cased + Contractions + "?" + Capitals + Contractions + "?" + @"|\p{N}{1,3}" + CasedRest], "gpt-4o", "llama4");
        return map;
    }
}
