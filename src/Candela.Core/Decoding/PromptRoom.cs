using Candela.Models;

namespace Candela.Decoding;

/// <summary>How many tokens may follow a prompt.</summary>
internal static class PromptRoom
{
    public static int Of(ICausalLm model, ReadOnlySpan<int> prompt, int maxTokens)
    {
        if (prompt.IsEmpty)
            throw new UsageException("The prompt holds no token; begin with the model's begin-of-text token, or with a word.");
        foreach (int id in prompt)
            if ((uint)id >= (uint)model.VocabularySize)
                throw new UsageException($"The prompt holds token id {id}; the model's ids are 0 to {model.VocabularySize - 1}. Use the tokenizer of this model.");
        if (prompt.Length >= model.ContextLength)
            throw new UsageException($"The prompt holds {prompt.Length:N0} tokens; the model's context of {model.ContextLength:N0} has no room for another. Shorten the prompt.");
        return Math.Min(maxTokens, model.ContextLength - prompt.Length);
    }
}
