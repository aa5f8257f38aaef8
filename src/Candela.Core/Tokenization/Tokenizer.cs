using System.Buffers;
using System.Text;

namespace Candela.Tokenization;

/// <summary>Text to token ids and back, as the pipeline of a <c>tokenizer.json</c> says: added tokens, normalizer, pre-tokenizer, model, post-processor, decoder. Immutable; safe to use from several threads.</summary>
public sealed partial class Tokenizer
{
    private readonly TokenizerParts _parts;
    private readonly Vocabulary _vocabulary;
    private readonly Dictionary<string, AddedToken> _addedByContent = new(StringComparer.Ordinal);
    private readonly Dictionary<int, AddedToken> _addedById = [];
    private readonly string?[] _tokens; // by id
    private readonly bool[] _special; // by id
    private readonly AddedTokenMatcher _raw, _normalized;
    private readonly Lazy<byte[][]> _bytes;
    private readonly ByteLevelEncoder? _fast;

    internal Tokenizer(TokenizerParts parts)
    {
        _parts = parts;
        _vocabulary = parts.Model.Vocabulary;
        VocabularySize = _vocabulary.Size;
        foreach (AddedToken token in parts.AddedTokens)
        {
            Register(token);
            VocabularySize = Math.Max(VocabularySize, token.Id + 1);
        }

        _tokens = new string?[VocabularySize];
        _special = new bool[VocabularySize];
        for (int id = 0; id < _tokens.Length; id++)
        {
            _tokens[id] = _addedById.TryGetValue(id, out AddedToken? added) ? added.Content : _vocabulary.TokenOf(id);
            _special[id] = added is { Special: true };
        }

        foreach (FramePart part in parts.PostProcessor is { } post ? post.Frame(pair: false).Concat(post.Frame(pair: true)) : [])
            if (part.Sequence < 0 && TokenOf(part.Id) is null)
                throw new FileFormatException(parts.Name, Fault.Corrupt, $"the post-processor adds {Vocabulary.Quote(part.Token ?? "")} with id {part.Id}, which no token has.");
        _raw = new AddedTokenMatcher(parts.AddedTokens.Where(t => !t.Normalized).Select(t => KeyValuePair.Create(t.Content, t)));
        _normalized = new AddedTokenMatcher(parts.AddedTokens.Where(t => t.Normalized).Select(t => KeyValuePair.Create(Normalize(t.Content), t)));
        _bytes = new Lazy<byte[][]>(AllBytes);
        _fast = ByteLevelEncoder.Create(parts);
        UnknownId = parts.UnknownId ?? (parts.Model.UnknownToken is { } unknown ? IdOf(unknown) : null);
        BosId = parts.BosId ?? Named("<s>", "<bos>", "<|begin_of_text|>", "<|startoftext|>", "<|endoftext|>");
        EosId = parts.EosId ?? Named("</s>", "<eos>", "<|end_of_text|>", "<|endoftext|>");
        PadId = parts.PadId ?? (parts.Padding is { } padding ? IdOf(padding.PadToken) : null) ?? Named("<pad>", "[PAD]", "<|pad|>");
    }

    /// <summary>One more than the largest id: the width of a model's logits must be at least this.</summary>
    public int VocabularySize { get; }

    /// <summary>The id that begins a text; from tokenizer_config.json, special_tokens_map.json or the file's own keys, else the special token of a customary name; null when there is none.</summary>
    public int? BosId { get; }

    /// <summary>The id that ends a text; found as <see cref="BosId"/>.</summary>
    public int? EosId { get; }

    /// <summary>The id that fills up short rows; found as <see cref="BosId"/>.</summary>
    public int? PadId { get; }

    /// <summary>The id of what the vocabulary lacks; null when every text can be encoded without.</summary>
    public int? UnknownId { get; }

    internal TokenizerParts Parts => _parts;

    /// <summary>The token with this id as the vocabulary spells it (byte-level vocabularies spell bytes as stand-in characters); null for an id that is not used.</summary>
    public string? TokenOf(int id) => (uint)id < (uint)_tokens.Length ? _tokens[id] : null;

    /// <summary>The id of a token as the vocabulary spells it; null when it is not there.</summary>
    public int? IdOf(string token) => _addedByContent.TryGetValue(token, out AddedToken? added) ? added.Id : _vocabulary.IdOf(token);

    /// <summary>Whether the id is a control token, which decoding leaves out by default.</summary>
    public bool IsSpecial(int id) => (uint)id < (uint)_special.Length && _special[id];

    /// <summary>The tokens that are found in the text before the model sees it.</summary>
    public IReadOnlyList<AddedToken> AddedTokens => _parts.AddedTokens;

    /// <summary>The bytes that a token adds to decoded text where it is not the first: what the decoder makes of it alone. Empty for an id that is not used.</summary>
    public ReadOnlySpan<byte> BytesOf(int id) => (uint)id < (uint)VocabularySize ? _bytes.Value[id] : default;

