using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Candela.Tokenization;

/// <summary>The <c>tokenizer.bin</c> of llama2.c: the longest token's length, then for each token its score (single), length (32 bits) and bytes, up to the end of the file.
/// Tokens 0 to 2 are unknown, BOS and EOS (spelled <c>&lt;unk&gt;</c>, <c>&lt;s&gt;</c>, <c>&lt;/s&gt;</c> here), 3 to 258 the bytes. Encoding: a space before the text, its characters
/// (or bytes), then the pair whose joined token has the highest score is joined until none is left.</summary>
internal static class Llama2Vocabulary
{
    private const int FirstByte = 3, LongestToken = 1 << 16;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static TokenizerParts Read(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        var (tokens, scores) = Tokens(bytes, path);
        tokens[0] = "<unk>";
        tokens[1] = "<s>";
        tokens[2] = "</s>";
        for (int b = 0; b < 256; b++)
        {
            string spelled = string.Create(CultureInfo.InvariantCulture, $"<0x{b:X2}>");
            if (tokens[FirstByte + b] != spelled)
                throw new FileFormatException(path, Fault.WrongFormat, $"token {FirstByte + b} is {Vocabulary.Quote(tokens[FirstByte + b])}; a llama2.c vocabulary has {spelled} there.");
        }

        return new TokenizerParts
        {
            Name = path,
            Model = ScoredMerges.Model(tokens, scores, id => id >= FirstByte + 256, new BytePairOptions { UnknownToken = "<unk>", FuseUnknown = true, ByteFallback = true }, path),
            Normalizer = PipelineText.SpmNormalizer(null, removeExtraSpaces: false, addPrefix: true, escape: false, path),
            PostProcessor = PipelineText.Frame(1, null, tokens),
            Decoder = PipelineText.Decoder("""{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}""", path),
            AddedTokens = [new AddedToken(0, tokens[0]), new AddedToken(1, tokens[1]), new AddedToken(2, tokens[2])],
            BosId = 1,
            EosId = 2,
            UnknownId = 0,
        };
    }

    private static (List<string> Tokens, List<float> Scores) Tokens(byte[] bytes, string path)
    {
        int longest = bytes.Length >= 4 ? BinaryPrimitives.ReadInt32LittleEndian(bytes) : 0;
        if (longest is < 1 or > LongestToken)
            throw new FileFormatException(path, Fault.WrongFormat, bytes.Length < 4 ? $"the file has {bytes.Length} bytes; it is no llama2.c vocabulary." : $"the first number is {longest}; in a llama2.c vocabulary it is the longest token's length, 1 to {LongestToken}.");
        var tokens = new List<string>();
        var scores = new List<float>();
        for (int at = 4; at < bytes.Length;)
        {
            if (bytes.Length - at < 8)
                throw new FileFormatException(path, Fault.Truncated, $"the file ends inside token {tokens.Count}. It was cut short: copy it again.");
            float score = BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(at));
            int length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at + 4));
            at += 8;
            if (!float.IsFinite(score) || length is < 0 or > LongestToken || tokens.Count >= Vocabulary.IdLimit)
                throw new FileFormatException(path, Fault.WrongFormat, $"token {tokens.Count} has the score {score} and {length} bytes; the file is no llama2.c vocabulary, or damaged.");
            if (length > bytes.Length - at)
                throw new FileFormatException(path, Fault.Truncated, $"token {tokens.Count} has {length} bytes, {bytes.Length - at} are left. The file was cut short: copy it again.");
            try
            {
                tokens.Add(Strict.GetString(bytes, at, length));
            }
            catch (DecoderFallbackException error)
            {
                throw new FileFormatException(path, Fault.Corrupt, $"token {tokens.Count} is not valid UTF-8.", error);
            }

            scores.Add(score);
            at += length;
        }

        return tokens.Count >= FirstByte + 256 ? (tokens, scores)
            : throw new FileFormatException(path, Fault.Truncated, $"the file holds {tokens.Count} tokens; a llama2.c vocabulary has at least {FirstByte + 256}.");
    }
}
