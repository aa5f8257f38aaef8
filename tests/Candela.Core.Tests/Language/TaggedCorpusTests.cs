using System.IO.Compression;
using System.Text;
using Candela.Language;

namespace Candela.Tests.Language;

public sealed class TaggedCorpusTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Write(string name, string text)
    {
        File.WriteAllText(_folder.File(name), text);
        return _folder.File(name);
    }

    private static string Show(TaggedCorpus corpus) => string.Join(" | ", corpus.Sentences.Select(s => string.Join(' ', s.Tokens.Zip(s.Tags, (token, tag) => $"{token}/{tag}"))));

    [Theory, Trait("Kind", "analytic")]
    [InlineData("a\tO\nb\tB-X\n\nc\tO\n", "a/O b/B-X | c/O")]
    [InlineData("\n\na O\r\nb B-X\r\n \r\n\r\nc O", "a/O b/B-X | c/O")]
    [InlineData("-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n", "EU/B-ORG rejects/O")]
    [InlineData("# id 7\na\tO\n#\tO\n# a comment\n\n# id 8\nb\tO", "a/O #/O | b/O")]
    [InlineData("#\tO\nNo 1\tB-X\n", "#/O No 1/B-X")]
    public void Columns_EveryForm_IsRead(string text, string shown) => Assert.Equal(shown, Show(TaggedCorpus.Read(Write("a.conll", text))));

    [Fact, Trait("Kind", "analytic")]
    public void Columns_ChosenByNumber_AreRead()
    {
        string path = Write("a.txt", "EU NNP B-NP B-ORG\nrejects VBZ B-VP O\n");

        Assert.Equal("NNP/B-NP VBZ/B-VP", Show(TaggedCorpus.Read(path, new TaggedCorpusOptions { TokenColumn = "1", TagColumn = "-2" })));
        Assert.Contains("no column '4'", Assert.Throws<UsageException>(() => TaggedCorpus.Read(path, new TaggedCorpusOptions { TagColumn = "4" })).Message, StringComparison.Ordinal);
    }

    [Fact, Trait("Kind", "analytic")]
    public void Columns_NumberedCharacters_LoseTheirNumbers()
    {
        // Twelve characters of one word: the number gets a second digit. 200 more words, so that one token of two characters is within the rule's 1 %.
        string word = string.Concat("0123456789ab".Select((c, i) => $"{c}{i}\tO\n")), others = string.Concat(Enumerable.Repeat("好0\tO\n", 200));

        TaggedCorpus corpus = TaggedCorpus.Read(Write("a.conll", $"科0\tO\n技1\tO\n全0\tB-X\n50\tO\n\n{word}\n{others}哈哈0\tO\n"));

        Assert.Equal("科技全5", string.Concat(corpus.Sentences[0].Tokens));
        Assert.Equal("0123456789ab", string.Concat(corpus.Sentences[1].Tokens));
        Assert.Equal("哈哈", corpus.Sentences[2].Tokens[^1]);
    }

    [Theory, Trait("Kind", "analytic")]
    [InlineData("科0\tO\n技\tO\n", "科0/O 技/O")]   // one token without a number
    [InlineData("科0\tO\n技3\tO\n", "科0/O 技3/O")]  // numbers that do not rise
    [InlineData("Q1\tO\nQ2\tO\n", "Q1/O Q2/O")]    // does not start at 0
    public void Columns_OtherDigits_AreKept(string text, string shown) => Assert.Equal(shown, Show(TaggedCorpus.Read(Write("a.conll", text))));

    [Fact, Trait("Kind", "analytic")]
    public void Columns_NumbersByOption_OverruleTheRule()
    {
        string path = Write("a.conll", "科0\tO\n技3\tO\n");

        Assert.Equal("科/O 技/O", Show(TaggedCorpus.Read(path, new TaggedCorpusOptions { NumberedTokens = true })));
        Assert.Throws<DataException>(() => TaggedCorpus.Read(Write("b.conll", "科\tO\n"), new TaggedCorpusOptions { NumberedTokens = true }));
    }

    [Theory, Trait("Kind", "analytic")]
    [InlineData("a.txt", "#one\nb\r\n\r\n#\nc\n", "#one b | # c")] // tags and signs of a message are tokens
    [InlineData("a.txt", "# id 7\na\tO\n\nb\tB-X\n", "a | b")]
    [InlineData("a.txt", "科0\n技1\n\n全0\n", "科 技 | 全")]
    [InlineData("a.conllu", "# text = a b\n1\ta\t_\t_\t_\t_\t_\t_\t_\t_\n2\tb\t_\t_\t_\t_\t_\t_\t_\t_\n", "a b")]
    public void Read_TokensOnly_NeedsNoTags(string name, string text, string shown) =>
        Assert.Equal(shown, string.Join(" | ", TaggedCorpus.Read(Write(name, text), new TaggedCorpusOptions { TokensOnly = true }).Sentences.Select(s => string.Join(' ', s.Tokens))));

    [Fact, Trait("Kind", "fault")]
    public void Read_TokensOnlyOfRunningText_SaysWhatIsNeeded() =>
        Assert.Contains("one token per line", Assert.Throws<DataException>(() => TaggedCorpus.Read(Write("a.txt", "We met in Ulm .\nIt rained .\n"), new TaggedCorpusOptions { TokensOnly = true })).Message, StringComparison.Ordinal);

    private const string Universal = """
        # sent_id = 1
        1-2	vámonos	_	_	_	_	_	_	_	_
        1	vamos	ir	VERB	V	_	0	root	_	_
        2	nos	nosotros	PRON	P	_	1	obj	_	_
        2.1	x	x	X	X	_	_	_	_	_
        3	.	.	PUNCT	F	_	1	punct	_	_

        # sent_id = 2
        1	no	no	ADV	R	_	0	root	_	_	extra	columns

        """;

    [Fact, Trait("Kind", "analytic")]
    public void ConllU_RangesAndEmptyNodes_AreLeftOut()
    {
        TaggedCorpus corpus = TaggedCorpus.Read(Write("a.conllu", Universal));

        Assert.Equal("vamos/VERB nos/PRON ./PUNCT | no/ADV", Show(corpus));
        Assert.Equal(["ADV", "PRON", "PUNCT", "VERB"], corpus.Tags);
        Assert.Equal(4, corpus.TokenCount);
        Assert.Equal("ir/V nosotros/P ./F | no/R", Show(TaggedCorpus.Read(corpus.Source, new TaggedCorpusOptions { TokenColumn = "lemma", TagColumn = "XPOS" })));
    }

    [Fact, Trait("Kind", "analytic")]
    public void ConllU_Gzip_IsRead()
    {
        string path = _folder.File("a.conllu.gz");
        using (var gzip = new GZipStream(File.Create(path), CompressionLevel.Fastest))
            gzip.Write(Encoding.UTF8.GetBytes(Universal));

        Assert.Equal(2, TaggedCorpus.Read(path).Sentences.Count);
    }

    [Theory, Trait("Kind", "fault")]
    [InlineData("a.conll", "a\tO\nb\n", "line 2: 1 column")]
    [InlineData("a.conll", "\n\na O\nb O O\n", "line 4: 3 columns")]
    [InlineData("a.conll", "a\tO\n\tO\n", "line 2: the token is empty")]
    [InlineData("a.conll", "one\n", "line 1: one column")]
    [InlineData("a.conll", "# nothing here\n\n", "no tagged sentence")]
    [InlineData("a.conllu", "1\ta\t_\tX\n", "line 1: 4 columns")]
    [InlineData("a.conllu", "1\ta\t_\tX\t_\t_\t_\t_\t_\t_\n1\tb\t_\tX\t_\t_\t_\t_\t_\t_\n", "line 2: the word's number is '1'; 2 was needed")]
    [InlineData("a.conllu", "1\ta\t_\t_\t_\t_\t_\t_\t_\t_\n", "every word's upos is '_'")]
    public void Read_DamagedFile_NamesTheLine(string name, string text, string part)
    {
        string path = Write(name, text);

        string message = Assert.Throws<DataException>(() => TaggedCorpus.Read(path)).Message;

        Assert.Contains(part, message, StringComparison.Ordinal);
        Assert.StartsWith(path, message, StringComparison.Ordinal);
    }

    [Fact, Trait("Kind", "fault")]
    public void ConllU_UnknownColumn_NamesTheNearest()
        => Assert.Contains("'xpos'", Assert.Throws<UsageException>(() => TaggedCorpus.Read(Write("a.conllu", Universal), new TaggedCorpusOptions { TagColumn = "xpoz" })).Message, StringComparison.Ordinal);

    [Fact, Trait("Kind", "fault")]
    public void Read_NoFile_SaysSo() => Assert.Equal(Fault.Missing, Assert.Throws<FileFormatException>(() => TaggedCorpus.Read(_folder.File("none"))).Fault);

    [Fact, Trait("Kind", "property")]
    public void Split_SameSeed_PartsTheSentences()
    {
        var corpus = new TaggedCorpus("made up", [.. Enumerable.Range(0, 101).Select(i => new TaggedSentence([$"{i}"], ["X"]))]);

        TaggedSplit first = corpus.Split(0.2, seed: 1), again = corpus.Split(0.2, seed: 1), other = corpus.Split(0.2, seed: 2);

        Assert.Equal(20, first.Held.Count);
        Assert.Equal(corpus.Sentences, first.Train.Concat(first.Held).OrderBy(s => int.Parse(s.Tokens[0], System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Equal(first.Held, again.Held);
        Assert.NotEqual(first.Held, other.Held);
        Assert.Throws<UsageException>(() => corpus.Split(1, 1));
    }
}