    /// <summary>Encodes one text. Truncation and padding of the file are not applied (<see cref="EncodeFull"/> does).</summary>
    /// <param name="text">Any text; half a surrogate pair alone counts as U+FFFD.</param>
    /// <param name="addSpecialTokens">Whether the tokens that frame a text are added.</param>
    public int[] Encode(string text, bool addSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>(text.Length / 3 + 8);
        Encode(text, ids, addSpecialTokens);
        return [.. ids];
    }

    /// <summary>Encodes one text and appends its ids to <paramref name="into"/>. Truncation and padding of the file are not applied.</summary>
    public void Encode(ReadOnlySpan<char> text, List<int> into, bool addSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(into);
        if (!addSpecialTokens || _parts.PostProcessor is not { } post)
        {
            EncodeBare(text, into);
            return;
        }

        foreach (FramePart part in post.Frame(pair: false))
        {
            if (part.Sequence == 0)
                EncodeBare(text, into);
            else if (part.Sequence < 0)
                into.Add(part.Id);
        }
    }

    /// <summary>The text of the ids. Ids that are not used add nothing.</summary>
    /// <param name="ids">The ids.</param>
    /// <param name="skipSpecialTokens">Whether control tokens are left out.</param>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = true)
    {
        if (_parts.Decoder is ByteLevelDecoder)
            return DecodeBytes(ids, skipSpecialTokens);
        var text = new StringBuilder(ids.Length * 4);
        DecoderStage stage = OpenDecoder(text);
        foreach (int id in ids)
            if (TokenOf(id) is { } token && !(skipSpecialTokens && IsSpecial(id)))
                stage.Push(token, continues: false);
        stage.Finish();
        return text.ToString();
    }

    private string DecodeBytes(ReadOnlySpan<int> ids, bool skipSpecialTokens)
    {
        byte[][] all = _bytes.Value;
        int length = 0;
        foreach (int id in ids)
            if ((uint)id < (uint)all.Length && !(skipSpecialTokens && _special[id]))
                length += all[id].Length;
        byte[] utf8 = ArrayPool<byte>.Shared.Rent(length);
        int count = 0;
        foreach (int id in ids)
        {
            if ((uint)id >= (uint)all.Length || skipSpecialTokens && _special[id])
                continue;
            byte[] bytes = all[id];
            bytes.CopyTo(utf8.AsSpan(count));
            count += bytes.Length;
        }

        string text = Encoding.UTF8.GetString(utf8, 0, count);
        ArrayPool<byte>.Shared.Return(utf8);
        return text;
    }

    /// <summary>A decoder that takes ids as they come.</summary>
    public IncrementalDecoder NewDecoder(bool skipSpecialTokens = true) => new(this, skipSpecialTokens);

    internal DecoderStage OpenDecoder(StringBuilder into) => _parts.Decoder is { } decoder ? decoder.Open(new TextStage(into)) : new SpacedStage(into);

    private void EncodeBare(ReadOnlySpan<char> text, List<int> into)
    {
        if (_fast is not null)
            EncodeFast(text, into, _raw, _normalized);
        else
            EncodeGeneric(text, into);
    }

    // Between the added tokens of the raw text those that count as normalized (nothing is, here), between those the text.
    private void EncodeFast(ReadOnlySpan<char> text, List<int> into, AddedTokenMatcher matcher, AddedTokenMatcher? inner)
    {
        int done = 0;
        if (!matcher.IsEmpty)
        {
            for (int from = 0; matcher.Next(text, from, done, out int start, out int end) is { } token; from = done = end)
            {
                Between(text[done..start]);
                into.Add(token.Id);
            }
        }

        Between(text[done..]);

        void Between(ReadOnlySpan<char> part)
        {
            if (part.IsEmpty)
                return;
            if (inner is not null)
                EncodeFast(part, into, inner, null);
            else
                _fast!.Encode(part, into);
        }
    }

    /// <summary>The plain twin of the fast path, for any pipeline.</summary>
    internal void EncodeGeneric(ReadOnlySpan<char> text, List<int> into)
    {
        List<Piece> pieces = Cut(AlignedText.Original(text.ToString(), tracked: false));
        var sink = new TokenSink();
        foreach (Piece piece in pieces)
        {
            if (piece.Id >= 0)
            {
                into.Add(piece.Id);
                continue;
            }

            sink.Clear();
            _parts.Model.Tokenize(piece.Span, sink);
            into.AddRange(sink.Ids);
        }
    }

