using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Candela.Experiments;

/// <summary>recipe.yaml: every option of a <see cref="TrainRequest"/> under the name of its command-line option, so that
/// <c>candela train --recipe recipe.yaml</c> repeats the run. Options left to the family are absent, and so is a seed that was not given: without one, 0 is used. Paths are as they were given.</summary>
public static class Recipe
{
    /// <summary>The format written; a larger <c>version</c> in a file is refused.</summary>
    public const int CurrentVersion = 1;

    /// <summary>Every key a recipe may have, in the order they are written.</summary>
    public static IReadOnlyList<string> Keys { get; } = [.. RecipeKeys.All.Select(k => k.Name)];

    /// <summary>Writes the request in one step (see <see cref="AtomicFile"/>).</summary>
    public static void Write(string path, TrainRequest request) => AtomicFile.WriteText(path, ToYaml(request));

    /// <summary>The request as YAML.</summary>
    public static string ToYaml(TrainRequest request)
    {
        var map = new YamlMappingNode { { "version", CurrentVersion.ToString(CultureInfo.InvariantCulture) } };
        foreach (var key in RecipeKeys.All)
            if (key.Get(request) is { } node)
                map.Add(key.Name, node);
        using var text = new StringWriter { NewLine = "\n" };
        new YamlStream(new YamlDocument(map)).Save(text, assignAnchors: false);
        string yaml = text.ToString();
        return "# candela train --recipe recipe.yaml repeats this run\n" + (yaml.EndsWith("...\n", StringComparison.Ordinal) ? yaml[..^4] : yaml);
    }

    /// <summary>Reads a recipe.</summary>
    /// <param name="path">The file.</param>
    /// <param name="data">The data, when the recipe does not name it or another is meant.</param>
    /// <exception cref="UsageException">A key is unknown (the nearest is named), a value cannot be used (with its line), or no data is given.</exception>
    /// <exception cref="FileFormatException">The file is missing or not YAML, or its version is newer.</exception>
    public static TrainRequest Read(string path, string? data = null)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FileFormatException(path, Fault.Missing, "the file does not exist.", error);
        }

        return Parse(text, path, data);
    }

    /// <summary>Reads a recipe from text; <paramref name="path"/> is named in errors.</summary>
    /// <inheritdoc cref="Read"/>
    public static TrainRequest Parse(string text, string path, string? data = null)
    {
        var request = new TrainRequest { Data = "" };
        foreach (var (node, value) in Root(text, path))
        {
            string name = (node as YamlScalarNode)?.Value ?? "";
            if (name == "version")
            {
                CheckVersion(path, value);
                continue;
            }

            var key = RecipeKeys.All.FirstOrDefault(k => k.Name == name)
                ?? throw new UsageException($"{path}:{node.Start.Line}: there is no recipe key '{name}'.{NearestName.Hint(name, Keys)} Keys: {string.Join(", ", Keys)}.");
            try
            {
                request = key.Set(request, value);
            }
            catch (FormatException error)
            {
                throw new UsageException($"{path}:{value.Start.Line}: {name}: {error.Message}", error);
            }
        }

        request = data is null ? request : request with { Data = data };
        return request.Data.Length > 0 ? request : throw new UsageException($"{path}: the recipe names no data. Add `data: FILE` or give the file on the command line.");
    }

    /// <summary>Changes one option from the text of a command-line option, or from the texts of one given several times: a list is separated by commas and several are joined;
    /// <c>type</c> is COLUMN=KIND and adds to the kinds given before, as the kinds of a <c>schema</c> file do; <c>na</c> adds to the marks there are, after <c>none</c> to no marks;
    /// of other options the last text counts.</summary>
    /// <exception cref="UsageException">The key is unknown or the text cannot be used; the message names <c>--key</c>.</exception>
    /// <exception cref="FileFormatException">The schema file cannot be read.</exception>
    public static TrainRequest Set(TrainRequest request, string name, params IReadOnlyList<string> texts)
    {
        RecipeKey key = RecipeKeys.All.FirstOrDefault(k => k.Name == name) ?? throw new UsageException($"There is no option '--{name}'.{NearestName.Hint(name, Keys)}");
        try
        {
            return key.SetTexts(request, texts);
        }
        catch (FormatException error)
        {
            throw new UsageException($"--{name} {error.Message}", error);
        }
    }

    private static IEnumerable<KeyValuePair<YamlNode, YamlNode>> Root(string text, string path)
    {
        var yaml = new YamlStream();
        try
        {
            yaml.Load(new StringReader(text));
        }
        catch (YamlException error)
        {
            throw new FileFormatException(path, Fault.Corrupt, $"not valid YAML at line {error.Start.Line}: {error.Message.ReplaceLineEndings(" ")}", error);
        }

        return yaml.Documents.Count == 1 && yaml.Documents[0].RootNode is YamlMappingNode map ? map.Children
            : throw new FileFormatException(path, Fault.WrongFormat, "a recipe is one YAML mapping such as `data: table.csv`.");
    }

    private static void CheckVersion(string path, YamlNode value)
    {
        if (!int.TryParse((value as YamlScalarNode)?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out int version) || version is < 1 or > CurrentVersion)
            throw new FileFormatException(path, Fault.Unsupported, $"recipe version is {value}; this version of Candela reads 1 to {CurrentVersion}. Use a newer Candela.");
    }
}
