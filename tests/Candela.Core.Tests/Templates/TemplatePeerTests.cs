using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Candela.Templates;

namespace Candela.Tests.Templates;

/// <summary>Prompts against npm's @huggingface/jinja on real chat templates. Runs when CANDELA_PEERS names the folder that benchmarks/install-peers.sh filled; takes the templates of
/// the tokenizer packages there and those in <c>tok-gguf/templates</c> of CANDELA_DATA. Otherwise it says so and passes.</summary>
public sealed class TemplatePeerTests(ITestOutputHelper output)
{
    private const string Tools = """
        [{"type":"function","function":{"name":"get_weather","description":"Weather of a city","parameters":{"type":"object","properties":{"city":{"type":"string","description":"a city"},"days":{"type":"integer"}},"required":["city"]}}},
         {"type":"function","function":{"name":"now","parameters":{"type":"object","properties":{}}}}]
        """;

    private static readonly string[] Conversations =
    [
        """[{"role":"user","content":"Hi there"}]""",
        """[{"role":"system","content":"Be brief."},{"role":"user","content":"  Zürich 中文 🦙 <b>&\"q\" \n"},{"role":"assistant","content":" yes\n"},{"role":"user","content":"more"}]""",
        """[{"role":"user","content":"weather?"},{"role":"assistant","content":null,"tool_calls":[{"type":"function","id":"abcdefghi","function":{"name":"get_weather","arguments":{"city":"Łódź","days":2,"ok":true,"x":null,"f":1.5}}}]},{"role":"tool","content":"sun","tool_call_id":"abcdefghi","name":"get_weather"},{"role":"assistant","content":"It is sunny"},{"role":"user","content":"ok"}]""",
        """[{"role":"user","content":"weather?"},{"role":"assistant","content":"","tool_calls":[{"type":"function","id":"abcdefghi","function":{"name":"get_weather","arguments":{"city":"Rome"}}}]},{"role":"tool","content":"sun","tool_call_id":"abcdefghi"}]""",
        """[{"role":"user","content":"weather?"},{"role":"assistant","content":null,"tool_calls":[{"type":"function","id":"abcdefghi","function":{"name":"get_weather","arguments":"{\"city\": \"Łódź\"}"}},{"type":"function","id":"abcdefghj","function":{"name":"now","arguments":"{}"}}]},{"role":"tool","content":"sun","tool_call_id":"abcdefghi"},{"role":"tool","content":"noon","tool_call_id":"abcdefghj"}]""",
        """[{"role":"system","content":"S"},{"role":"system","content":"S2"},{"role":"user","content":"x"}]""",
        """[{"role":"assistant","content":"first"},{"role":"user","content":"x"}]""",
        """[{"role":"user","content":"a"},{"role":"user","content":"b"}]""",
        """[{"role":"user","content":[{"type":"text","text":"look"},{"type":"image"}]}]""",
    ];

