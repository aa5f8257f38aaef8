namespace Candela.Tokenization;

/// <summary>A token found in the text before the model sees it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">Its text.</param>
/// <param name="Special">Whether it is a control token, left out of decoded text by default.</param>
/// <param name="Normalized">Whether it is looked for in the normalized text instead of the raw text.</param>
/// <param name="SingleWord">Whether it counts only between non-word characters.</param>
/// <param name="LeftStrip">Whether white space before it belongs to it.</param>
/// <param name="RightStrip">Whether white space after it belongs to it.</param>
public sealed record AddedToken(int Id, string Content, bool Special = true, bool Normalized = false, bool SingleWord = false, bool LeftStrip = false, bool RightStrip = false);
