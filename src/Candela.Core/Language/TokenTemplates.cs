namespace Candela.Language;

/// <summary>Which features <see cref="TokenFeatures"/> writes around a token.</summary>
public enum TokenTemplates
{
    /// <summary><see cref="Characters"/> when at least four of five training tokens are one character, else <see cref="Words"/>.</summary>
    Auto,

    /// <summary>The word, its lower-case form (digits as 0), prefixes and suffixes of 1 to 4 characters, shape, neighbours up to two away, pairs with the neighbours.</summary>
    Words,

    /// <summary>For text tagged character by character, as Chinese often is: characters up to two away, pairs and triples of them, their kinds, repetition.</summary>
    Characters,
}