    [Fact]
    [Trait("Kind", "conformance")]
    public void Render_RealTemplates_GivesWhatThePeerGives()
    {
        string? peers = Environment.GetEnvironmentVariable("CANDELA_PEERS");
        if (peers is null || !Directory.Exists(Path.Combine(peers, "node_modules", "@huggingface", "jinja")))
        {
            output.WriteLine("Not run: @huggingface/jinja is not there. Fill a folder with benchmarks/install-peers.sh and name it in CANDELA_PEERS.");
            return;
        }

        var cases = Cases(peers);
        string[] answers = Ask(peers, [.. cases.Select(c => new JsonObject { ["template"] = c.Template, ["variables"] = c.Variables }.ToJsonString())]);
        Assert.Equal(cases.Count, answers.Length);
        int same = 0, refused = 0, joins = 0;
        var peerRefuses = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var differences = new List<string>();
        for (int i = 0; i < answers.Length; i++)
        {
            var answer = JsonNode.Parse(answers[i])!;
            string? text = (string?)answer["text"];
            string ours;
            bool rendered = true;
            try
            {
                ours = Render(cases[i]);
            }
            catch (CandelaException error)
            {
                (ours, rendered) = (error.Message, false);
            }

            if (rendered && text == ours)
                same++;
            else if (!rendered && text is null)
                refused++;
            else if (!rendered && ours.Contains("'+' was asked of a text and a", StringComparison.Ordinal))
                joins++;
            else if (rendered && text is null)
                peerRefuses[$"{cases[i].Name}: {answer["error"]}"] = peerRefuses.GetValueOrDefault($"{cases[i].Name}: {answer["error"]}") + 1;
            else
                differences.Add($"{cases[i].Name} [{i}]\n ours   {JsonSerializer.Serialize(ours)}\n theirs {JsonSerializer.Serialize(text)}\n {cases[i].Variables["messages"]!.ToJsonString()}");
        }

        output.WriteLine($"{cases.Select(c => c.Name).Distinct().Count()} templates, {cases.Count} prompts: {same} the same, {refused} refused by both, {joins} join a text and a list or mapping (a TypeError in Python, '[object Map]' in the peer), {differences.Count} different.");
        foreach (var (what, count) in peerRefuses)
            output.WriteLine($"refused by the peer alone, {count}: {what}");
        Assert.True(differences.Count == 0, string.Join('\n', differences));

        // Jinja2 writes none as text where a filter or '+' needs one, or prints a list; the peer refuses. Nothing else may differ.
        Assert.All(peerRefuses.Keys, what => Assert.Contains("filter", what, StringComparison.Ordinal));
        Assert.True(same > 100);
    }

    private static string Render(Case c)
    {
        var variables = c.Variables;
        return ChatTemplate.Parse(c.Template, c.Name).RenderJson(variables["messages"]!.ToJsonString(), new ChatTemplateOptions
        {
            ToolsJson = variables["tools"]?.ToJsonString(),
            AddGenerationPrompt = (bool)variables["add_generation_prompt"]!,
            SpecialTokens = new Dictionary<string, string> { ["bos_token"] = (string)variables["bos_token"]!, ["eos_token"] = (string)variables["eos_token"]! },
        });
    }

    private static List<Case> Cases(string peers)
    {
        var templates = new List<(string Name, string Text)>();
        if (Environment.GetEnvironmentVariable("CANDELA_DATA") is { Length: > 0 } data && Directory.Exists(Path.Combine(data, "tok-gguf", "templates")))
            templates.AddRange(Directory.GetFiles(Path.Combine(data, "tok-gguf", "templates"), "*.jinja").Order(StringComparer.Ordinal).Select(f => (Path.GetFileName(f), File.ReadAllText(f))));
        string scope = Path.Combine(peers, "node_modules", "@lenml");
        foreach (string package in Directory.Exists(scope) ? Directory.GetDirectories(scope) : [])
        {
            string config = Path.Combine(package, "models", "tokenizer_config.json");
            if (File.Exists(config) && JsonNode.Parse(File.ReadAllText(config))!["chat_template"] is JsonValue template)
                templates.Add((Path.GetFileName(package), (string)template!));
        }

        return [.. from template in templates
                   from messages in Conversations
                   from tools in new[] { null, Tools }
                   from add in new[] { true, false }
                   select new Case(template.Name, template.Text, new JsonObject
                   {
                       ["messages"] = JsonNode.Parse(messages),
                       ["tools"] = tools is null ? null : JsonNode.Parse(tools),
                       ["add_generation_prompt"] = add,
                       ["bos_token"] = "<s>",
                       ["eos_token"] = "</s>",
                   })];
    }

    private static string[] Ask(string peers, string[] lines)
    {
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Candela.slnx")))
            root = Path.GetDirectoryName(root) ?? throw new InvalidOperationException("the repository's root was not found");
        var start = new ProcessStartInfo("node", [Path.Combine(root, "benchmarks", "template-peer.mjs"), peers])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            StandardInputEncoding = new UTF8Encoding(false),
            StandardOutputEncoding = new UTF8Encoding(false),
        };
        using var process = Process.Start(start)!;
        var answers = process.StandardOutput.ReadToEndAsync();
        foreach (string line in lines)
            process.StandardInput.WriteLine(line);
        process.StandardInput.Close();
        string all = answers.GetAwaiter().GetResult();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return all.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private sealed record Case(string Name, string Template, JsonObject Variables);
}
