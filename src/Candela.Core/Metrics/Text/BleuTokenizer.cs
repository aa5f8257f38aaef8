namespace Candela.Metrics;

/// <summary>How BLEU cuts segments into tokens; the names are sacreBLEU's.</summary>
public enum BleuTokenizer
{
    /// <summary><c>13a</c>: mteval-v13a of WMT, for languages with spaces. The default.</summary>
    V13a,

    /// <summary><c>zh</c>: each Chinese character is a token, the rest as in 13a.</summary>
    Zh,

    /// <summary><c>char</c>: each character is a token.</summary>
    Char,

    /// <summary><c>intl</c>: mteval-v14's international tokenization by Unicode punctuation and symbols.</summary>
    Intl,

    /// <summary><c>none</c>: cut at white space only, for text that is tokenized.</summary>
    None,
}
