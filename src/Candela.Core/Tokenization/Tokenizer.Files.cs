namespace Candela.Tokenization;

public sealed partial class Tokenizer
{
    /// <summary>Reads a tokenizer: the <c>tokenizer.json</c> of a folder with its companion files, or one file.</summary>
    /// <param name="path">A folder, or a file <c>tokenizer.json</c>.</param>
    /// <exception cref="FileFormatException">The file is missing, damaged, or uses a part that is not supported; the message names which.</exception>
    public static Tokenizer Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string file = Directory.Exists(path) ? Path.Combine(path, "tokenizer.json") : path;
        if (!File.Exists(file))
            throw new FileFormatException(file, Fault.Missing, "there is no tokenizer file here; tokenizer.json was needed.");
        TokenizerParts parts = TokenizerJson.Read(File.ReadAllBytes(file), file);
        return new Tokenizer(TokenizerConfig.Apply(parts, Path.GetDirectoryName(Path.GetFullPath(file))!));
    }

    /// <summary>Reads a tokenizer from the bytes of a <c>tokenizer.json</c>.</summary>
    /// <param name="utf8">The document.</param>
    /// <param name="name">Named in messages as the file.</param>
    /// <exception cref="FileFormatException">The document is damaged or uses a part that is not supported.</exception>
    public static Tokenizer FromJson(ReadOnlySpan<byte> utf8, string name) => new(TokenizerJson.Read(utf8.ToArray(), name));

    /// <summary>Writes the whole pipeline as a <c>tokenizer.json</c>; a reader sees the old file or the new one, never half of it.</summary>
    public void Save(string path) => AtomicFile.Write(path, stream => TokenizerJson.Write(_parts, stream));
}
