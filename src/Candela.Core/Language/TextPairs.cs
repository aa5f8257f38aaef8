using System.Security.Cryptography;

namespace Candela.Language;

/// <summary>Pairs of texts, read whole into memory: from two columns of delimited text, two keys of JSON Lines, or two files that are aligned line by line. Each may be gzip, in UTF-8 or in UTF-16 with a
/// byte-order mark.</summary>
/// <remarks>
/// Without names the columns are <c>source</c> and <c>target</c> or what else is usual (<c>src</c>, <c>text</c>, <c>dialogue</c>, <c>article</c>, ...; <c>tgt</c>, <c>summary</c>, <c>translation</c>, ...); where
/// there is no such pair, the first two. The first row of delimited text holds names when it has those that are asked for or usual, or two language codes; else it is a pair, and columns are called #0, #1, ...
/// Pairs with nothing but white space on one side are left out and counted.
/// </remarks>
public sealed class TextPairs
{
    internal static readonly string[] UsualSources = ["source", "src", "input", "text", "dialogue", "dialog", "document", "article", "question", "prompt"];
    internal static readonly string[] UsualTargets = ["target", "tgt", "output", "summary", "translation", "highlights", "headline", "title", "answer", "completion", "response"];

    /// <summary>Holds pairs that are already read.</summary>
    /// <param name="source">Where they come from, for messages.</param>
    /// <param name="pairs">At least one.</param>
    public TextPairs(string source, IReadOnlyList<TextPair> pairs) => (Source, Pairs) = (source, pairs);

    /// <summary>The file, or both with a comma between.</summary>
    public string Source { get; }

    /// <summary>In the order of the file, without those left out.</summary>
    public IReadOnlyList<TextPair> Pairs { get; }

    /// <summary>Pairs left out because a side was empty.</summary>
    public int Skipped { get; init; }

    /// <summary>The column or key of the sources, or the file where there are two.</summary>
    public string SourceColumn { get; init; } = "source";

    /// <summary>The column or key of the targets, or the file where there are two.</summary>
    public string TargetColumn { get; init; } = "target";

    /// <summary>SHA-256 of the bytes on disk (of two files, one after the other), 64 lower-case hex digits; empty for pairs that were handed in.</summary>
    public string DataHash { get; init; } = "";

    /// <summary>Reads pairs.</summary>
    /// <param name="path">A <c>.jsonl</c> file, delimited text (<c>.tsv</c>, <c>.csv</c>, ...), or two files as <c>train.de.gz,train.en.gz</c>.</param>
    /// <param name="sourceColumn">The column or key of the sources (in JSON also <c>translation.de</c> for a key within an object); null for the usual.</param>
    /// <param name="targetColumn">That of the targets; null for the usual.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="FileFormatException">A file is missing, or its gzip data is broken.</exception>
    /// <exception cref="DataException">A column is missing, a line is no JSON object, two files have unequal numbers of lines, or there is no pair.</exception>
    /// <exception cref="UsageException">Column names for two files, or one name for both columns.</exception>
    public static TextPairs Read(string path, string? sourceColumn = null, string? targetColumn = null, CancellationToken cancellation = default)
    {
        if (sourceColumn != null && sourceColumn == targetColumn)
            throw new UsageException($"'{sourceColumn}' was given as the column of the sources and of the targets. Give two columns.");
        if (!TextPairFiles.TwoFiles(path, out string first, out string second))
            return TextPairFiles.IsJsonLines(path) ? TextPairFiles.Json(path, sourceColumn, targetColumn, cancellation) : TextPairFiles.Delimited(path, sourceColumn, targetColumn, cancellation);
        return sourceColumn == null && targetColumn == null ? ReadAligned(first, second, cancellation)
            : throw new UsageException($"{path}: two files of lines have no columns. Leave out the column '{sourceColumn ?? targetColumn}', or give one file that has it.");
    }

    /// <summary>Reads two files whose lines belong together. Empty lines at the end of the longer one do not count.</summary>
    /// <inheritdoc cref="Read"/>
    public static TextPairs ReadAligned(string sourcePath, string targetPath, CancellationToken cancellation = default)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        List<string> sources = TextPairFiles.Lines(sourcePath, hash, cancellation), targets = TextPairFiles.Lines(targetPath, hash, cancellation);
        int count = Math.Min(sources.Count, targets.Count);
        if (sources.Skip(count).Concat(targets.Skip(count)).Any(line => line.Length > 0))
            throw new DataException($"{sourcePath} has {sources.Count} lines and {targetPath} has {targets.Count}; line by line they were to belong together. Give two files with as many lines.");
        var list = new PairList($"{sourcePath},{targetPath}");
        for (int i = 0; i < count; i++)
            list.Add(sources[i], targets[i]);
        return list.Finish(sourcePath, targetPath, hash);
    }

    /// <summary>Reads sources alone, all of them, empty ones too: lines of a text file, or the source column of a file of pairs.</summary>
    /// <param name="path">A <c>.jsonl</c>, <c>.tsv</c> or <c>.csv</c> file, or any other as lines of text; of two files with a comma between, the first.</param>
    /// <param name="sourceColumn">The column or key; null for the usual.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="FileFormatException">The file is missing, or its gzip data is broken.</exception>
    /// <exception cref="DataException">The column is missing, a line is no JSON object, or there is no text.</exception>
    public static IReadOnlyList<string> ReadSources(string path, string? sourceColumn = null, CancellationToken cancellation = default)
    {
        if (TextPairFiles.TwoFiles(path, out string first, out _))
            path = first;
        List<string> sources = TextPairFiles.IsJsonLines(path) ? TextPairFiles.JsonSources(path, sourceColumn, cancellation)
            : TextPairFiles.IsTable(path) || sourceColumn != null ? TextPairFiles.DelimitedSources(path, sourceColumn, cancellation)
            : TextPairFiles.Lines(path, null, cancellation);
        return sources.Count > 0 ? sources : throw new DataException($"{path}: there is no text in it.");
    }

    /// <summary>Gathers pairs, leaving out those with an empty side.</summary>
    internal sealed class PairList(string source)
    {
        private readonly List<TextPair> _pairs = [];
        private int _skipped;

        public void Add(string from, string to)
        {
            if (string.IsNullOrWhiteSpace(from) || string.IsNullOrWhiteSpace(to))
                _skipped++;
            else
                _pairs.Add(new TextPair(from.Trim(), to.Trim()));
        }

        public TextPairs Finish(string sourceColumn, string targetColumn, IncrementalHash hash)
        {
            if (_pairs.Count == 0)
                throw new DataException($"{source}: there is no pair with text on both sides{(_skipped > 0 ? $" ({_skipped} with an empty side in {sourceColumn} or {targetColumn})" : "")}.");
            return new TextPairs(source, _pairs) { Skipped = _skipped, SourceColumn = sourceColumn, TargetColumn = targetColumn, DataHash = Convert.ToHexStringLower(hash.GetHashAndReset()) };
        }
    }
}
