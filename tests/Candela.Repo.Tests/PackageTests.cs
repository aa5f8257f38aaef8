using System.Text.RegularExpressions;

namespace Candela.Repo.Tests;

/// <summary>Packs every room and the tool, installs them from a local folder as a user would, and runs README's C# example.</summary>
[Collection("builds")]
public class PackageTests
{
    [Fact]
    public void Packages_InstalledFromAFolder_RunReadmesExampleAndTheTool()
    {
        string folder = Directory.CreateTempSubdirectory("candela-packages-").FullName;
        try
        {
            string feed = Path.Combine(folder, "feed");
            Run("dotnet", ["pack", "Candela.slnx", "-c", "Release", "-o", feed, "--nologo"], Repository.Root);
            foreach (string room in (string[])["Core", "Training", "Classic", "Reports", "Cli"])
                Assert.Single(Directory.GetFiles(feed, $"Candela.{room}.*.nupkg"));

            string app = Path.Combine(folder, "app");
            Directory.CreateDirectory(app);
            File.WriteAllText(Path.Combine(app, "nuget.config"), NugetConfig(feed, Path.Combine(folder, "packages")));
            File.WriteAllText(Path.Combine(app, "app.csproj"), AppProject(feed));
            File.WriteAllText(Path.Combine(app, "Program.cs"), ReadmeExample());
            File.Copy(Path.Combine(Repository.Root, "samples", "data", "penguins.csv"), Path.Combine(app, "penguins.csv"));
            CommandResult example = Run("dotnet", ["run", "-c", "Release"], app);
            Assert.Matches(@"accuracy (0\.9\d*|1) \[0\.", example.Output);
            Assert.Matches(@"First row: Adelie (9\d|100)", example.Output);

            string tool = Path.Combine(folder, "tool");
            Run("dotnet", ["tool", "install", "Candela.Cli", "--tool-path", tool, "--configfile", Path.Combine(app, "nuget.config")], app);
            CommandResult trained = Run(Path.Combine(tool, "candela"), ["train", "penguins.csv", "--target", "species", "--model", "linear", "--json", "--out", "run"], app);
            Assert.Contains("\"stopReason\"", trained.Output);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static CommandResult Run(string program, string[] arguments, string folder)
    {
        CommandResult result = CommandResult.Of(program, arguments, folder, new Dictionary<string, string> { ["MSBUILDDISABLENODEREUSE"] = "1", ["NO_COLOR"] = "1" });
        Assert.True(result.ExitCode == 0, $"{program} {string.Join(' ', arguments)}\nexit {result.ExitCode}\n{result.Output}\n{result.Error}");
        return result;
    }

    private static string ReadmeExample()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        return Regex.Match(readme, "```csharp\n(.*?)```", RegexOptions.Singleline).Groups[1].Value;
    }

    /// <summary>Fresh packages land in the test's own folder; what the machine already has is used from where it is.</summary>
    private static string NugetConfig(string feed, string packages) => $"""
        <configuration>
          <config><add key="globalPackagesFolder" value="{packages}" /></config>
          <fallbackPackageFolders><add key="machine" value="{GlobalPackages()}" /></fallbackPackageFolders>
          <packageSources><add key="local" value="{feed}" /></packageSources>
        </configuration>
        """;

    private static string AppProject(string feed)
    {
        string version = Regex.Match(Path.GetFileName(Directory.GetFiles(feed, "Candela.Core.*.nupkg")[0]), @"Candela\.Core\.(.+)\.nupkg").Groups[1].Value;
        string libtorch = OperatingSystem.IsLinux() ? "libtorch-cpu-linux-x64" : OperatingSystem.IsWindows() ? "libtorch-cpu-win-x64" : "libtorch-cpu-osx-arm64";
        string torchVersion = Regex.Match(File.ReadAllText(Path.Combine(Repository.Root, "Directory.Packages.props")), $"{libtorch}\" Version=\"([^\"]+)").Groups[1].Value;
        return $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <CreateHardLinksForCopyFilesToOutputDirectoryIfPossible>true</CreateHardLinksForCopyFilesToOutputDirectoryIfPossible>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Candela.Training" Version="{version}" />
                <PackageReference Include="Candela.Classic" Version="{version}" />
                <PackageReference Include="{libtorch}" Version="{torchVersion}" />
              </ItemGroup>
            </Project>
            """;
    }

    private static string GlobalPackages() => Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
}
