using Candela.Classic.Linear;
using Candela.Classic.Trees;
using Candela.Data;
using Candela.Models;

namespace Candela.Classic.Tests;

public sealed class ModelFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("candela-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory, Trait("Kind", "property")]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(3)]
    public void SaveAndOpen_EveryFamily_ScoresTheSameBits(int classes)
    {
        Problem problem = classes == 0 ? Examples.Regression : classes == 2 ? Examples.Binary : Examples.Classes(classes);
        foreach (IModelFamily family in ClassicFamilies.All)
        {
            Examples examples = family is LinearFamily ? Plain(classes) : BoostingTests.Mixed(600, classes, 4);
            using IFittedModel model = family.Fit(examples.Context(problem, new FitOptions { MaxSteps = 20, Threads = 1 })).Model;
            model.Save(_folder);
            using IFittedModel again = family.Open(_folder, problem, examples.Layout);
            Assert.Equal(family.Id, again.Family);
            Assert.Equal(model.ParameterCount, again.ParameterCount);
            Assert.Equal(model.Summary(), again.Summary());
            Assert.Equal(examples.Score(model, problem), examples.Score(again, problem));
            float[] scores = examples.Score(model, problem);
            Assert.All(scores, s => Assert.True(float.IsFinite(s)));
            if (classes > 0)
                for (int i = 0; i < examples.Count; i++)
                    Assert.Equal(1, scores.AsSpan(i * classes, classes).ToArray().Sum(), 1e-5f);
        }
    }

    [Fact, Trait("Kind", "fault")]
    public void Open_TruncatedFlippedOrMissingFile_NamesTheFile()
    {
        foreach (IModelFamily family in ClassicFamilies.All)
        {
            Examples examples = family is LinearFamily ? Plain(2) : BoostingTests.Mixed(300, 2, 4);
            family.Fit(examples.Context(Examples.Binary, new FitOptions { MaxSteps = 5, Threads = 1 })).Model.Save(_folder);
            foreach (string name in new[] { "config.json", "model.safetensors" })
            {
                string path = Path.Combine(_folder, name);
                byte[] whole = File.ReadAllBytes(path);
                void Refused()
                {
                    var error = Assert.Throws<FileFormatException>(() => family.Open(_folder, Examples.Binary, examples.Layout));
                    Assert.Equal(path, error.Path);
                }

                for (int point = 0; point < 20; point++)
                {
                    int length = whole.Length * point / 20;
                    File.WriteAllBytes(path, whole[..length]);
                    Refused();
                }

                // Every flipped byte of the weights is noticed (checksum); a flip in the config is noticed or leaves a model that opens.
                var rng = new Rng(1);
                for (int flip = 0; flip < 40; flip++)
                {
                    byte[] damaged = [.. whole];
                    damaged[rng.Next(damaged.Length)] ^= (byte)(1 << rng.Next(8));
                    File.WriteAllBytes(path, damaged);
                    if (name == "model.safetensors")
                        Refused();
                    else
                    {
                        Exception? error = Record.Exception(() => family.Open(_folder, Examples.Binary, examples.Layout).Dispose());
                        Assert.True(error is null or FileFormatException, error?.ToString());
                    }
                }

                File.Delete(path);
                Refused();
                File.WriteAllBytes(path, whole);
            }
        }
    }

    [Fact, Trait("Kind", "fault")]
    public void Open_ModelOfAnotherProblemOrFamily_IsRefused()
    {
        Examples examples = BoostingTests.Mixed(300, 2, 4);
        var boosting = new BoostingFamily();
        boosting.Fit(examples.Context(Examples.Binary, new FitOptions { MaxSteps = 5, Threads = 1 })).Model.Save(_folder);
        Assert.Throws<FileFormatException>(() => boosting.Open(_folder, Examples.Regression, examples.Layout));
        Assert.Throws<FileFormatException>(() => boosting.Open(_folder, Examples.Binary, Plain(2).Layout with { DenseShape = [9] }));
        Assert.Throws<FileFormatException>(() => new LinearFamily().Open(_folder, Examples.Binary, examples.Layout));
    }

    private static Examples Plain(int classes)
    {
        if (classes > 0)
            return LinearClassificationTests.Blobs(200, 4, classes, 1).Examples;
        return BoostingTests.Wave(200, 1);
    }
}
