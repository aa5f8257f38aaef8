using System.IO.Compression;
using System.Text;
using Candela.Data;
using Candela.Models;

namespace Candela.Tests.Data;

/// <summary>A directory for one test's files, deleted afterwards.</summary>
internal sealed class DataFiles : IProgress<TrainEvent>, IDisposable
{
    private readonly string _folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "candela-test-" + Guid.NewGuid().ToString("n"))).FullName;

    /// <summary>Events reported while reading.</summary>
    public List<TrainEvent> Events { get; } = [];

    public string Folder => _folder;

    public string PathOf(string name) => Path.Combine(_folder, name);

    public string Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    public string Write(string name, byte[] bytes)
    {
        string path = PathOf(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    public static byte[] Gzip(byte[] bytes)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.Fastest))
            gzip.Write(bytes);
        return memory.ToArray();
    }

    public Table Load(string name, string text, TableOptions? options = null) => Table.Load(Write(name, text), options, this);

    public void Report(TrainEvent value) => Events.Add(value);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