    // Added tokens of the raw text, then normalization of what lies between, then added tokens of the normalized text, then the pre-tokenizer.
    private List<Piece> Cut(AlignedText original)
    {
        var pieces = new List<Piece>();
        var found = new List<Piece>();
        CutAdded(new Piece(original), _raw, found);
        for (int i = 0; i < found.Count; i++)
        {
            if (found[i].Id >= 0)
            {
                pieces.Add(found[i]);
                continue;
            }

            bool first = found[i].Start == 0;
            Piece normalized = _parts.Normalizer is { IsIdentity: false } normalizer ? new Piece(normalizer.Apply(found[i].ToText())) : found[i];
            int start = pieces.Count;
            CutAdded(normalized, _normalized, pieces);
            if (_parts.PreTokenizer is not { } preTokenizer)
                continue;
            Piece[] parts = [.. pieces[start..]];
            pieces.RemoveRange(start, parts.Length);
            for (int j = 0; j < parts.Length; j++)
            {
                if (parts[j].Id >= 0)
                    pieces.Add(parts[j]);
                else
                    preTokenizer.Split(parts[j], first && j == 0, pieces);
            }
        }

        return pieces;
    }

    private static void CutAdded(Piece piece, AddedTokenMatcher matcher, List<Piece> into)
    {
        if (matcher.IsEmpty)
        {
            into.Add(piece);
            return;
        }

        ReadOnlySpan<char> text = piece.Span;
        int done = 0;
        for (int from = 0; matcher.Next(text, from, done, out int start, out int end) is { } token; from = done = end)
        {
            if (start > done)
                into.Add(piece.Part(done, start - done));
            into.Add(piece.Part(start, end - start) with { Id = token.Id });
        }

        if (done < text.Length || text.Length == 0)
            into.Add(piece.Part(done, text.Length - done));
    }

    private string Normalize(string text) => _parts.Normalizer is { } normalizer ? normalizer.Apply(new AlignedText(text)).Text : text;

    private void Register(AddedToken token)
    {
        if (_vocabulary.IdOf(token.Content) is { } id && id != token.Id)
            throw new FileFormatException(_parts.Name, Fault.Corrupt, $"added token {Vocabulary.Quote(token.Content)} has id {token.Id}, but the model's vocabulary has it as {id}.");
        if (_vocabulary.TokenOf(token.Id) is { } other && other != token.Content)
            throw new FileFormatException(_parts.Name, Fault.Corrupt, $"id {token.Id} belongs to two tokens, {Vocabulary.Quote(other)} of the model and the added token {Vocabulary.Quote(token.Content)}.");
        if (!_addedById.TryAdd(token.Id, token))
            throw new FileFormatException(_parts.Name, Fault.Corrupt, $"id {token.Id} belongs to two added tokens, {Vocabulary.Quote(_addedById[token.Id].Content)} and {Vocabulary.Quote(token.Content)}.");
        if (!_addedByContent.TryAdd(token.Content, token))
            throw new FileFormatException(_parts.Name, Fault.Corrupt, $"added token {Vocabulary.Quote(token.Content)} is there twice, with ids {_addedByContent[token.Content].Id} and {token.Id}.");
    }

    private int? Named(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
            if (IdOf(name) is { } id && IsSpecial(id))
                return id;
        return null;
    }

    private byte[][] AllBytes()
    {
        byte[][] all = new byte[VocabularySize][];
        for (int id = 0; id < all.Length; id++)
            all[id] = TokenOf(id) is { } token ? BytesAlone(token) : [];
        return all;
    }

    // Between two tokens that mean nothing to any decoder, since some treat the first and the last differently.
    private byte[] BytesAlone(string token)
    {
        const string Neutral = "\u0001";
        if (_parts.Decoder is ByteLevelDecoder)
            return ByteAlphabet.Decode(token);
        if (_parts.Decoder is not null && ByteFallbackDecoder.ByteOf(token) is int value && value >= 0 && _parts.Decoder is DecoderSequence { Parts: var parts } && parts.Any(p => p is ByteFallbackDecoder))
            return [(byte)value];
        int after = Run(Neutral, Neutral).Length - 1;
        string text = Run(Neutral, token, Neutral);
        return text.Length > after ? Encoding.UTF8.GetBytes(text[1..^after]) : [];

        string Run(params ReadOnlySpan<string> tokens)
        {
            var into = new StringBuilder();
            DecoderStage stage = OpenDecoder(into);
            foreach (string one in tokens)
                stage.Push(one, continues: false);
            stage.Finish();
            return into.ToString();
        }
    }

    // The end of every chain: the text itself.
    private sealed class TextStage(StringBuilder into) : DecoderStage
    {
        public override void Push(string token, bool continues) => into.Append(token);

        public override void Finish() { }
    }

    // Without a decoder tokens are words.
    private sealed class SpacedStage(StringBuilder into) : DecoderStage
    {
        private bool _started;

        public override void Push(string token, bool continues)
        {
            if (_started)
                into.Append(' ');
            _started = true;
            into.Append(token);
        }

        public override void Finish() { }
    }
}
