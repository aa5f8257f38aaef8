using Candela.Formats;

namespace Candela.Tokenization;

/// <summary>The tokenizer in the metadata of a GGUF file: byte-level BPE (<c>gpt2</c>), SentencePiece BPE (<c>llama</c>) and Unigram (<c>t5</c>), WordPiece (<c>bert</c>).</summary>
internal static class GgufVocabulary
{
    private enum Kind
    {
        Normal = 1,
        Unknown = 2,
        Control = 3,
        UserDefined = 4,
        Unused = 5,
        Byte = 6,
    }

    public static TokenizerParts Read(string path)
    {
        using var file = GgufFile.Open(path);
        return Read(file);
    }

    public static TokenizerParts Read(GgufFile file)
    {
        string model = file.Text("tokenizer.ggml.model")
            ?? throw new FileFormatException(file.Path, Fault.Unsupported, "the file holds no tokenizer (no metadata 'tokenizer.ggml.model'). Use the tokenizer.json of the model.");
        string[] tokens = file.Texts("tokenizer.ggml.tokens")
            ?? throw new FileFormatException(file.Path, Fault.Corrupt, "there is no metadata 'tokenizer.ggml.tokens'. Convert the model again.");
        int[] kinds = file.Integers("tokenizer.ggml.token_type") ?? [.. Enumerable.Repeat((int)Kind.Normal, tokens.Length)];
        if (tokens.Length is 0 or > Vocabulary.IdLimit || kinds.Length != tokens.Length)
            throw new FileFormatException(file.Path, Fault.Corrupt, $"there are {tokens.Length} tokens and {kinds.Length} token types; as many were needed, from 1 to {Vocabulary.IdLimit}.");
        var parts = model switch
        {
            "gpt2" => ByteLevel(file, tokens),
            "llama" => SentencePiece(file, tokens, kinds),
            "t5" => Unigram(file, tokens),
            "bert" => WordPiece(file, tokens, kinds),
            _ => throw new FileFormatException(file.Path, Fault.Unsupported, $"its tokenizer (tokenizer.ggml.model) is '{model}'; gpt2, llama, t5 and bert are supported. Use the tokenizer.json of the model."),
        };
        string[] spelled = model == "bert" ? WordPieces(tokens, kinds) : tokens;
        return parts with
        {
            AddedTokens = [.. Enumerable.Range(0, tokens.Length).Where(id => (Kind)kinds[id] is Kind.Unknown or Kind.Control or Kind.UserDefined && spelled[id].Length > 0)
                .Select(id => new AddedToken(id, spelled[id], Special: (Kind)kinds[id] != Kind.UserDefined))],
            BosId = Id(file, tokens, model == "bert" ? "cls" : "bos"),
            EosId = Id(file, tokens, "eos") ?? (model == "bert" ? Separator(file, tokens) : null),
            PadId = Id(file, tokens, "padding"),
            UnknownId = Id(file, tokens, "unknown"),
            ChatTemplateText = file.Text("tokenizer.chat_template"),
        };
    }

    private static TokenizerParts ByteLevel(GgufFile file, string[] tokens)
    {
        string[] lines = file.Texts("tokenizer.ggml.merges") ?? throw new FileFormatException(file.Path, Fault.Corrupt, "a tokenizer of type gpt2 needs the metadata 'tokenizer.ggml.merges'. Convert the model again.");
        var merges = new (string, string)[lines.Length];
        for (int i = 0; i < lines.Length; i++)
        {
            int space = lines[i].Length > 0 ? lines[i].IndexOf(' ', 1) : -1;
            if (space < 0)
                throw new FileFormatException(file.Path, Fault.Corrupt, $"merge {i} of 'tokenizer.ggml.merges' is {Vocabulary.Quote(lines[i])}; two tokens with a space between were needed.");
            merges[i] = (lines[i][..space], lines[i][(space + 1)..]);
        }

        string pre = file.Text("tokenizer.ggml.pre") ?? "default";
        bool bos = file.Flag("tokenizer.ggml.add_bos_token") ?? GgufPreTokenizers.AddsBos(pre), eos = file.Flag("tokenizer.ggml.add_eos_token") ?? false;
        return new TokenizerParts
        {
            Name = file.Path,
            Model = new BytePairModel(Vocabulary.FromList(tokens, file.Path), merges, new BytePairOptions { IgnoreMerges = GgufPreTokenizers.IgnoresMerges(pre) }, file.Path),
            PreTokenizer = GgufPreTokenizers.Of(pre, file.Path),
            PostProcessor = PipelineText.Frame(bos ? Id(file, tokens, "bos") : null, eos ? Id(file, tokens, "eos") : null, tokens),
            Decoder = PipelineText.Decoder("""{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true}""", file.Path),
        };
    }

