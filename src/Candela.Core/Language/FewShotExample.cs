using System.Text;

namespace Candela.Language;

/// <summary>One example: a question with its right answers.</summary>
/// <param name="Question">The question, or under <see cref="FewShotTask.Generation"/> the prompt.</param>
/// <param name="Answers">Accepted answers, at least one; under multiple choice the right choice.</param>
public sealed record FewShotExample(string Question, IReadOnlyList<string> Answers)
{
    /// <summary>Text that the question is about; null for none.</summary>
    public string? Context { get; init; }

    /// <summary>Under multiple choice the choices, at least two.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>Under multiple choice the place of the right one, from 0.</summary>
    public int Answer { get; init; }

    /// <summary>The text before the answer: context, blank line, "Question: ...", "Answer:"; under <see cref="FewShotTask.Generation"/> the context and question as they stand.</summary>
    public string Prompt(FewShotTask task) => task == FewShotTask.Generation
        ? Context + Question
        : $"{(string.IsNullOrEmpty(Context) ? "" : Context + "\n\n")}Question: {Question}\nAnswer:";

    /// <summary>The prompt of this example after solved ones, a blank line between them.</summary>
    public string Prompt(FewShotTask task, IReadOnlyList<FewShotExample> shots)
    {
        var text = new StringBuilder();
        foreach (FewShotExample shot in shots)
            text.Append(shot.Prompt(task)).Append(task == FewShotTask.Generation ? "" : " ").Append(shot.Answers[0]).Append("\n\n");
        return text.Append(Prompt(task)).ToString();
    }
}
