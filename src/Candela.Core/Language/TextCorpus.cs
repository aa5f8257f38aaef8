using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Candela.Data;
using Candela.Templates;

namespace Candela.Language;

/// <summary>A piece of a corpus: text to learn, an answer after its prompt, or a conversation.</summary>
/// <param name="Text">The text; of a prompt's answer, the answer.</param>
public sealed record CorpusPiece(string Text)
{
    /// <summary>Read but not learned, before <see cref="Text"/>.</summary>
    public string? Prompt { get; init; }

    /// <summary>A conversation, of which the assistant's turns are learned; then <see cref="Text"/> is empty.</summary>
    public IReadOnlyList<ChatMessage>? Messages { get; init; }

    /// <summary>Whether a document ends here; the pieces of one long text follow each other without a seam.</summary>
    public bool EndsDocument { get; init; }
}

/// <summary>Text to train a language model on, read as a stream: one long text (any file but those below), or documents, one a line of JSON Lines, with the field <c>text</c>,
/// the fields <c>prompt</c> and <c>completion</c>, or the field <c>messages</c> (objects with <c>role</c> and <c>content</c>). A name ending in .gz is decompressed.</summary>
public sealed class TextCorpus
{
    private const int PieceCharacters = 1 << 18;

    private TextCorpus(string path, bool isOneText, string hash, long length) => (Path, IsOneText, Hash, Length) = (path, isOneText, hash, length);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Whether it is one long text rather than documents.</summary>
    public bool IsOneText { get; }

    /// <summary>SHA-256 of the file.</summary>
    public string Hash { get; }

    /// <summary>Characters (UTF-16 units) of one long text, or the number of documents.</summary>
    public long Length { get; }

    /// <summary>Reads the file once, to check and to measure it.</summary>
    /// <exception cref="DataException">It is empty, or not UTF-8; the place is named.</exception>
    /// <exception cref="FileFormatException">It is not there.</exception>
    public static TextCorpus Open(string path, CancellationToken cancellation = default)
    {
        if (!File.Exists(path))
            throw new FileFormatException(path, Fault.Missing, Directory.Exists(path) ? "this is a folder; a text or JSON Lines file was needed." : "the file does not exist.");
        string hash;
        using (FileStream file = File.OpenRead(path))
            hash = Convert.ToHexStringLower(SHA256.HashData(file));
        string name = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path;
        bool lines = name.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".ndjson", StringComparison.OrdinalIgnoreCase);
        var corpus = new TextCorpus(path, !lines, hash, 0);
        long length = 0;
        foreach (CorpusPiece piece in corpus.All())
        {
            cancellation.ThrowIfCancellationRequested();
            length += lines ? 1 : piece.Text.Length;
        }

        return length > 0 ? new TextCorpus(path, !lines, hash, length) : throw new DataException($"{path}: there is no text in it. A language model needs some thousand characters at least.");
    }

    /// <summary>The pieces of one part. One long text is cut into training, test and validation text in this order; documents are dealt by the seed.</summary>
    /// <param name="part">Which.</param>
    /// <param name="valid">Share for validation.</param>
    /// <param name="test">Share for the test.</param>
    /// <param name="seed">Of dealing documents.</param>
    public IEnumerable<CorpusPiece> Read(Part part, double valid, double test, long seed)
    {
        if (!IsOneText)
        {
            long number = 0;
            foreach (CorpusPiece piece in All())
            {
                double draw = new Rng(seed, number++).NextDouble();
                if ((draw < valid ? Part.Valid : draw < valid + test ? Part.Test : Part.Train) == part)
                    yield return piece;
            }

            yield break;
        }

        long trainEnd = (long)(Length * (1 - valid - test)), testEnd = (long)(Length * (1 - valid)), at = 0;
        (long from, long to) = part switch
        {
            Part.Train => (0L, trainEnd),
            Part.Test => (trainEnd, testEnd),
            _ => (testEnd, Length),
        };
        foreach (CorpusPiece piece in All())
        {
            int start = (int)Math.Clamp(from - at, 0, piece.Text.Length), end = (int)Math.Clamp(to - at, 0, piece.Text.Length);
            at += piece.Text.Length;
            if (end > start)
                yield return piece with { Text = piece.Text[start..end] };
        }
    }

    private IEnumerable<CorpusPiece> All() => IsOneText ? LongText() : JsonLines();

    // Cut where a line ends, so that a tokenizer sees whole words.
    private IEnumerable<CorpusPiece> LongText()
    {
        using StreamReader reader = Reader();
        var buffer = new char[PieceCharacters];
        var rest = new StringBuilder();
        while (true)
        {
            int read = Fill(() => reader.ReadBlock(buffer, 0, buffer.Length));
            if (read == 0)
                break;
            int cut = Array.LastIndexOf(buffer, '\n', read - 1) + 1;
            if (cut == 0 && rest.Length < 16 * PieceCharacters)
            {
                rest.Append(buffer, 0, read);
                continue;
            }

            cut = cut == 0 ? read - (char.IsHighSurrogate(buffer[read - 1]) ? 1 : 0) : cut;
            rest.Append(buffer, 0, cut);
            yield return new CorpusPiece(rest.ToString());
            rest.Clear().Append(buffer, cut, read - cut);
        }

        if (rest.Length > 0)
            yield return new CorpusPiece(rest.ToString());
    }

    private IEnumerable<CorpusPiece> JsonLines()
    {
        using StreamReader reader = Reader();
        for (long number = 1; Fill(reader.ReadLine) is { } line; number++)
            if (!string.IsNullOrWhiteSpace(line))
                yield return Parse(line, number);
    }

    private CorpusPiece Parse(string line, long number)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(line);
            JsonElement root = json.RootElement;
            if (root.ValueKind == JsonValueKind.Object)
            {
                if (root.TryGetProperty("messages", out JsonElement messages) && messages.ValueKind == JsonValueKind.Array)
                    return new CorpusPiece("") { EndsDocument = true, Messages = [.. messages.EnumerateArray().Select(Message)] };
                if (root.TryGetProperty("prompt", out JsonElement prompt) && root.TryGetProperty("completion", out JsonElement completion))
                    return new CorpusPiece(completion.GetString() ?? "") { Prompt = prompt.GetString() ?? "", EndsDocument = true };
                if (root.TryGetProperty("text", out JsonElement text) && text.ValueKind == JsonValueKind.String)
                    return new CorpusPiece(text.GetString()!) { EndsDocument = true };
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new DataException($"{Path}, line {number}: {(error is JsonException ? "this is no JSON object" : "a field is of the wrong type: texts were needed, and messages as objects with role and content")}.", error);
        }

        throw new DataException($"{Path}, line {number}: an object with `text`, with `prompt` and `completion`, or with `messages` was needed.");
    }

    private static ChatMessage Message(JsonElement message) => new(message.GetProperty("role").GetString() ?? "", message.GetProperty("content").GetString() ?? "");

    private T Fill<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (DecoderFallbackException error)
        {
            throw new DataException($"{Path}: byte {error.Index} begins what is no UTF-8 text. Convert the file to UTF-8.", error);
        }
        catch (InvalidDataException error)
        {
            throw new FileFormatException(Path, Fault.Corrupt, "the compressed file is damaged.", error);
        }
    }

    private StreamReader Reader()
    {
        Stream stream = File.OpenRead(Path);
        if (Path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
            stream = new GZipStream(stream, CompressionMode.Decompress);
        return new StreamReader(stream, new UTF8Encoding(false, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: true);
    }
}