    private static TokenizerParts SentencePiece(GgufFile file, string[] tokens, int[] kinds)
    {
        float[] scores = Scores(file, tokens);
        int? unknown = Id(file, tokens, "unknown");
        var options = new BytePairOptions { UnknownToken = unknown is { } id ? tokens[id] : null, FuseUnknown = true, ByteFallback = Array.IndexOf(kinds, (int)Kind.Byte) >= 0 };
        bool bos = file.Flag("tokenizer.ggml.add_bos_token") ?? true, eos = file.Flag("tokenizer.ggml.add_eos_token") ?? false;
        bool prefix = file.Flag("tokenizer.ggml.add_space_prefix") ?? true;
        return new TokenizerParts
        {
            Name = file.Path,
            Model = ScoredMerges.Model(tokens, scores, token => (Kind)kinds[token] is Kind.Normal or Kind.Unused or Kind.UserDefined, options, file.Path),
            Normalizer = PipelineText.SpmNormalizer(null, removeExtraSpaces: false, prefix, escape: true, file.Path),
            PostProcessor = PipelineText.Frame(bos ? Id(file, tokens, "bos") : null, eos ? Id(file, tokens, "eos") : null, tokens),
            Decoder = PipelineText.Decoder(prefix ? PipelineText.SpmDecoder : PipelineText.SpmDecoder.Replace("\"start\":1", "\"start\":0", StringComparison.Ordinal), file.Path),
        };
    }

    private static TokenizerParts Unigram(GgufFile file, string[] tokens)
    {
        float[] scores = Scores(file, tokens);
        byte[]? charsMap = file.Metadata.TryGetValue("tokenizer.ggml.precompiled_charsmap", out var map)
            ? map.Value is byte[] bytes && map.ElementType == GgufValueType.UInt8 ? bytes : map.Value is sbyte[] signed ? Array.ConvertAll(signed, b => unchecked((byte)b)) : throw new FileFormatException(file.Path, Fault.Corrupt, "'tokenizer.ggml.precompiled_charsmap' is no array of bytes.")
            : null;
        bool bos = file.Flag("tokenizer.ggml.add_bos_token") ?? false, eos = file.Flag("tokenizer.ggml.add_eos_token") ?? true;
        return new TokenizerParts
        {
            Name = file.Path,
            Model = SentencePieceFile.UnigramModel(tokens, scores, Id(file, tokens, "unknown"), byteFallback: false, file.Path),
            Normalizer = PipelineText.SpmNormalizer(charsMap, file.Flag("tokenizer.ggml.remove_extra_whitespaces") ?? false, file.Flag("tokenizer.ggml.add_space_prefix") ?? true, escape: true, file.Path),
            PostProcessor = PipelineText.Frame(bos ? Id(file, tokens, "bos") : null, eos ? Id(file, tokens, "eos") : null, tokens),
            Decoder = PipelineText.Decoder(PipelineText.SpmDecoder, file.Path),
        };
    }

    private static TokenizerParts WordPiece(GgufFile file, string[] tokens, int[] kinds)
    {
        string[] pieces = WordPieces(tokens, kinds);
        int unknown = Id(file, tokens, "unknown") ?? throw new FileFormatException(file.Path, Fault.Corrupt, "a tokenizer of type bert needs the metadata 'tokenizer.ggml.unknown_token_id'.");
        return new TokenizerParts
        {
            Name = file.Path,
            Model = PipelineText.Model(
                json =>
                {
                    json.WriteStartObject();
                    json.WriteString("type", "WordPiece");
                    json.WriteString("unk_token", pieces[unknown]);
                    json.WriteString("continuing_subword_prefix", "##");
                    json.WriteNumber("max_input_chars_per_word", 100);
                    json.WritePropertyName("vocab");
                    Vocabulary.FromList(pieces, file.Path).Write(json);
                    json.WriteEndObject();
                },
                file.Path),
            Normalizer = PipelineText.Normalizer("""{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true}""", file.Path),
            PreTokenizer = PipelineText.PreTokenizer("""{"type":"BertPreTokenizer"}""", file.Path),
            PostProcessor = PipelineText.Frame(Id(file, tokens, "cls"), Separator(file, tokens), pieces, between: true),
            Decoder = PipelineText.Decoder("""{"type":"WordPiece","prefix":"##","cleanup":true}""", file.Path),
        };
    }

    // The file marks what begins a word; WordPiece marks what does not. Tokens in square brackets are as they were.
    private static string[] WordPieces(string[] tokens, int[] kinds) => [.. tokens.Select((token, id) =>
        token.StartsWith(PipelineText.Space, StringComparison.Ordinal) ? token[1..]
        : (Kind)kinds[id] is Kind.Unknown or Kind.Control or Kind.UserDefined || (token.StartsWith('[') && token.EndsWith(']')) ? token : "##" + token)];

    private static float[] Scores(GgufFile file, string[] tokens) => file.Singles("tokenizer.ggml.scores") is { } scores && scores.Length == tokens.Length && !Array.Exists(scores, float.IsNaN) ? scores
        : throw new FileFormatException(file.Path, Fault.Corrupt, $"this tokenizer needs the metadata 'tokenizer.ggml.scores' with {tokens.Length} numbers. Convert the model again.");

    // llama.cpp's converters misspelled the key; newer ones write both ways
    private static int? Separator(GgufFile file, string[] tokens) => Id(file, tokens, "seperator") ?? Id(file, tokens, "separator");

    private static int? Id(GgufFile file, string[] tokens, string name)
    {
        string key = $"tokenizer.ggml.{name}_token_id";
        return file.Integer(key) is not { } id ? null : id >= 0 && id < tokens.Length ? (int)id
            : id is -1 or uint.MaxValue ? null
            : throw new FileFormatException(file.Path, Fault.Corrupt, $"metadata '{key}' is {id}; the vocabulary has {tokens.Length} tokens.");
    }
}
