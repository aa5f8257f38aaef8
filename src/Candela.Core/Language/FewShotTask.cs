namespace Candela.Language;

/// <summary>What a language model is asked in a few-shot evaluation.</summary>
public enum FewShotTask
{
    /// <summary>Which of the choices is the likeliest continuation.</summary>
    MultipleChoice,

    /// <summary>A short answer to a question, generated greedily to the end of the line.</summary>
    QuestionAnswering,

    /// <summary>A continuation of a prompt as it stands, generated greedily.</summary>
    Generation,
}
