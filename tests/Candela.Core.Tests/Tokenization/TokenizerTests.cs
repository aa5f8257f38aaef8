using Candela.Tokenization;

namespace Candela.Tests.Tokenization;

public sealed class TokenizerTests
{
    [Fact, Trait("Kind", "analytic")]
    public void ByteLevelBpe_MergesByRank_ThenDecodesToTheText()
    {
        Tokenizer tokenizer = Pipelines.ByteLevel("h e", "l l", "he ll", "hell o", "Ġ hello");
        Assert.Equal(262, tokenizer.VocabularySize);
        int[] ids = tokenizer.Encode("hello hello<|end|>!");
        Assert.Equal(["hello", "Ġhello", "<|end|>", "!"], ids.Select(i => tokenizer.TokenOf(i)));
        Assert.Equal("hello hello!", tokenizer.Decode(ids));
        Assert.Equal("hello hello<|end|>!", tokenizer.Decode(ids, skipSpecialTokens: false));
        Assert.Equal(" hello"u8.ToArray(), tokenizer.BytesOf(ids[1]).ToArray());
    }

    [Fact, Trait("Kind", "analytic")]
    public void IncrementalDecoder_CharacterOfFourBytes_ComesWhole()
    {
        Tokenizer tokenizer = Pipelines.ByteLevel();
        IncrementalDecoder decoder = tokenizer.NewDecoder();
        int[] ids = tokenizer.Encode("a😀b");
        Assert.Equal(6, ids.Length);
        Assert.Equal(["a", "", "", "", "😀", "b"], ids.Select(decoder.Append));
        Assert.Equal("", decoder.Flush());
    }
}
