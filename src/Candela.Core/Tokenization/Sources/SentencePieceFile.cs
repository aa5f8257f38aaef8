using System.Text;

namespace Candela.Tokenization;

/// <summary>A SentencePiece <c>tokenizer.model</c>: the protobuf message ModelProto with pieces, trainer and normalizer settings. Unigram, BPE and character models;
/// user-defined and control pieces become added tokens. Source: sentencepiece_model.proto of the SentencePiece library.</summary>
internal static class SentencePieceFile
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private enum PieceKind
    {
        Normal = 1,
        Unknown = 2,
        Control = 3,
        UserDefined = 4,
        Unused = 5,
        Byte = 6,
    }

    public static TokenizerParts Read(string path) => Read(File.ReadAllBytes(path), path);

    public static TokenizerParts Read(ReadOnlySpan<byte> bytes, string file)
    {
        var proto = new Proto();
        var reader = new ProtobufReader(bytes, file);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    ReadPiece(reader.Bytes(), proto, file);
                    break;
                case 2:
                    ReadTrainer(reader.Bytes(), proto, file);
                    break;
                case 3:
                    ReadNormalizer(reader.Bytes(), proto, file);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        if (proto.Tokens.Count == 0)
            throw new FileFormatException(file, Fault.WrongFormat, "the file holds no pieces; it is no SentencePiece model.");
        int unknown = proto.Kinds.IndexOf(PieceKind.Unknown);
        if (unknown < 0)
            throw new FileFormatException(file, Fault.Corrupt, "no piece is the unknown one; a SentencePiece model has exactly one.");
        if (proto.SpaceAsSuffix)
            throw new FileFormatException(file, Fault.Unsupported, "the model treats white space as a suffix (treat_whitespace_as_suffix), which is not supported.");
        return Build(proto, unknown, file);
    }

    /// <summary>The Unigram model of these tokens.</summary>
    public static TokenModel UnigramModel(IReadOnlyList<string> tokens, IReadOnlyList<float> scores, int? unknown, bool byteFallback, string file) => PipelineText.Model(
        json =>
        {
            json.WriteStartObject();
            json.WriteString("type", "Unigram");
            if (unknown is { } id)
                json.WriteNumber("unk_id", id);
            else
                json.WriteNull("unk_id");
            json.WriteStartArray("vocab");
            for (int i = 0; i < tokens.Count; i++)
            {
                json.WriteStartArray();
                json.WriteStringValue(tokens[i]);
                json.WriteNumberValue((double)scores[i]);
                json.WriteEndArray();
            }

            json.WriteEndArray();
            json.WriteBoolean("byte_fallback", byteFallback);
            json.WriteEndObject();
        },
        file);

    private static TokenizerParts Build(Proto proto, int unknown, string file)
    {
        var options = new BytePairOptions { UnknownToken = proto.Tokens[unknown], FuseUnknown = true, ByteFallback = proto.ByteFallback };
        TokenModel model = proto.ModelType switch
        {
            1 => UnigramModel(proto.Tokens, proto.Scores, unknown, proto.ByteFallback, file),
            2 => ScoredMerges.Model(proto.Tokens, proto.Scores, id => proto.Kinds[id] is PieceKind.Normal or PieceKind.UserDefined or PieceKind.Unused, options, file),
            4 => new BytePairModel(Vocabulary.FromList(proto.Tokens, file), [], options, file),
            var type => throw new FileFormatException(file, Fault.Unsupported, $"its model type is {(type == 3 ? "word" : type)}; unigram (1), bpe (2) and char (4) are supported."),
        };
        var added = new List<AddedToken>();
        for (int id = 0; id < proto.Tokens.Count; id++)
        {
            if (proto.Kinds[id] is PieceKind.Control or PieceKind.Unknown or PieceKind.UserDefined && proto.Tokens[id].Length > 0)
                added.Add(new AddedToken(id, proto.Tokens[id], Special: proto.Kinds[id] != PieceKind.UserDefined));
        }

        // Between user-defined pieces the pipeline sees stretches of text: spaces at their ends count, and only the first gets the prefix. Unlike in the library, spaces at
        // the very end of the text then stay (as one), and a text that begins with such a piece has no prefix.
        bool cut = proto.AddDummyPrefix && proto.RemoveExtraSpaces && proto.EscapeSpaces && proto.Kinds.Contains(PieceKind.UserDefined);
        int? bos = Control(proto, proto.BosId), eos = Control(proto, proto.EosId);
        return new TokenizerParts
        {
            Name = file,
            Model = model,
            Normalizer = PipelineText.SpmNormalizer(proto.CharsMap, proto.RemoveExtraSpaces, proto.AddDummyPrefix && !cut, proto.EscapeSpaces && !cut, file, strip: !cut),
            PreTokenizer = cut ? PipelineText.PreTokenizer("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":false}""", file) : null,
            // the library itself frames nothing; models do: BPE ones (Llama) begin with BOS, Unigram ones (T5) end with EOS
            PostProcessor = proto.ModelType == 2 ? PipelineText.Frame(bos, null, proto.Tokens) : PipelineText.Frame(null, eos, proto.Tokens),
            Decoder = PipelineText.Decoder(proto.AddDummyPrefix ? PipelineText.SpmDecoder : PipelineText.SpmDecoder.Replace("\"start\":1", "\"start\":0", StringComparison.Ordinal), file),
            AddedTokens = added,
            BosId = bos,
            EosId = eos,
            PadId = Control(proto, proto.PadId),
            UnknownId = unknown,
        };
    }

    private static int? Control(Proto proto, int id) => id >= 0 && id < proto.Tokens.Count && proto.Kinds[id] is PieceKind.Control ? id : null;

    private static void ReadPiece(ReadOnlySpan<byte> bytes, Proto proto, string file)
    {
        string piece = "";
        float score = 0;
        var kind = PieceKind.Normal;
        var reader = new ProtobufReader(bytes, file);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    piece = Text(reader.Bytes(), proto.Tokens.Count, file);
                    break;
                case 2:
                    score = reader.Single();
                    break;
                case 3:
                    ulong type = reader.Integer();
                    kind = type is >= 1 and <= 6 ? (PieceKind)type : throw new FileFormatException(file, Fault.Corrupt, $"piece {proto.Tokens.Count} has the type {type}; 1 to 6 are known.");
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        if (!float.IsFinite(score) || proto.Tokens.Count >= Vocabulary.IdLimit)
            throw new FileFormatException(file, Fault.Corrupt, $"piece {proto.Tokens.Count} {Vocabulary.Quote(piece)} has the score {score}; finite scores of up to {Vocabulary.IdLimit} pieces were needed.");
        proto.Tokens.Add(piece);
        proto.Scores.Add(score);
        proto.Kinds.Add(kind);
    }

    private static void ReadTrainer(ReadOnlySpan<byte> bytes, Proto proto, string file)
    {
        var reader = new ProtobufReader(bytes, file);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 3:
                    proto.ModelType = (int)Math.Min(reader.Integer(), 99);
                    break;
                case 24:
                    proto.SpaceAsSuffix = reader.Flag();
                    break;
                case 35:
                    proto.ByteFallback = reader.Flag();
                    break;
                case 41:
                    proto.BosId = unchecked((int)reader.Integer());
                    break;
                case 42:
                    proto.EosId = unchecked((int)reader.Integer());
                    break;
                case 43:
                    proto.PadId = unchecked((int)reader.Integer());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    private static void ReadNormalizer(ReadOnlySpan<byte> bytes, Proto proto, string file)
    {
        var reader = new ProtobufReader(bytes, file);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 2:
                    proto.CharsMap = reader.Bytes().ToArray();
                    break;
                case 3:
                    proto.AddDummyPrefix = reader.Flag();
                    break;
                case 4:
                    proto.RemoveExtraSpaces = reader.Flag();
                    break;
                case 5:
                    proto.EscapeSpaces = reader.Flag();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    private static string Text(ReadOnlySpan<byte> bytes, int index, string file)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException error)
        {
            throw new FileFormatException(file, Fault.Corrupt, $"piece {index} is not valid UTF-8.", error);
        }
    }

    // The defaults of the .proto file.
    private sealed class Proto
    {
        public List<string> Tokens { get; } = [];

        public List<float> Scores { get; } = [];

        public List<PieceKind> Kinds { get; } = [];

        public int ModelType { get; set; } = 1;

        public bool ByteFallback { get; set; }

        public bool SpaceAsSuffix { get; set; }

        public int BosId { get; set; } = 1;

        public int EosId { get; set; } = 2;

        public int PadId { get; set; } = -1;

        public byte[]? CharsMap { get; set; }

        public bool AddDummyPrefix { get; set; } = true;

        public bool RemoveExtraSpaces { get; set; } = true;

        public bool EscapeSpaces { get; set; } = true;
    }
}
