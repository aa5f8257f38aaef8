using System.Text;
using System.Text.Json;
using Candela.Tokenization;

namespace Candela.Tests.Tokenization;

/// <summary>Small tokenizers made in the test.</summary>
internal static class Pipelines
{
    /// <summary>A byte-level BPE pipeline: the 256 bytes, then the merges (written in the byte alphabet), then one special token.</summary>
    public static string ByteLevelJson(params string[] merges)
    {
        var vocabulary = new Dictionary<string, int>();
        for (int b = 0; b < 256; b++)
            vocabulary[ByteAlphabet.Of((byte)b).ToString()] = b;
        foreach (string merge in merges)
            vocabulary.TryAdd(merge.Replace(" ", "", StringComparison.Ordinal), vocabulary.Count);
        return $$"""
            {"version":"1.0","truncation":null,"padding":null,
             "added_tokens":[{"id":{{vocabulary.Count}},"content":"<|end|>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],
             "normalizer":null,"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true},
             "post_processor":null,"decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},
             "model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":"","end_of_word_suffix":"","fuse_unk":false,
                      "vocab":{{Object(vocabulary)}},"merges":[{{string.Join(',', merges.Select(Quote))}}] }
            }
            """;
    }

    public static Tokenizer ByteLevel(params string[] merges) => Parse(ByteLevelJson(merges));

    public static Tokenizer Parse(string json) => Tokenizer.FromJson(Encoding.UTF8.GetBytes(json), "test.json");

    public static string Object(IEnumerable<KeyValuePair<string, int>> vocabulary) => "{" + string.Join(',', vocabulary.Select(p => $"{Quote(p.Key)}:{p.Value}")) + "}";

    public static string Quote(string text) => "\"" + JsonEncodedText.Encode(text) + "\"";
}
