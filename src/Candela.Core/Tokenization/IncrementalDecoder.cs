using System.Text;

namespace Candela.Tokenization;

/// <summary>Decodes ids as they come, for streaming: what it has given so far and what <see cref="Flush"/> gives, put together, is what <see cref="Tokenizer.Decode"/> gives for all ids.
/// It never gives half a character. One stream each; not for several threads at once.</summary>
public sealed class IncrementalDecoder
{
    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecialTokens;
    private readonly StringBuilder _text = new();
    private readonly Decoder? _utf8; // where tokens are bytes: keeps those of half a character
    private DecoderStage? _stage;

    internal IncrementalDecoder(Tokenizer tokenizer, bool skipSpecialTokens)
    {
        (_tokenizer, _skipSpecialTokens) = (tokenizer, skipSpecialTokens);
        if (tokenizer.Parts.Decoder is ByteLevelDecoder)
            _utf8 = Encoding.UTF8.GetDecoder();
        else
            _stage = tokenizer.OpenDecoder(_text);
    }

    /// <summary>Takes the next id.</summary>
    /// <returns>The text that has become certain: empty while bytes of a character are missing.</returns>
    public string Append(int id)
    {
        if (_utf8 is not null)
            return _skipSpecialTokens && _tokenizer.IsSpecial(id) ? "" : Characters(_tokenizer.BytesOf(id), flush: false);
        if (_tokenizer.TokenOf(id) is { } token && !(_skipSpecialTokens && _tokenizer.IsSpecial(id)))
            _stage!.Push(token, continues: false);
        return Take();
    }

    /// <summary>Ends the text and makes the decoder ready for another one.</summary>
    /// <returns>What was held back; bytes that never made a character come as U+FFFD.</returns>
    public string Flush()
    {
        if (_utf8 is not null)
            return Characters([], flush: true);
        _stage!.Finish();
        string rest = Take(all: true);
        _stage = _tokenizer.OpenDecoder(_text);
        return rest;
    }

    private string Characters(ReadOnlySpan<byte> bytes, bool flush)
    {
        Span<char> text = bytes.Length < 128 ? stackalloc char[bytes.Length + 4] : new char[bytes.Length + 4];
        int count = _utf8!.GetChars(bytes, text, flush);
        return count == 0 ? "" : new string(text[..count]);
    }

    private string Take(bool all = false)
    {
        if (_text.Length == 0)
            return "";
        // A high surrogate waits for its other half.
        int ready = !all && char.IsHighSurrogate(_text[^1]) ? _text.Length - 1 : _text.Length;
        string text = _text.ToString(0, ready);
        _text.Remove(0, ready);
        return text;
    }
}
