namespace Candela.Tests.Formats;

public class AtomicFileTests
{
    [Fact]
    public void Write_ThroughALink_ChangesItsTarget()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("target"), "old");
        File.CreateSymbolicLink(folder.File("middle"), folder.File("target"));
        File.CreateSymbolicLink(folder.File("link"), folder.File("middle"));
        AtomicFile.WriteText(folder.File("link"), "new");
        Assert.Equal(folder.File("middle"), new FileInfo(folder.File("link")).LinkTarget);
        Assert.Equal("new", File.ReadAllText(folder.File("target")));
        Assert.Equal(3, Directory.GetFiles(folder.Path).Length);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Write_ToADevice_WritesIntoIt()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "devices are POSIX");
        using var folder = new TemporaryFolder();
        File.CreateSymbolicLink(folder.File("null"), "/dev/null");
        AtomicFile.WriteText(folder.File("null"), "gone");
        Assert.Equal("/dev/null", new FileInfo(folder.File("null")).LinkTarget);
        Assert.Equal(0, new FileInfo("/dev/null").Length);
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task Write_ToAPipe_WritesIntoIt()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "named pipes are files only on POSIX");
        using var folder = new TemporaryFolder();
        using (var make = System.Diagnostics.Process.Start("mkfifo", [folder.File("pipe")]))
            await make.WaitForExitAsync(TestContext.Current.CancellationToken);
        Task<string> read = Task.Run(() => File.ReadAllText(folder.File("pipe")), TestContext.Current.CancellationToken); // opening waits for the writer
        AtomicFile.WriteText(folder.File("pipe"), "through");
        Assert.Equal("through", await read);
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Write_MissingFolder_NamesThePathGiven()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("none/file.csv");
        var error = Assert.Throws<DirectoryNotFoundException>(() => AtomicFile.WriteText(path, "x"));
        Assert.StartsWith(path + " cannot be written", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Write_WriterFails_LeavesTheOldFileAndNothingElse()
    {
        using var folder = new TemporaryFolder();
        foreach (string old in new[] { "", "old" })
        {
            File.WriteAllText(folder.File("file"), old);
            Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(folder.File("file"), stream =>
            {
                stream.WriteByte(1);
                throw new InvalidOperationException();
            }));
            Assert.Equal(old, File.ReadAllText(folder.File("file")));
            Assert.Single(Directory.GetFiles(folder.Path));
        }
    }
}
