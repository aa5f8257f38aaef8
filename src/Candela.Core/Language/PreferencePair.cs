using Candela.Templates;

namespace Candela.Language;

/// <summary>A prompt with the answer that was preferred and the one that was not.</summary>
/// <param name="Prompt">The conversation before the answer; a prompt that is a plain text is one message with an empty role.</param>
/// <param name="Chosen">The better answer.</param>
/// <param name="Rejected">The other.</param>
public sealed record PreferencePair(IReadOnlyList<ChatMessage> Prompt, string Chosen, string Rejected)
{
    /// <summary>A prompt that is a plain text.</summary>
    public PreferencePair(string prompt, string chosen, string rejected) : this([new ChatMessage("", prompt)], chosen, rejected)
    {
    }

    /// <summary>True when the prompt is messages, which a chat template writes.</summary>
    public bool IsChat => Prompt.Count != 1 || Prompt[0].Role.Length > 0;

    /// <summary>The prompt as one text, for people and to tell prompts apart.</summary>
    public string PromptText => IsChat ? string.Join('\n', Prompt.Select(m => $"{m.Role}: {m.Content}")) : Prompt[0].Content ?? "";
}
