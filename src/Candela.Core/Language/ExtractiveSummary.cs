namespace Candela.Language;

/// <summary>Sentences picked from a text.</summary>
/// <param name="Sentences">The picked sentences, in the order of the text.</param>
/// <param name="Indices">Their places among all sentences of the text, rising from 0.</param>
/// <param name="Scores">The score of every sentence of the text.</param>
public sealed record ExtractiveSummary(IReadOnlyList<string> Sentences, IReadOnlyList<int> Indices, IReadOnlyList<double> Scores)
{
    /// <summary>The picked sentences as one text: with a space between them, but none where the one before ends in a Chinese or Japanese mark or character.</summary>
    public string Text
    {
        get
        {
            var text = new System.Text.StringBuilder();
            foreach (string sentence in Sentences)
            {
                if (text.Length > 0 && text[^1] < '\u2E80' && text[^1] != '\u201D')
                    text.Append(' ');
                text.Append(sentence);
            }

            return text.ToString();
        }
    }
}
