using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Candela.Cli.Tests;

/// <summary>A temporary folder with generated data, and the command run on it in process.</summary>
internal sealed class Folder : IDisposable
{
    public Folder() => Path = Directory.CreateTempSubdirectory("candela-cli-").FullName;

    public string Path { get; }

    public string At(string name) => System.IO.Path.Combine(Path, name);

    public string Write(string name, string text)
    {
        File.WriteAllText(At(name), text);
        return At(name);
    }

    /// <summary>Two numbers and a colour decide a class: x + y above 0, flipped for one row in twenty; <c>red</c> rows are always 'yes'.</summary>
    public string Classes(string name = "classes.csv", int rows = 400, long seed = 3, bool withTarget = true)
    {
        var rng = new Rng(seed);
        var text = new StringBuilder(withTarget ? "x,y,colour,label\n" : "x,y,colour\n");
        for (int i = 0; i < rows; i++)
        {
            double x = rng.NextGaussian(), y = rng.NextGaussian();
            string colour = rng.Next(5) == 0 ? "red" : rng.Next(2) == 0 ? "green" : "blue";
            bool yes = colour == "red" || (x + y > 0) != (rng.Next(20) == 0);
            text.Append(CultureInfo.InvariantCulture, $"{x:F4},{y:F4},{colour}{(withTarget ? yes ? ",yes" : ",no" : "")}\n");
        }

        return Write(name, text.ToString());
    }

#pragma warning disable CA1822 // reads as "in this folder, run"
    public CommandOutcome Run(params string[] arguments)
#pragma warning restore CA1822
    {
        using StringWriter output = new(), error = new();
        int code = CandelaCommand.Run(arguments, output, error);
        return new CommandOutcome(code, output.ToString(), error.ToString());
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

/// <summary>What the command printed and its exit code.</summary>
internal sealed record CommandOutcome(int Code, string Output, string Error)
{
    /// <summary>Standard output as the one JSON document it must be.</summary>
    public JsonNode Json => JsonNode.Parse(Output) ?? throw new InvalidOperationException("null");

    public CommandOutcome Ok()
    {
        Assert.True(Code == 0, $"exit {Code}\n{Output}\n{Error}");
        return this;
    }
}
