using System.Buffers.Binary;
using Candela.Formats;

namespace Candela.Tokenization;

/// <summary>Finds out which format a tokenizer file has, by name and first bytes.</summary>
internal static class TokenizerFile
{
    private static readonly string[] InFolder = ["tokenizer.json", "tokenizer.model", "tokenizer.bin", PlainVocabulary.Words, PlainVocabulary.Pairs];

    // Far above any vocabulary; what is larger is a model's weights.
    private const long LongestFile = 1 << 30;

    /// <summary>Reads a folder's tokenizer or one file.</summary>
    public static TokenizerParts Read(string path)
    {
        string file = Directory.Exists(path) ? InFolder.Select(name => Path.Combine(path, name)).FirstOrDefault(File.Exists) ?? Only(path, "*.gguf") ?? Path.Combine(path, InFolder[0]) : path;
        if (!File.Exists(file))
            throw new FileFormatException(file, Fault.Missing, "there is no tokenizer here; a folder with tokenizer.json, tokenizer.model (SentencePiece), tokenizer.bin (llama2.c), vocab.txt (BERT) or vocab.json with merges.txt (GPT-2), one of these files, or a .gguf file was needed.");
        if (IsGguf(file))
            return GgufVocabulary.Read(file);
        if (new FileInfo(file).Length is var length and > LongestFile)
            throw new FileFormatException(file, Fault.WrongFormat, $"the file has {length} bytes; a tokenizer has at most {LongestFile}. Name the tokenizer's file, not the weights.");
        var parts = Path.GetExtension(file) switch
        {
            ".model" => SentencePieceFile.Read(file),
            ".bin" => Llama2Vocabulary.Read(file),
            ".txt" => PlainVocabulary.ReadWords(file),
            _ when Path.GetFileName(file) == PlainVocabulary.Pairs => PlainVocabulary.ReadPairs(file),
            _ => TokenizerJson.Read(File.ReadAllBytes(file), file),
        };
        return TokenizerConfig.Apply(parts, Path.GetDirectoryName(Path.GetFullPath(file))!);
    }

    private static string? Only(string folder, string pattern) => Directory.GetFiles(folder, pattern) is [var file] ? file : null;

    private static bool IsGguf(string file)
    {
        using var stream = File.OpenRead(file);
        Span<byte> start = stackalloc byte[4];
        return stream.ReadAtLeast(start, 4, throwOnEndOfStream: false) == 4 && BinaryPrimitives.ReadUInt32LittleEndian(start) == GgufFile.Magic;
    }
}
