using Candela.Training.Engine;

namespace Candela.Training.Tests;

public sealed class ElfFileTests
{
    [Fact]
    [Trait("Kind", "analytic")]
    public void Parse_SyntheticObject_FindsEveryTable()
    {
        var elf = ElfFile.Parse(SyntheticElf.Build(), "libsample.so");

        Assert.Equal("libsample.so", elf.Soname);
        Assert.Equal([SyntheticElf.Library], elf.Needed);
        Assert.Equal(["libsample.so", "SAMPLE_1"], elf.VersionDefinitions);
        Assert.Equal(["GLIBCXX_3.4", "GLIBCXX_3.4.32"], elf.VersionNeeds.Select(n => n.Version));
        Assert.All(elf.VersionNeeds, n => Assert.False(n.Weak));
        Assert.Equal(0x200 + 16 + 4, elf.VersionNeeds[0].FlagsOffset);
    }

    [Fact]
    [Trait("Kind", "analytic")]
    public void Patch_OneMissingVersion_ChangesOneBitAndIsReadBackAsWeak()
    {
        byte[] original = SyntheticElf.Build();
        var missing = VersionPatch.Missing(ElfFile.Parse(original, "a"), ["GLIBCXX_3.4"]);
        byte[] patched = VersionPatch.Apply(original, missing);

        Assert.Equal("GLIBCXX_3.4.32", Assert.Single(missing).Version);
        Assert.Equal(1, original.Zip(patched).Count(p => p.First != p.Second));
        Assert.Equal([false, true], ElfFile.Parse(patched, "b").VersionNeeds.Select(n => n.Weak));
        Assert.Empty(VersionPatch.Missing(ElfFile.Parse(patched, "b"), ["GLIBCXX_3.4"]));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Parse_TruncatedAnywhere_NamesTheFile()
    {
        byte[] whole = SyntheticElf.Build();
        for (int length = 0; length < 0x44e; length += 3)
        {
            byte[] part = whole[..length];
            var error = Assert.Throws<FileFormatException>(() => ElfFile.Parse(part, "cut.so"));
            Assert.StartsWith("cut.so: ", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Parse_FlippedBytes_NeverThrowsAnythingElse()
    {
        var rng = new Rng(7);
        byte[] whole = SyntheticElf.Build();
        for (int trial = 0; trial < 5000; trial++)
        {
            byte[] hostile = (byte[])whole.Clone();
            for (int flips = 1 + rng.Next(6); flips > 0; flips--)
                hostile[rng.Next(0x480)] = (byte)rng.Next(256);
            try
            {
                ElfFile.Parse(hostile, "hostile.so");
            }
            catch (FileFormatException)
            {
            }
        }
    }

    [Theory]
    [InlineData("MZ\0\0")]
    [InlineData("")]
    [Trait("Kind", "fault")]
    public void Parse_AnotherFormat_SaysSo(string start)
    {
        byte[] bytes = new byte[128];
        System.Text.Encoding.ASCII.GetBytes(start).CopyTo(bytes, 0);
        Assert.Equal(Fault.WrongFormat, Assert.Throws<FileFormatException>(() => ElfFile.Parse(bytes, "x")).Fault);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Store_CopyThatWasTamperedWith_IsReplaced()
    {
        string root = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            byte[] original = SyntheticElf.Build();
            byte[] patched = VersionPatch.Apply(original, ElfFile.Parse(original, "a").VersionNeeds);
            string path = VersionPatch.Store(original, patched, "lib.so", [root]);
            File.WriteAllBytes(path, [1, 2, 3]);
            Assert.Equal(path, VersionPatch.Store(original, patched, "lib.so", [root]));
            Assert.Equal(patched, File.ReadAllBytes(path));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Store_FirstFolderUnusable_TakesTheNext()
    {
        string root = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        Directory.CreateDirectory(root);
        try
        {
            string blocked = Path.Combine(root, "file");
            File.WriteAllText(blocked, "in the way");
            string path = VersionPatch.Store([1], [2], "lib.so", [blocked, Path.Combine(root, "free")]);
            Assert.StartsWith(Path.Combine(root, "free"), path, StringComparison.Ordinal);
            Assert.Throws<EngineException>(() => VersionPatch.Store([1], [2], "lib.so", [blocked]));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
