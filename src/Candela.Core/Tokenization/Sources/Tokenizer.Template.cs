using Candela.Templates;

namespace Candela.Tokenization;

public sealed partial class Tokenizer
{
    private ChatTemplate? _template;

    /// <summary>The template that makes a prompt of a conversation, from tokenizer_config.json, chat_template.jinja or the GGUF file; null when there is none.</summary>
    /// <exception cref="FileFormatException">It is not valid or uses what is not supported; the line is named.</exception>
    public ChatTemplate? ChatTemplate => _parts.ChatTemplateText is { } text ? _template ??= ChatTemplate.Parse(text, $"chat template of {_parts.Name}") : null;

    /// <summary>Makes the prompt of a conversation, with this tokenizer's special tokens as <c>bos_token</c>, <c>eos_token</c>, <c>pad_token</c> and <c>unk_token</c> where <paramref name="options"/> name none.
    /// Encode the result with <c>addSpecialTokens: false</c>.</summary>
    /// <exception cref="UsageException">There is no template, or it refuses the conversation.</exception>
    /// <exception cref="FileFormatException">The template is not valid or uses what is not supported.</exception>
    public string ApplyChatTemplate(IReadOnlyList<ChatMessage> messages, ChatTemplateOptions? options = null)
    {
        var template = ChatTemplate ?? throw new UsageException($"{_parts.Name} has no chat template; a model that was tuned on conversations was needed, or a template parsed with ChatTemplate.Parse.");
        options ??= new ChatTemplateOptions();
        var tokens = new Dictionary<string, string>(options.SpecialTokens, StringComparer.Ordinal);
        foreach (var (name, id) in new (string, int?)[] { ("bos_token", BosId), ("eos_token", EosId), ("pad_token", PadId), ("unk_token", UnknownId) })
        {
            if (id is { } number && TokenOf(number) is { } token)
                tokens.TryAdd(name, token);
        }

        return template.Render(messages, options with { SpecialTokens = tokens });
    }
}
