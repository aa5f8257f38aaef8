using System.Text;
using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>Bytes of <see cref="ByteAlphabet"/> back to text; what is not UTF-8 becomes U+FFFD.</summary>
internal sealed class ByteLevelDecoder(bool addPrefixSpace, bool trimOffsets, bool useRegex) : TokenDecoder
{
    public override DecoderStage Open(DecoderStage next) => new Stage(next);

    public override void Write(Utf8JsonWriter json) => ByteLevelJson.Write(json, addPrefixSpace, trimOffsets, useRegex);

    private sealed class Stage(DecoderStage next) : DecoderStage
    {
        private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder(); // keeps the bytes of half a character
        private bool _started;

        public override void Push(string token, bool continues) => Emit(ByteAlphabet.Decode(token), flush: false);

        public override void Finish()
        {
            Emit([], flush: true);
            next.Finish();
        }

        private void Emit(byte[] bytes, bool flush)
        {
            char[] text = new char[_utf8.GetCharCount(bytes, flush)];
            int count = _utf8.GetChars(bytes, text, flush);
            if (count == 0)
                return;
            next.Push(new string(text, 0, count), _started); // the whole text is one token for what follows
            _started = true;
        }
    }
}
