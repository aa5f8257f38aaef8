using System.Text;
using Candela.Metrics;

namespace Candela.Language;

/// <summary>One language of a word-by-word translation: how its texts are cut into words, and words made a text.</summary>
/// <param name="unspaced">True for a language written without spaces: a Chinese or Japanese character is a word, as in BLEU's zh; else words are those of BLEU's 13a.</param>
internal sealed class WordSide(bool unspaced)
{
    // From this share of letters on, texts count as written without spaces.
    private const double UnspacedShare = 0.3;

    private readonly BleuTokenizer _tokenizer = unspaced ? BleuTokenizer.Zh : BleuTokenizer.V13a;

    public bool Unspaced { get; } = unspaced;

    public static WordSide Of(IEnumerable<string> texts)
    {
        long wide = 0, letters = 0;
        foreach (string text in texts)
            foreach (char c in text)
                if (char.IsLetter(c))
                {
                    letters++;
                    wide += IsWide(c) ? 1 : 0;
                }

        return new WordSide(letters > 0 && wide >= UnspacedShare * letters);
    }

    public List<string> Split(string text) => BleuTokens.Split(text, _tokenizer);

    /// <summary>Words with spaces between them, but none around wide characters, before closing marks and after opening ones.</summary>
    public static string Join(IReadOnlyList<string> words)
    {
        var text = new StringBuilder();
        foreach (string word in words)
        {
            bool space = text.Length > 0 && !IsWide(text[^1]) && !IsWide(word[0]) && text[^1] is not ('(' or '[' or '{') && word is not ("." or "," or ";" or ":" or "!" or "?" or ")" or "]" or "}" or "%");
            text.Append(space ? " " : "").Append(word);
        }

        return text.ToString();
    }

    // Characters, kana and the punctuation that goes with them.
    private static bool IsWide(char c) => HanCharacters.Contains(c) || c is (>= '\u3000' and <= '\u30FF') or (>= '\uFF00' and <= '\uFFEF') or (>= '\uD800' and <= '\uDFFF');
}
