using System.Diagnostics.CodeAnalysis;

namespace Candela.Templates;

/// <summary>A chat template as Hugging Face models carry it: conversation in, prompt text out. It is an interpreter of the part of Jinja2 that such templates use, with the settings
/// of <c>apply_chat_template</c> (<c>trim_blocks</c>, <c>lstrip_blocks</c>, loop controls, <c>tojson</c> without HTML escapes, <c>raise_exception</c>, <c>strftime_now</c>).
/// A template can reach nothing but its variables, and depth, steps and length are bounded. Immutable; safe from several threads.</summary>
public sealed class ChatTemplate
{
    private const int MaxSource = 1 << 20;

    private readonly IReadOnlyList<JinjaStatement> _statements;

    private ChatTemplate(string name, string source, IReadOnlyList<JinjaStatement> statements) => (Name, Source, _statements) = (name, source, statements);

    /// <summary>Where it came from, for errors.</summary>
    public string Name { get; }

    /// <summary>The template's text.</summary>
    public string Source { get; }

    /// <summary>Parses a template.</summary>
    /// <param name="jinja">Its text, at most 1,048,576 characters.</param>
    /// <param name="name">Where it came from, for errors.</param>
    /// <exception cref="FileFormatException">It is not valid (<see cref="Fault.Corrupt"/>) or uses what is not supported (<see cref="Fault.Unsupported"/>); the line is named.</exception>
    public static ChatTemplate Parse(string jinja, string name = "chat template")
    {
        if (jinja.Length > MaxSource)
            throw new FileFormatException(name, Fault.Unsupported, $"the template has {jinja.Length} characters; up to {MaxSource} are supported.");
        try
        {
            return new ChatTemplate(name, jinja, JinjaParser.Parse(jinja));
        }
        catch (JinjaError error)
        {
            throw Public(name, error, error.Line);
        }
    }

    /// <summary>Renders a conversation.</summary>
    /// <returns>The prompt; its special tokens are already in it, so it is encoded without adding any.</returns>
    /// <exception cref="UsageException">The template refuses the conversation or does not fit it, or a JSON option is not valid; template and line are named.</exception>
    /// <exception cref="FileFormatException">The template needs something that is not supported, or more depth, steps or length than allowed.</exception>
    public string Render(IReadOnlyList<ChatMessage> messages, ChatTemplateOptions? options = null)
    {
        options ??= new ChatTemplateOptions();
        return Render(new JinjaList([.. messages.Select(message => Message(message, options.ToolArgumentsAsText))]), options);
    }

    /// <summary>Renders messages that are given as JSON, in whatever form the template knows: a server passes on what it got.</summary>
    /// <param name="messagesJson">An array of objects with <c>role</c>, <c>content</c> and more.</param>
    /// <param name="options">What else the template sees.</param>
    /// <inheritdoc cref="Render(IReadOnlyList{ChatMessage}, ChatTemplateOptions)"/>
    public string RenderJson([StringSyntax(StringSyntaxAttribute.Json)] string messagesJson, ChatTemplateOptions? options = null) =>
        Render(JinjaJson.Parse(messagesJson, "the messages") as JinjaList ?? throw new UsageException("the messages are no JSON array; an array of objects was needed."), options ?? new ChatTemplateOptions());

    private string Render(JinjaList messages, ChatTemplateOptions options)
    {
        var variables = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["messages"] = messages,
            ["add_generation_prompt"] = options.AddGenerationPrompt,
            ["tools"] = options.ToolsJson is null ? null : JinjaJson.Parse(options.ToolsJson, "ToolsJson"),
            ["documents"] = options.DocumentsJson is null ? null : JinjaJson.Parse(options.DocumentsJson, "DocumentsJson"),
        };
        foreach (var (token, text) in options.SpecialTokens)
            variables[token] = text;
        if (options.VariablesJson is not null)
        {
            var given = JinjaJson.Parse(options.VariablesJson, "VariablesJson") as JinjaMap ?? throw new UsageException("VariablesJson is no JSON object.");
            foreach (var (variable, value) in given.Items)
                variables[(string)variable!] = value;
        }

        var evaluator = new JinjaEvaluator(new JinjaBudget(options.MaxOutput, options.MaxSteps), options.Time.GetUtcNow());
        try
        {
            return evaluator.Render(_statements, variables);
        }
        catch (JinjaError error)
        {
            throw Public(Name, error, error.Line > 0 ? error.Line : evaluator.Line);
        }
    }

    // The keys in the order Hugging Face's own examples have them.
    private static JinjaMap Message(ChatMessage message, bool argumentsAsText)
    {
        var map = new JinjaMap { ["role"] = message.Role, ["content"] = message.Content };
        if (message.Reasoning is not null)
            map["reasoning_content"] = message.Reasoning;
        if (message.Name is not null)
            map["name"] = message.Name;
        if (message.ToolCallId is not null)
            map["tool_call_id"] = message.ToolCallId;
        if (message.ToolCalls.Count > 0)
            map["tool_calls"] = new JinjaList([.. message.ToolCalls.Select(call => Call(call, argumentsAsText))]);
        return map;
    }

    private static JinjaMap Call(ChatToolCall call, bool argumentsAsText)
    {
        var map = new JinjaMap { ["type"] = "function" };
        if (call.Id is not null)
            map["id"] = call.Id;
        map["function"] = new JinjaMap { ["name"] = call.Name, ["arguments"] = argumentsAsText ? call.ArgumentsJson : JinjaJson.Parse(call.ArgumentsJson, $"ArgumentsJson of the call of '{call.Name}'") };
        return map;
    }

    private static CandelaException Public(string name, JinjaError error, int line) => error.Fault switch
    {
        JinjaFault.Use => new UsageException($"{name}, line {line}: {error.Message}.", error),
        JinjaFault.Syntax => new FileFormatException(name, Fault.Corrupt, $"line {line}: {error.Message}. The template is not valid Jinja.", error),
        _ => new FileFormatException(name, Fault.Unsupported, $"line {line}: {error.Message}.", error),
    };
}
