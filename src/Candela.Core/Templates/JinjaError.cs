namespace Candela.Templates;

/// <summary>A fault met while a template is parsed or evaluated; the template turns it into a public error with its name and line.</summary>
internal sealed class JinjaError(string message, JinjaFault fault = JinjaFault.Use, int line = 0) : Exception(message)
{
    public JinjaFault Fault { get; } = fault;

    /// <summary>Line of the template, from 1; 0 until it is known.</summary>
    public int Line { get; set; } = line;
}

internal enum JinjaFault
{
    /// <summary>What was passed in does not fit the template, or the template refuses it.</summary>
    Use,

    /// <summary>The template is not valid.</summary>
    Syntax,

    /// <summary>The template is valid but uses something that is not supported, or more time, memory or depth than it may.</summary>
    Unsupported,
}
