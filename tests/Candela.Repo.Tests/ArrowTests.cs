using System.Reflection;

namespace Candela.Repo.Tests;

/// <summary>ARCHITECTURE.md's arrows, read from the built assemblies' references.</summary>
public class ArrowTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Candela.Core"] = [],
        ["Candela.Training"] = ["Candela.Core"],
        ["Candela.Inference"] = ["Candela.Core"],
        ["Candela.Classic"] = ["Candela.Core"],
        ["Candela.Reports"] = ["Candela.Core"],
        ["candela"] = ["Candela.Core", "Candela.Training", "Candela.Inference", "Candela.Classic", "Candela.Reports"],
    };

    public static TheoryData<string> Rooms => [.. Allowed.Keys];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void Room_References_OnlyTheRoomsItMay(string room)
    {
        string[] references = [.. References(room).Where(n => n.StartsWith("Candela.", StringComparison.Ordinal))];
        Assert.Empty(references.Except(Allowed[room]));
    }

    [Theory]
    [InlineData("TorchSharp", "Candela.Training")]
    [InlineData("Sylvan.Data.Csv", "Candela.Core")]
    [InlineData("Spectre.Console", "candela")]
    public void Package_IsReferenced_ByOneRoomOnly(string package, string owner)
    {
        string[] users = [.. Allowed.Keys.Where(room => References(room).Any(n => n == package || n.StartsWith(package + ".", StringComparison.Ordinal)))];
        Assert.Equal([owner], users);
    }

    /// <summary>LightGBM is reached by P/Invoke, so no assembly reference shows it: its package and its imports are looked up instead.</summary>
    [Fact]
    public void LightGbm_IsUsed_ByClassicOnly()
    {
        string[] users = [.. Repository.Files().Where(f => f.StartsWith("src/", StringComparison.Ordinal) && (f.EndsWith(".csproj", StringComparison.Ordinal) || f.EndsWith(".cs", StringComparison.Ordinal)))
            .Where(f => File.ReadAllText(Path.Combine(Repository.Root, f)) is var text && (text.Contains("\"LightGBM\"", StringComparison.Ordinal) || text.Contains("lib_lightgbm", StringComparison.Ordinal)))];
        Assert.NotEmpty(users);
        Assert.All(users, file => Assert.StartsWith("src/Candela.Classic/", file, StringComparison.Ordinal));
    }

    private static IEnumerable<string> References(string room) =>
        Assembly.Load(room).GetReferencedAssemblies().Select(a => a.Name!);
}
