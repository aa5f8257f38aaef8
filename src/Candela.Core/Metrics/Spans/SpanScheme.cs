namespace Candela.Metrics;

/// <summary>How the tags of a sentence mark its spans.</summary>
public enum SpanScheme
{
    /// <summary>As conlleval and seqeval's default mode: IOB1, IOB2, IOE1, IOE2 and IOBES are all understood, and tags out of order start or end a span where they stand. <c>L</c> and <c>U</c> are read as <c>E</c>
    /// and <c>S</c>.</summary>
    Lenient,

    /// <summary>Strict IOB2: a span is <c>B</c> and the <c>I</c> of the same type that follow it; an <c>I</c> elsewhere belongs to none.</summary>
    Iob2,

    /// <summary>Strict IOE2: a span is a run of <c>I</c>, perhaps empty, and the <c>E</c> of the same type that ends it.</summary>
    Ioe2,

    /// <summary>Strict IOBES: a span is <c>S</c>, or <c>B</c>, perhaps some <c>I</c>, and <c>E</c>, of one type.</summary>
    Iobes,

    /// <summary>Strict BILOU: as <see cref="Iobes"/> with <c>L</c> for the last token and <c>U</c> for the only one.</summary>
    Bilou,
}
