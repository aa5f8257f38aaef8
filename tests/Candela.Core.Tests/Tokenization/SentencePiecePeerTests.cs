using System.Diagnostics;
using Candela.Tokenization;

namespace Candela.Tests.Tokenization;

/// <summary>Ids against the SentencePiece library's own <c>spm_train</c> and <c>spm_encode</c> (Debian package <c>sentencepiece</c>) on models trained here on
/// Tiny Shakespeare of CANDELA_DATA. Without the tools or the text it says so and passes.</summary>
public sealed class SentencePiecePeerTests(ITestOutputHelper output)
{
    private const string OddLines = """
          leading   and   multiple  spaces  
        naïve café ﬁ ﬂ ① ½ ² Å ＡＢＣ ﷺ
        emoji 🦙 🚀 😶‍🌫️ 3 33 333
        	tab	tabs
        zero​width ­soft﻿bom
        ΑΒΓ ß ẞ ΣΊΣΥΦΟΣ Привет мир नमस्ते ไทย 中文，你好
        x<tool>y <tool>s and a <tool> at the end
        """;

    [Theory]
    [Trait("Kind", "conformance")]
    [InlineData("--model_type=unigram --vocab_size=2000")]
    [InlineData("--model_type=unigram --vocab_size=2000 --byte_fallback=true --normalization_rule_name=nfkc_cf --user_defined_symbols=<tool>")]
    [InlineData("--model_type=unigram --vocab_size=1000 --add_dummy_prefix=false")]
    [InlineData("--model_type=bpe --vocab_size=2000")]
    [InlineData("--model_type=bpe --vocab_size=2000 --byte_fallback=true --normalization_rule_name=identity --remove_extra_whitespaces=false")]
    [InlineData("--model_type=char --vocab_size=60")]
    public void Encode_ModelOfTheLibrary_GivesItsIds(string options)
    {
        string? data = Environment.GetEnvironmentVariable("CANDELA_DATA");
        if (data is null || !Has("spm_train") || !Has("spm_encode"))
        {
            output.WriteLine("Not run: CANDELA_DATA or the tools spm_train and spm_encode (apt-get install sentencepiece) are missing.");
            return;
        }

        using var folder = new TemporaryFolder();
        string book = File.ReadAllText(Path.Combine(data, "txt-shakespeare", "input.txt"));
        File.WriteAllText(folder.File("text.txt"), book);
        Start("spm_train", "", ["--input=" + folder.File("text.txt"), "--model_prefix=" + folder.File("tokenizer"), "--num_threads=1", .. options.Split(' ')]);
        string[] lines = [.. book.Split('\n').Take(4000), .. OddLines.ReplaceLineEndings("\n").Split('\n')];
        // Known difference: with user-defined symbols and a space put before the text, spaces at its end are kept as one (see SentencePieceFile).
        if (options.Contains("user_defined", StringComparison.Ordinal))
            lines = [.. lines.Select(line => line.TrimEnd(' '))];
        string[] expected = Start("spm_encode", string.Join('\n', lines) + "\n", ["--model=" + folder.File("tokenizer.model"), "--output_format=id"]).Split('\n');
        var tokenizer = Tokenizer.Load(folder.File("tokenizer.model"));
        var wrong = new List<string>();
        for (int i = 0; i < lines.Length; i++)
        {
            string ours = string.Join(' ', tokenizer.Encode(lines[i], addSpecialTokens: false));
            if (ours != expected[i])
                wrong.Add($"'{lines[i]}': {expected[i]} but {ours}");
        }

        output.WriteLine($"{options}: {lines.Length} lines, {wrong.Count} different.");
        Assert.Empty(wrong);
    }

    private static bool Has(string tool) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, tool)));

    private static string Start(string tool, string input, string[] arguments)
    {
        var start = new ProcessStartInfo(tool, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, StandardInputEncoding = new System.Text.UTF8Encoding(false), StandardOutputEncoding = new System.Text.UTF8Encoding(false) };
        using var process = Process.Start(start)!;
        var answer = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors.GetAwaiter().GetResult());
        return answer.GetAwaiter().GetResult();
    }
}
