namespace Candela.Decoding;

/// <summary>Why a text ended.</summary>
public enum FinishReason
{
    /// <summary>The model chose an end token, or the text came to a stop string. In JSON <c>stop</c>.</summary>
    Stop,

    /// <summary>The most tokens were generated, or the context is full. In JSON <c>length</c>.</summary>
    Length,
}
