using System.Text.RegularExpressions;

namespace Candela.Repo.Tests;

/// <summary>Runs every command of README in order, in a folder that has the shipped sample data, with the built command.</summary>
[Collection("builds")]
public class ReadmeTests
{
    private const string RunFromSource = "dotnet run -c Release --project src/Candela.Cli -- ";

    /// <summary>Commands that a test inside `dotnet test` cannot run again; what covers them instead.</summary>
    private static readonly Dictionary<string, string> CoveredElsewhere = new()
    {
        ["dotnet test"] = "the run this test is part of",
        ["dotnet publish src/Candela.Cli -c Release -o artifacts/candela"] = "PackageTests packs the same published output",
        ["dotnet run -c Release --project benchmarks/Candela.Benchmarks -- train"] = "a benchmark, not a check",
        ["dotnet run -c Release --project benchmarks/Candela.Benchmarks -- quality --data DIR"] = "a quality run on data that is not shipped",
    };

    [Fact]
    public void Commands_InOrder_AllSucceed()
    {
        string folder = Directory.CreateTempSubdirectory("candela-readme-").FullName;
        try
        {
            string samples = Path.Combine(folder, "samples", "data");
            Directory.CreateDirectory(samples);
            foreach (string file in Directory.GetFiles(Path.Combine(Repository.Root, "samples", "data")))
                File.Copy(file, Path.Combine(samples, Path.GetFileName(file)));

            string[] commands = [.. Commands()];
            Assert.Contains(commands, c => c.StartsWith(RunFromSource + "train ", StringComparison.Ordinal));
            foreach (string command in commands)
            {
                string? arguments = command.StartsWith(RunFromSource, StringComparison.Ordinal) ? command[RunFromSource.Length..]
                    : command.StartsWith("candela ", StringComparison.Ordinal) ? command["candela ".Length..] : null;
                if (arguments is null)
                {
                    Assert.Contains(command, CoveredElsewhere.Keys);
                    continue;
                }

                CommandResult result = CommandResult.Of(Path.Combine(AppContext.BaseDirectory, "candela"), arguments.Split(' '), folder);
                Assert.True(result.ExitCode == 0, $"{command}\nexit {result.ExitCode}\n{result.Output}\n{result.Error}");
            }

            Assert.True(File.Exists(Path.Combine(folder, "runs", "penguins", "report.html")));
            Assert.True(File.Exists(Path.Combine(folder, "runs", "birds", "run.json")));
            Assert.Equal(File.ReadLines(Path.Combine(samples, "penguins.csv")).Count(), File.ReadLines(Path.Combine(folder, "predictions.csv")).Count());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Links_ToFiles_Exist()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        string[] missing = [.. Regex.Matches(readme, @"\]\((?!https?:)([^)#]+)").Select(m => m.Groups[1].Value)
            .Where(link => !Path.Exists(Path.Combine(Repository.Root, link)))];
        Assert.Empty(missing);
    }

    [Fact]
    public void Text_HasNoPlaceholder() => Assert.DoesNotMatch("[A-Z]{4,}_[A-Z]+", File.ReadAllText(Path.Combine(Repository.Root, "README.md")));

    private static IEnumerable<string> Commands()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        return Regex.Matches(readme, "```sh\n(.*?)```", RegexOptions.Singleline)
            .SelectMany(block => block.Groups[1].Value.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            .Where(line => !line.StartsWith('#'));
    }
}
