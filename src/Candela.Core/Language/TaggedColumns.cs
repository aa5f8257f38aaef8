using System.Globalization;
using Candela.Data;

namespace Candela.Language;

/// <summary>The readers behind <see cref="TaggedCorpus"/>.</summary>
internal static class TaggedColumns
{
    private static readonly string[] ConllUColumns = ["id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc"];
    private const double FittingShare = 0.99;

    public static List<TaggedSentence> Columns(string path, TaggedCorpusOptions options)
    {
        var sentences = new List<TaggedSentence>();
        var (tokens, tags) = (new List<string>(), new List<string>());
        int columns = 0, tokenAt = 0, tagAt = 0;
        bool tabs = false;
        foreach (var (text, line) in Lines(path))
        {
            if (string.IsNullOrWhiteSpace(text))
            {
                End(sentences, tokens, tags);
                continue;
            }

            bool tabbed = columns == 0 ? text.Contains('\t') : tabs;
            string[] cells = Cells(text, tabbed);
            if (cells[0] == "-DOCSTART-" || (text[0] == '#' && (columns == 0 ? StartsAsComment(text, cells, options.TokensOnly) : cells.Length != columns)))
                continue;
            if (columns == 0)
            {
                (columns, tabs) = (cells.Length, tabbed);
                if (columns < 2 && !options.TokensOnly)
                    throw new DataException($"{path} line {line}: one column ('{Short(text)}'); a token and a tag, parted by a tab or spaces, were needed.");
                tokenAt = NumberedColumn(options.TokenColumn ?? "0", columns, path);
                tagAt = options.TokensOnly ? tokenAt : NumberedColumn(options.TagColumn ?? "-1", columns, path);
            }

            if (cells.Length != columns)
                throw new DataException($"{path} line {line}: {cells.Length} column{(cells.Length == 1 ? "" : "s")} ('{Short(text)}'); the {columns} of the first token line were needed.{(options.TokensOnly ? " Give one token per line, and an empty line behind each sentence." : "")}");
            Add(tokens, tags, cells[tokenAt], cells[tagAt], path, line);
        }

        End(sentences, tokens, tags);
        NeedSome(sentences, path);
        if (options.TokensOnly && !tabs && columns > 2 && sentences.TrueForAll(s => s.Tokens.Count == 1))
            throw new DataException($"{path}: every sentence is one line of {columns} words, as in running text. Give one token per line, and an empty line behind each sentence.");
        return options.NumberedTokens ?? IsNumbered(sentences) ? WithoutNumbers(sentences, path) : sentences;
    }

    public static List<TaggedSentence> ConllU(string path, TaggedCorpusOptions options)
    {
        int tokenAt = NamedColumn(options.TokenColumn ?? "form"), tagAt = options.TokensOnly ? tokenAt : NamedColumn(options.TagColumn ?? "upos");
        var sentences = new List<TaggedSentence>();
        var (tokens, tags) = (new List<string>(), new List<string>());
        foreach (var (text, line) in Lines(path))
        {
            if (string.IsNullOrWhiteSpace(text))
            {
                End(sentences, tokens, tags);
                continue;
            }

            if (text[0] == '#')
                continue;
            string[] cells = text.Split('\t');
            if (cells.Length < ConllUColumns.Length)
                throw new DataException($"{path} line {line}: {cells.Length} column{(cells.Length == 1 ? "" : "s")} parted by tabs ('{Short(text)}'); the {ConllUColumns.Length} of CoNLL-U were needed.");
            if (cells[0].AsSpan().IndexOfAny('-', '.') > 0)
                continue;
            if (!int.TryParse(cells[0], NumberStyles.None, CultureInfo.InvariantCulture, out int id) || id != tokens.Count + 1)
                throw new DataException($"{path} line {line}: the word's number is '{Short(cells[0])}'; {tokens.Count + 1} was needed. Sentences are parted by an empty line.");
            Add(tokens, tags, cells[tokenAt], cells[tagAt], path, line);
        }

        End(sentences, tokens, tags);
        NeedSome(sentences, path);
        if (!options.TokensOnly && sentences.TrueForAll(s => s.Tags.All(tag => tag == "_")))
            throw new DataException($"{path}: every word's {ConllUColumns[tagAt]} is '_', that is, left out; choose another column.");
        return sentences;
    }

