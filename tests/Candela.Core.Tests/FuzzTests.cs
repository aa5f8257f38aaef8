using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using Candela.Formats;
using Candela.Templates;
using Candela.Tests.Formats;
using Candela.Tokenization;

namespace Candela.Tests;

/// <summary>Valid files, changed at random: each reader takes them or refuses them with an error of Candela's own, in bounded time and memory. The default tier makes some thousand changes;
/// with CANDELA_SLOW=1 it goes on for CANDELA_FUZZ_SECONDS (600 unless set) for each reader.</summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    private const string Template = "{%- set ns = namespace(n=0, l=[]) -%}{# c #}{% macro m(a, b='x') %}{{ a|tojson(indent=2) ~ b[1:-1] }}{{ caller() if caller is defined }}{% endmacro %}{% for x in messages if x.role == 'user' %}{{ m(x, b='%s' % 'q') }}{% if loop.last and not y is defined %}{{ {'a': [1, 2.5, none]}['a'][0] }}{% elif ns.n > 3 %}{% break %}{% else %}-{% endif %}{% set ns.n = ns.n + 1 %}{% set ns.l = ns.l + [x] %}{% endfor %}{% raw %}{{{% endraw %}{% call m(1) %}z{% endcall %}{% set t %}a{% endset %}{{ t|replace('a', 'bb')|upper|trim }}{{ range(9)|map('string')|join(',') }}{{ 'a b'.split(' ')|sort|reverse|list|length }}{{ messages|selectattr('role', 'equalto', 'user')|map(attribute='content')|first|default('d', true)|indent(2) }}";

    [Fact]
    [Trait("Kind", "fault")]
    public void GgufFile_ChangedAtRandom_OpensOrIsRefused() => Run("GGUF", Gguf(), (path, bytes) =>
    {
        File.WriteAllBytes(path, bytes);
        using var file = GgufFile.Open(path);
        foreach (var tensor in file.Tensors)
            _ = file.ReadBytes(tensor.Name);
    });

    [Fact]
    [Trait("Kind", "fault")]
    public void GgufVocabulary_ChangedAtRandom_LoadsOrIsRefused() => Run("GGUF vocabulary", Gguf(), (path, bytes) =>
    {
        path += ".gguf";
        File.WriteAllBytes(path, bytes);
        Use(Tokenizer.Load(path));
    });

    [Fact]
    [Trait("Kind", "fault")]
    public void SentencePiece_ChangedAtRandom_LoadsOrIsRefused() => Run("SentencePiece", SentencePiece(), (path, bytes) =>
    {
        path += ".model";
        File.WriteAllBytes(path, bytes);
        Use(Tokenizer.Load(path));
    });

    [Fact]
    [Trait("Kind", "fault")]
    public void Llama2C_ChangedAtRandom_LoadsOrIsRefused() => Run("llama2.c", Llama2C(), (path, bytes) =>
    {
        path += ".bin";
        File.WriteAllBytes(path, bytes);
        Use(Tokenizer.Load(path));
    });

    [Fact]
    [Trait("Kind", "fault")]
    public void ChatTemplate_ChangedAtRandom_RendersOrIsRefused()
    {
        ChatMessage[] messages = [new("user", "hi {{ x }}"), new("assistant", "yes"), new("user", "ok")];
        Run("template", Encoding.UTF8.GetBytes(Template), (_, bytes) => ChatTemplate.Parse(Encoding.UTF8.GetString(bytes)).Render(messages, new ChatTemplateOptions { MaxOutput = 1 << 20, MaxSteps = 200_000 }));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Safetensors_ChangedAtRandom_OpensOrIsRefused() => Run("safetensors", SafetensorsBytes(), (path, bytes) =>
    {
        File.WriteAllBytes(path, bytes);
        using SafetensorsFile file = Safetensors.Open(path);
        foreach (TensorInfo tensor in file.Tensors)
            _ = file.ReadBytes(tensor.Name);
        if (file.Contains("b"))
            _ = file.ReadSingles("b");
    });

    [Fact]
    [Trait("Kind", "fault")]
    public void PyTorchPickle_ChangedAtRandom_OpensOrIsRefused() => Run("PyTorch pickle", Pickle(), (path, bytes) =>
    {
        File.Delete(path);
        using (ZipArchive zip = ZipFile.Open(path, ZipArchiveMode.Create))
        {
            foreach ((string name, byte[] content) in new[] { ("data.pkl", bytes), ("byteorder", "little"u8.ToArray()), ("data/0", new byte[24]), ("data/1", new byte[4]) })
            {
                using Stream stream = zip.CreateEntry("archive/" + name, CompressionLevel.NoCompression).Open();
                stream.Write(content);
            }
        }

        ReadAll(path);
    });

    [Fact]
    [Trait("Kind", "fault")]
    public void PyTorchFile_ChangedAtRandom_OpensOrIsRefused() => Run("PyTorch file before zip", OldPyTorch(), (path, bytes) =>
    {
        File.WriteAllBytes(path, bytes);
        ReadAll(path);
    });

    private static void ReadAll(string path)
    {
        using PyTorchFile file = PyTorchFile.Open(path);
        foreach (PyTorchTensor tensor in file.Tensors)
            if (tensor.Shape.Aggregate(1L, (a, b) => a * b) is < 100_000 and var count)
                file.ReadSingles(tensor.Name, new float[count]);
    }

    private static void Use(Tokenizer tokenizer)
    {
        int[] ids = tokenizer.Encode("ab  a é中 <s> x");
        _ = tokenizer.Decode(ids);
        _ = tokenizer.BytesOf(0);
    }

    private void Run(string what, byte[] seed, Action<string, byte[]> read)
    {
        bool slow = Environment.GetEnvironmentVariable("CANDELA_SLOW") == "1";
        var budget = slow ? TimeSpan.FromSeconds(int.TryParse(Environment.GetEnvironmentVariable("CANDELA_FUZZ_SECONDS"), out int seconds) ? seconds : 600) : TimeSpan.MaxValue;
        int most = slow ? int.MaxValue : 1500;
        using var folder = new TemporaryFolder();
        read(folder.File("seed"), seed); // the seed itself is taken
        var random = new Rng(slow ? Environment.ProcessId : 1);
        var started = Stopwatch.StartNew();
        var pool = new List<byte[]> { seed };
        int runs = 0, taken = 0;
        long largest = 0;
        double slowest = 0;
        for (; runs < most && started.Elapsed < budget; runs++)
        {
            byte[] changed = Change(pool[random.Next(4) == 0 ? 0 : random.Next(pool.Count)], random);
            long before = GC.GetAllocatedBytesForCurrentThread(), at = Stopwatch.GetTimestamp();
            try
            {
                read(folder.File("file"), changed);
                taken++;
                // what is still taken is changed further, unless little is left of it
                if (changed.Length > seed.Length * 2 / 3 && changed.Length < 4 * seed.Length)
                {
                    if (pool.Count < 200)
                        pool.Add(changed);
                    else
                        pool[1 + random.Next(pool.Count - 1)] = changed;
                }
            }
            catch (CandelaException)
            {
            }
            catch (Exception error)
            {
                Assert.Fail($"{what}, change {runs}: {error}\n{Convert.ToBase64String(changed)}");
            }

            largest = Math.Max(largest, GC.GetAllocatedBytesForCurrentThread() - before);
            slowest = Math.Max(slowest, Stopwatch.GetElapsedTime(at).TotalSeconds);
        }

        output.WriteLine($"{what}: {runs} changes in {started.Elapsed.TotalSeconds:F0} s, {taken} taken, {runs - taken} refused; at most {largest / 1e6:F1} MB allocated and {slowest:F2} s for one.");
        Assert.InRange(taken, 1, runs - 1);
        Assert.InRange(largest, 0, 256_000_000);
    }

    private static byte[] Change(byte[] from, Rng random)
    {
        var bytes = new List<byte>(from);
        for (int changes = 1 + random.Next(3); changes > 0 && bytes.Count > 0; changes--)
        {
            int at = random.Next(bytes.Count), length = 1 + random.Next(Math.Min(16, bytes.Count - at));
            switch (random.Next(7))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, length);
                    break;
                case 3:
                    bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length));
                    break;
                case 4:
                    // a number that is too large, in 4 or 8 bytes
                    byte[] word = random.Next(3) switch { 0 => BitConverter.GetBytes(-1), 1 => BitConverter.GetBytes(long.MaxValue), _ => BitConverter.GetBytes(1 << random.Next(31)) };
                    for (int i = 0; i < word.Length && at + i < bytes.Count; i++)
                        bytes[at + i] = word[i];
                    break;
                case 5:
                    bytes.RemoveRange(at, random.Next(8) == 0 ? bytes.Count - at : 0);
                    break;
                default:
                    int other = random.Next(bytes.Count);
                    (bytes[at], bytes[other]) = (bytes[other], bytes[at]);
                    break;
            }
        }

        return [.. bytes];
    }

    private static byte[] Gguf()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("seed.gguf");
        new GgufWriter()
            .Set("tokenizer.ggml.model", GgufValue.Of("gpt2")).Set("tokenizer.ggml.pre", GgufValue.Of("llama-bpe"))
            .Set("tokenizer.ggml.tokens", GgufValue.Of(new[] { "a", "b", "ab", "\u0120", "\u0120a", "<s>" })).Set("tokenizer.ggml.token_type", GgufValue.Of(new[] { 1, 1, 1, 1, 1, 3 }))
            .Set("tokenizer.ggml.scores", GgufValue.Of(new[] { 0f, -1, -2, -3, -4, 0 })).Set("tokenizer.ggml.merges", GgufValue.Of(new[] { "a b", "\u0120 a" }))
            .Set("tokenizer.ggml.bos_token_id", GgufValue.Of(5u)).Set("tokenizer.ggml.unknown_token_id", GgufValue.Of(5u))
            .Set("nested", GgufValue.Of(new[] { GgufValue.Of(new[] { 1.5, 2 }), GgufValue.Of(new[] { true }) }))
            .Add("t", GgmlType.F32, [2, 3], new byte[24]).Add("q", GgmlType.Q4_K, [256], new byte[144]).Save(path);
        return File.ReadAllBytes(path);
    }

    private static byte[] Llama2C()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(7);
        foreach (string text in (string[])["<unk>", "\n<s>\n", "\n</s>\n", .. Enumerable.Range(0, 256).Select(b => $"<0x{b:X2}>"), " ", "a", "b", " a", "ab", " ab"])
        {
            writer.Write((float)-(stream.Length % 100));
            writer.Write(Encoding.UTF8.GetByteCount(text));
            writer.Write(Encoding.UTF8.GetBytes(text));
        }

        return stream.ToArray();
    }

    private static byte[] SentencePiece()
    {
        var all = new List<byte>();
        foreach (var (text, kind) in new[] { ("<unk>", 2), ("<s>", 3), ("</s>", 3), ("▁", 1), ("a", 1), ("▁a", 1), ("ab", 1), ("中", 1), ("<t>", 4) })
        {
            byte[] utf8 = Encoding.UTF8.GetBytes(text);
            all.AddRange([0x0A, (byte)(utf8.Length + 9), 0x0A, (byte)utf8.Length, .. utf8, 0x15, .. BitConverter.GetBytes(-(float)all.Count), 0x18, (byte)kind]);
        }

        // trainer: unigram, byte fallback off; normalizer: a character map of two words, and the three switches
        all.AddRange([0x12, 5, 0x18, 1, 0x98, 0x02, 0, 0x1A, 20, 0x12, 12, 4, 0, 0, 0, 0, 0, 0, 0, (byte)'x', 0, 0, 0, 0x18, 1, 0x20, 1, 0x28, 1]);
        return [.. all];
    }

    // No checksum among the metadata, which would refuse nearly every change.
    private static byte[] SafetensorsBytes()
    {
        byte[] header = Encoding.UTF8.GetBytes("""{"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[2],"data_offsets":[8,12]},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"s":{"dtype":"I64","shape":[],"data_offsets":[12,20]},"e":{"dtype":"U8","shape":[0,3],"data_offsets":[20,20]}} """);
        return [.. BitConverter.GetBytes((long)header.Length), .. header, .. new byte[20]];
    }

    private static byte[] Pickle()
    {
        using var pickle = new PickleBytes();
        pickle.Global("collections", "OrderedDict").Op(")R").Raw((byte)'q', 0).Op("(").Text("a.weight").Tensor("FloatStorage", "0", 6, 0, [2, 3], [3, 1]);
        pickle.Text("half").Global("torch._utils", "_rebuild_parameter").Op("(").Tensor("BFloat16Storage", "1", 2, 0, [2], [1]).Raw(0x88).Global("collections", "OrderedDict").Op(")RtR");
        return pickle.Op("u}").Text("_metadata").Op("}sb").Stop();
    }

    private static byte[] OldPyTorch()
    {
        byte[] Part(Action<PickleBytes> write)
        {
            using var pickle = new PickleBytes();
            write(pickle);
            return pickle.Stop();
        }

        return
        [
            .. PickleBytes.OldMagic, .. Part(p => p.Int(1001)), .. Part(p => p.Op("}").Text("little_endian").Raw(0x88).Op("s")),
            .. Part(p => p.Op("}(").Text("w").Tensor("FloatStorage", "0", 2, 0, [2], [1], old: true).Text("v").Tensor("DoubleStorage", "1", 1, 0, [1], [1], old: true).Op("u")),
            .. Part(p => p.Op("](").Text("0").Text("1").Op("e")), .. PickleBytes.Count(2), .. new byte[8], .. PickleBytes.Count(1), .. new byte[8],
        ];
    }
}
