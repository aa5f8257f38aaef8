using System.Text;
using Candela.Language;
using Candela.Templates;
using Candela.Tokenization;

namespace Candela.Training.Tasks;

/// <summary>A part of a corpus as tokens in a file.</summary>
/// <param name="Tokens">How many.</param>
/// <param name="LearnedBytes">UTF-8 bytes of the text that is learned; what bits per byte are divided by.</param>
internal sealed record CorpusTokens(long Tokens, long LearnedBytes)
{
    /// <summary>Encodes pieces one after the other; a document ends with the end-of-text token where the tokenizer has one.</summary>
    public static CorpusTokens Write(string path, IEnumerable<CorpusPiece> pieces, Tokenizer tokenizer, CancellationToken cancellation)
    {
        using var writer = new TokenStore.Writer(path);
        long bytes = 0;
        int[] end = tokenizer.EosId is { } id ? [id] : [];
        foreach (CorpusPiece piece in pieces)
        {
            cancellation.ThrowIfCancellationRequested();
            if (piece.Messages is { } messages)
            {
                foreach ((string text, bool learned) in Turns(messages, tokenizer))
                    Add(text, learned);
            }
            else
            {
                if (piece.Prompt is { } prompt)
                    Add(prompt, false);
                Add(piece.Text, true);
            }

            if (piece.EndsDocument)
                writer.Add(end);
        }

        return new CorpusTokens(writer.Length, bytes);

        void Add(string text, bool learned)
        {
            writer.Add(tokenizer.Encode(text, addSpecialTokens: false), learned);
            bytes += learned ? Encoding.UTF8.GetByteCount(text) : 0;
        }
    }

    // The assistant's turns are learned. A template writes a conversation as a whole, so a turn is what one more message adds to the text before it.
    internal static IEnumerable<(string Text, bool Learned)> Turns(IReadOnlyList<ChatMessage> messages, Tokenizer tokenizer)
    {
        if (tokenizer.ChatTemplate is null)
        {
            foreach (ChatMessage message in messages)
            {
                yield return ($"{message.Role}: ", false);
                yield return ($"{message.Content}\n", message.Role == "assistant");
            }

            yield break;
        }

        string before = "";
        for (int i = 0; i < messages.Count; i++)
        {
            bool answer = messages[i].Role == "assistant";
            bool asks = !answer && i + 1 < messages.Count && messages[i + 1].Role == "assistant";
            string text = tokenizer.ApplyChatTemplate([.. messages.Take(i + 1)], new ChatTemplateOptions { AddGenerationPrompt = asks });
            if (!text.StartsWith(before, StringComparison.Ordinal))
                throw new DataException("The model's chat template rewrites earlier turns when a message is added, so the answers cannot be told from the rest. Give `prompt` and `completion` instead of `messages`.");
            yield return (text[before.Length..], answer);
            before = text;
        }
    }
}
