using System.Text.RegularExpressions;

namespace Candela.Repo.Tests;

/// <summary>House rules that a look at the tree can check.</summary>
public class TreeTests
{
    [Fact]
    public void SourceFile_Length_IsAtMost500LinesOr800InKernels()
    {
        string[] tooLong = [.. Repository.Files()
            .Where(f => f.StartsWith("src/", StringComparison.Ordinal) && f.EndsWith(".cs", StringComparison.Ordinal))
            .Where(f => File.ReadLines(Path.Combine(Repository.Root, f)).Count() > (f.Contains("/Kernels/") ? 800 : 500))];
        Assert.Empty(tooLong);
    }

    [Fact]
    public void TrackedText_NamesNoMachinePathOrRegistryHost()
    {
        // Spelled in parts, so that this file does not match itself.
        var forbidden = new Regex(string.Join('|', "/wo" + "rk/", "/ro" + "ot/", "/fa" + "rm/", @"nuget\.or" + "g/", @"npmjs\.or" + "g"), RegexOptions.CultureInvariant);
        string[] extensions = [".cs", ".md", ".csproj", ".props", ".targets", ".slnx", ".json", ".yaml", ".yml", ".sh", ".txt", ""];
        string[] hits = [.. Repository.Files()
            .Where(f => extensions.Contains(Path.GetExtension(f)) && !f.EndsWith("packages.lock.json", StringComparison.Ordinal) && !f.StartsWith("samples/data/", StringComparison.Ordinal))
            .Where(f => forbidden.IsMatch(File.ReadAllText(Path.Combine(Repository.Root, f))))];
        Assert.Empty(hits);
    }

    [Fact]
    public void Tests_AreNeverSkipped()
    {
        var skip = new Regex(@"\bSki" + @"p\s*=\s*""", RegexOptions.CultureInvariant);
        string[] hits = [.. Repository.Files()
            .Where(f => f.StartsWith("tests/", StringComparison.Ordinal) && f.EndsWith(".cs", StringComparison.Ordinal))
            .Where(f => skip.IsMatch(File.ReadAllText(Path.Combine(Repository.Root, f))))];
        Assert.Empty(hits);
    }
}
