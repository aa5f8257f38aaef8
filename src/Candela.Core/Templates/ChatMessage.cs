namespace Candela.Templates;

/// <summary>One turn of a conversation.</summary>
/// <param name="Role">Who speaks: <c>system</c>, <c>user</c>, <c>assistant</c>, <c>tool</c>, or what the template knows.</param>
/// <param name="Content">What is said; null when an assistant only calls tools.</param>
public sealed record ChatMessage(string Role, string? Content)
{
    /// <summary>Tools that the assistant calls. Default: none, and <c>tool_calls</c> is not defined in the template.</summary>
    public IReadOnlyList<ChatToolCall> ToolCalls { get; init; } = [];

    /// <summary>In a message of role <c>tool</c>, the call it answers. Default: none.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>The speaker's or tool's name. Default: none.</summary>
    public string? Name { get; init; }

    /// <summary>What the assistant thought before it spoke (<c>reasoning_content</c>). Default: none.</summary>
    public string? Reasoning { get; init; }
}

/// <summary>A call of a tool.</summary>
/// <param name="Name">The function.</param>
/// <param name="ArgumentsJson">Its arguments as a JSON object; the template sees a mapping.</param>
/// <param name="Id">The call's name, which the answer repeats; null when the model needs none.</param>
public sealed record ChatToolCall(string Name, string ArgumentsJson, string? Id = null);

/// <summary>What a template is rendered with beside the messages.</summary>
public sealed record ChatTemplateOptions
{
    /// <summary>Whether the text ends where the assistant is to begin. Default true.</summary>
    public bool AddGenerationPrompt { get; init; } = true;

    /// <summary>Tools the model may call: a JSON array of <c>{"type":"function","function":{...}}</c>. Default: none, and <c>tools</c> is none in the template.</summary>
    public string? ToolsJson { get; init; }

    /// <summary>Whether the template sees the arguments of a tool call as their JSON text instead of a mapping, as DeepSeek's templates need. Default false.</summary>
    public bool ToolArgumentsAsText { get; init; }

    /// <summary>Documents to answer from: a JSON array of objects. Default: none.</summary>
    public string? DocumentsJson { get; init; }

    /// <summary>Special tokens by the template's names: <c>bos_token</c>, <c>eos_token</c>, <c>pad_token</c>... Default: none; a name that is not here prints as nothing.</summary>
    public IReadOnlyDictionary<string, string> SpecialTokens { get; init; } = new Dictionary<string, string>();

    /// <summary>Further variables as a JSON object, for example <c>{"enable_thinking": false}</c>. Default: none.</summary>
    public string? VariablesJson { get; init; }

    /// <summary>What <c>strftime_now</c> goes by. Default the system's clock in UTC.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Longest text, the result or any on the way, in characters. Default 16,777,216.</summary>
    public int MaxOutput { get; init; } = 1 << 24;

    /// <summary>Most steps (statements, expressions, elements gone through). Default 50,000,000.</summary>
    public long MaxSteps { get; init; } = 50_000_000;
}