    private static IEnumerable<(string Text, long Line)> Lines(string path)
    {
        using var reader = new StrictTextReader(path);
        for (long line = reader.SkippedLines + 1; reader.ReadLine() is { } text; line++)
            yield return (text, line);
    }

    private static string[] Cells(string text, bool tabs) =>
        tabs ? text.TrimEnd('\r').Split('\t') : text.Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);

    // Before the first token line the number of columns is not known: "# text" and "#text" are comments, "#<tab>O" is not; where tokens may stand alone, "#text" is one.
    private static bool StartsAsComment(string text, string[] cells, bool tokensOnly) =>
        !text.Contains('\t') && (cells.Length != 2 || cells[0] != "#" || cells[1] != "O") && !(tokensOnly && cells.Length == 1);

    private static void Add(List<string> tokens, List<string> tags, string token, string tag, string path, long line)
    {
        if (token.Length == 0 || tag.Length == 0)
            throw new DataException($"{path} line {line}: the {(token.Length == 0 ? "token" : "tag")} is empty.");
        tokens.Add(token);
        tags.Add(string.Intern(tag));
    }

    private static void End(List<TaggedSentence> sentences, List<string> tokens, List<string> tags)
    {
        if (tokens.Count == 0)
            return;
        sentences.Add(new TaggedSentence([.. tokens], [.. tags]));
        tokens.Clear();
        tags.Clear();
    }

    private static void NeedSome(List<TaggedSentence> sentences, string path)
    {
        if (sentences.Count == 0)
            throw new DataException($"{path}: no tagged sentence; lines of a token and its tag, with an empty line after each sentence, were needed.");
    }

    private static int NumberedColumn(string column, int columns, string path)
    {
        if (!int.TryParse(column, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) || number >= columns || number < -columns)
            throw new UsageException($"{path} has no column '{column}'; a number from 0 to {columns - 1}, or from -{columns} to -1 counted from the end, was needed.");
        return number < 0 ? columns + number : number;
    }

    private static int NamedColumn(string column)
    {
        if (int.TryParse(column, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
            return NumberedColumn(column, ConllUColumns.Length, "CoNLL-U");
        int at = Array.FindIndex(ConllUColumns, name => name.Equals(column, StringComparison.OrdinalIgnoreCase));
        return at >= 0 ? at : throw new UsageException($"CoNLL-U has no column '{column}'; its columns are {string.Join(", ", ConllUColumns)}.{NearestName.Hint(column, ConllUColumns)}");
    }

    private static bool IsNumbered(List<TaggedSentence> sentences)
    {
        long tokens = 0, fitting = 0;
        foreach (TaggedSentence sentence in sentences)
        {
            int before = -1;
            foreach (string token in sentence.Tokens)
            {
                int digits = NumberLength(token, before, out int number);
                if (digits == 0 || (before < 0 && number != 0))
                    return false;
                int characters = token.Length - digits;
                bool single = characters == 1 || (characters == 2 && char.IsSurrogatePair(token, 0));
                tokens++;
                fitting += single && (number == 0 || number == before + 1) ? 1 : 0;
                before = number;
            }
        }

        return fitting >= FittingShare * tokens;
    }

    // Digits at the end of the token that number it: those of the next number after the one before, else the last digit; 0 when it ends in none or is nothing else.
    private static int NumberLength(string token, int before, out int number)
    {
        string next = (before + 1).ToString(CultureInfo.InvariantCulture);
        number = before + 1;
        if (token.Length > next.Length && token.EndsWith(next, StringComparison.Ordinal))
            return next.Length;
        number = token[^1] - '0';
        return token.Length > 1 && char.IsAsciiDigit(token[^1]) ? 1 : 0;
    }

    private static List<TaggedSentence> WithoutNumbers(List<TaggedSentence> sentences, string path) => sentences.ConvertAll(sentence =>
    {
        var tokens = new string[sentence.Tokens.Count];
        int before = -1;
        for (int i = 0; i < tokens.Length; i++)
        {
            string token = sentence.Tokens[i];
            int digits = NumberLength(token, before, out before);
            tokens[i] = digits > 0 ? token[..^digits] : throw new DataException($"{path}: the token '{Short(token)}' has no number to cut off, but numbered tokens were asked for.");
        }

        return new TaggedSentence(tokens, sentence.Tags);
    });

    private static string Short(string text) => text.Length <= 60 ? text : text[..60] + "...";
}
