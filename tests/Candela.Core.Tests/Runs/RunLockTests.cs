using Candela.Runs;

namespace Candela.Tests.Runs;

public sealed class RunLockTests
{
    [Fact]
    [Trait("Kind", "fault")]
    public void TryTake_ManyAtOnce_NeverHasTwoHolders()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File(".lock");
        int holders = 0, most = 0, taken = 0;
        Thread[] threads = [.. Enumerable.Range(0, 6).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < 400; i++)
            {
                using RunLock? held = RunLock.TryTake(path);
                if (held is null)
                    continue;
                int now = Interlocked.Increment(ref holders);
                InterlockedMax(ref most, now);
                Interlocked.Increment(ref taken);
                Thread.SpinWait(200);
                Interlocked.Decrement(ref holders);
            }
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        Assert.Equal(1, most);
        Assert.True(taken > 6);
        Assert.False(RunLock.IsHeld(path));
        Assert.False(File.Exists(path));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void TryTake_FileOfAProcessThatDied_IsNoObstacleAndGoesAway()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File(".lock");
        File.WriteAllText(path, "");
        using (RunLock? taken = RunLock.TryTake(path))
        {
            Assert.NotNull(taken);
            Assert.True(RunLock.IsHeld(path));
            Assert.Null(RunLock.TryTake(path));
        }

        Assert.False(File.Exists(path));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Own_NameLeadsToAnotherFileByNow_IsRefusedAndLeavesThatFile()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "An open file keeps its name there.");
        using var folder = new TemporaryFolder();
        string path = folder.File(".lock");
        var gone = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
        File.Delete(path); // its holder let go
        Assert.Null(RunLock.Own(gone, path));
        var again = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
        File.Delete(path);
        using RunLock? other = RunLock.TryTake(path); // somebody made another
        Assert.NotNull(other);
        Assert.Null(RunLock.Own(again, path));
        Assert.True(File.Exists(path));
        Assert.Null(RunLock.TryTake(path));
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (int seen = most; value > seen; seen = most)
            Interlocked.CompareExchange(ref most, value, seen);
    }
}
