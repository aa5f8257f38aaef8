namespace Candela.Tokenization;

public sealed partial class Tokenizer
{
    /// <summary>Reads a tokenizer: a folder's <c>tokenizer.json</c>, else its <c>tokenizer.model</c> (SentencePiece), else its <c>tokenizer.bin</c> (llama2.c), its <c>vocab.txt</c> (BERT), or its <c>vocab.json</c> and <c>merges.txt</c> (GPT-2, RoBERTa), with the companion files; or one such file, or a GGUF file's vocabulary.</summary>
    /// <param name="path">A folder or a file.</param>
    /// <exception cref="FileFormatException">The file is missing, damaged, or uses a part that is not supported; the message names which.</exception>
    public static Tokenizer Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new Tokenizer(TokenizerFile.Read(path));
    }

    /// <summary>Reads a tokenizer from the bytes of a <c>tokenizer.json</c>.</summary>
    /// <param name="utf8">The document.</param>
    /// <param name="name">Named in messages as the file.</param>
    /// <exception cref="FileFormatException">The document is damaged or uses a part that is not supported.</exception>
    public static Tokenizer FromJson(ReadOnlySpan<byte> utf8, string name) => new(TokenizerJson.Read(utf8.ToArray(), name));

    /// <summary>Writes the whole pipeline as a <c>tokenizer.json</c>; a reader sees the old file or the new one, never half of it.</summary>
    public void Save(string path) => AtomicFile.Write(path, stream => TokenizerJson.Write(_parts, stream));
}
