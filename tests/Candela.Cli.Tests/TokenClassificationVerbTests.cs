using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;

namespace Candela.Cli.Tests;

/// <summary>A tagger from <c>train</c> to <c>predict</c>, as a newcomer types it.</summary>
public sealed class TokenClassificationVerbTests : IDisposable
{
    private readonly Folder _folder = new();

    public void Dispose() => _folder.Dispose();

    // Numbers are tagged by the word before them.
    private static string Columns(int sentences = 120, string end = "\n")
    {
        var rng = new Rng(5);
        var text = new StringBuilder();
        for (int i = 0; i < sentences; i++)
        {
            for (int pairs = 1 + rng.Next(3); pairs > 0; pairs--)
            {
                bool up = rng.Next(2) == 0;
                text.Append(up ? "up\tO" : "down\tO").Append(end).Append(rng.Next(10)).Append(up ? "\tB-UP" : "\tB-DOWN").Append(end);
            }

            text.Append(end);
        }

        return text.ToString();
    }

    private CommandOutcome Train(string data, params string[] more) => _folder.Run(["train", data, "--task", "token-classification", "--width", "16", .. more.Contains("--epochs") ? [] : (string[])["--epochs", "10"], "--learning-rate", "0.02",
        "--dropout", "0.1", "--seed", "1", "--threads", "1", "--out", _folder.At("run"), .. more]);

    [Fact]
    public void Train_ThenEvaluateAndPredict_WorksInEveryFormat()
    {
        string data = _folder.Write("data.conll", Columns(end: "\r\n")), run = _folder.At("run");
        CommandOutcome train = Train(data).Ok();
        Assert.Contains("(token-classification)", train.Output);
        Assert.Contains("Sentences: 96 train, 12 valid, 12 test", train.Output);
        Assert.Matches(@"test metric[^\n]*\nf1Micro +[01]\.\d+", train.Output); // F1 of spans leads
        Assert.Contains("feature-crf", train.Output);
        Assert.Contains("most frequent tag", train.Output);

        JsonNode evaluated = _folder.Run("evaluate", run, data, "--json").Ok().Json;
        Assert.True((double)evaluated["metrics"]!["f1Micro"]!["value"]! > 0.97, evaluated.ToJsonString());

        string bare = _folder.Write("bare.txt", "up\n7\n\ndown\n3\nup\n1\n");
        string[] lines = ["up\tO", "7\tB-UP", "", "down\tO", "3\tB-DOWN", "up\tO", "1\tB-UP", ""];
        Assert.Equal(lines, _folder.Run("predict", run, bare).Ok().Output.TrimEnd('\n').Append('\n').Aggregate("", (a, c) => a + c).Split('\n'));
        Assert.Equal("row,tokens,tags\n0,up 7,O B-UP\n1,down 3 up 1,O B-DOWN O B-UP\n", _folder.Run("predict", run, bare, "--format", "csv").Ok().Output.ReplaceLineEndings("\n"));
        string first = _folder.Run("predict", run, bare, "--format", "jsonl").Ok().Output.Split('\n')[0];
        Assert.Equal("""{"row":0,"tokens":["up","7"],"tags":["O","B-UP"]}""", JsonNode.Parse(first)!.ToJsonString());
        JsonNode all = _folder.Run("predict", run, bare, "--format", "json").Ok().Json;
        Assert.Equal("B-DOWN", (string?)all["predictions"]![1]!["tags"]![1]);
        Assert.Equal(2, all["predictions"]!.AsArray().Count);

        string saved = _folder.At("out.conll");
        _folder.Run("predict", run, data, "--out", saved, "--format", "text").Ok();
        Assert.Equal(1, (double)_folder.Run("evaluate", run, saved, "--json").Ok().Json["metrics"]!["accuracy"]!["value"]!); // what it wrote can be read again
    }

    [Fact]
    public void Train_ConllUInGzip_TakesTheNamedColumn()
    {
        var text = new StringBuilder();
        for (int i = 0; i < 60; i++)
            text.Append($"# sent_id = {i}\n1\tthe\tthe\tDET\tD1\t_\t2\tdet\t_\t_\n2\t{(i % 2 == 0 ? "dog" : "cat")}\tx\tNOUN\tN1\t_\t0\troot\t_\t_\n\n");
        string data = _folder.At("made.conllu.gz");
        using (var gzip = new GZipStream(File.Create(data), CompressionLevel.Fastest))
            gzip.Write(Encoding.UTF8.GetBytes(text.ToString()));
        CommandOutcome train = Train(data, "--target", "xpos").Ok();
        Assert.Matches(@"test metric[^\n]*\naccuracy +1\.0000", train.Output); // classes, not spans
        Assert.DoesNotContain("f1Micro", train.Output);
        Assert.Equal("the\tD1\ndog\tN1\n", _folder.Run("predict", _folder.At("run"), data).Ok().Output.ReplaceLineEndings("\n").Split("\n\n")[0] + "\n");
        Assert.Equal(1, (double)_folder.Run("evaluate", _folder.At("run"), data, "--json").Ok().Json["metrics"]!["accuracy"]!["value"]!); // xpos again, without being told
    }

    [Fact]
    public void Evaluate_TagsOfAnotherKind_AreNamed()
    {
        Train(_folder.Write("data.conll", Columns()), "--epochs", "1").Ok();
        string run = _folder.At("run");
        CommandOutcome some = _folder.Run("evaluate", run, _folder.Write("some.conll", "up\tO\n7\tB-NEW\n")).Ok();
        Assert.Contains("1 of 2 tokens have tags that the training sentences do not have ('B-NEW')", some.Error);
        Assert.Contains("[tags-unseen]", some.Error);
        CommandOutcome none = _folder.Run("evaluate", run, _folder.Write("none.conll", "up\tADV\n7\tNUM\n"));
        Assert.Equal(2, none.Code);
        Assert.Contains("none of its tags ('ADV', 'NUM')", none.Error);
        Assert.Contains("one token per line", _folder.Run("predict", run, _folder.Write("running.txt", "We met in Ulm .\n")).Error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Train_ConllWithoutATask_HintsAtTheTask()
    {
        CommandOutcome outcome = _folder.Run("train", _folder.Write("data.conll", Columns()), "--target", "tag", "--out", _folder.At("run"));
        Assert.Equal(2, outcome.Code);
        Assert.Contains("--task token-classification", outcome.Error);
    }

    [Theory]
    [InlineData("data.conllu", "1\ta\t_\tX\t_\t_\t_\t_\t_\t_\n", "--target", "upoz", "upos")]
    [InlineData("data.conll", "a\tO\nb\tX\n", "--target", "9", "from 0 to 1")]
    [InlineData("data.conll", "a\tO\n\nb\tO\n", "--epochs", "1", "the one tag 'O'")]
    [InlineData("data.conll", "", "--epochs", "1", "empty")]
    [InlineData("data.conll", "a\tO\n\nb\tX\n", "--heads", "2", "--heads is not used")]
    [InlineData("data.conll", "a\tO\n\nb\tX\n", "--model", "gru2", "gru2")]
    public void Train_WrongInput_IsRefusedBeforeAnythingIsWritten(string name, string text, string option, string value, string part)
    {
        CommandOutcome outcome = _folder.Run("train", _folder.Write(name, text), "--task", "token-classification", option, value, "--out", _folder.At("run"));
        Assert.Equal(2, outcome.Code);
        Assert.Contains(part, outcome.Error);
        Assert.False(Directory.Exists(_folder.At("run")));
    }
}
