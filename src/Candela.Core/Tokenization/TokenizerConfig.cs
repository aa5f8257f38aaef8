using System.Globalization;
using System.Text.Json;

namespace Candela.Tokenization;

/// <summary>The files beside a tokenizer.json: tokenizer_config.json, special_tokens_map.json, added_tokens.json and chat_template.jinja.</summary>
internal static class TokenizerConfig
{
    /// <summary>Adds to <paramref name="parts"/> what the files of <paramref name="folder"/> say; files that are not there say nothing.</summary>
    public static TokenizerParts Apply(TokenizerParts parts, string folder)
    {
        var added = parts.AddedTokens.ToList();
        string? bos = null, eos = null, pad = null, unknown = null, template = null;
        Read(folder, "special_tokens_map.json", Names);
        Read(folder, "tokenizer_config.json", root =>
        {
            Names(root);
            template = Template(root["chat_template"]);
            foreach ((string id, JsonPart token) in root["added_tokens_decoder"].Members())
            {
                if (!int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
                    throw token.Corrupt($"a whole number was needed as a name, {Vocabulary.Quote(id)} is there");
                AddMissing(TokenizerJson.ReadAddedToken(token, number));
            }
        });
        Read(folder, "added_tokens.json", root =>
        {
            foreach ((string content, JsonPart id) in root.Members())
                AddMissing(new AddedToken(id.Integer(), content, Special: false, Normalized: true));
        });
        string jinja = Path.Combine(folder, "chat_template.jinja");
        if (File.Exists(jinja))
            template = File.ReadAllText(jinja);
        int? Id(string? content) => content is null ? null : added.Find(t => t.Content == content)?.Id ?? parts.Model.Vocabulary.IdOf(content);
        return parts with
        {
            AddedTokens = added,
            BosId = Id(bos) ?? parts.BosId,
            EosId = Id(eos) ?? parts.EosId,
            PadId = Id(pad) ?? parts.PadId,
            UnknownId = Id(unknown) ?? parts.UnknownId,
            ChatTemplateText = template ?? parts.ChatTemplateText,
        };

        void Names(JsonPart root)
        {
            bos = Content(root["bos_token"]) ?? bos;
            eos = Content(root["eos_token"]) ?? eos;
            pad = Content(root["pad_token"]) ?? pad;
            unknown = Content(root["unk_token"]) ?? unknown;
        }

        void AddMissing(AddedToken token)
        {
            if (added.TrueForAll(t => t.Id != token.Id && t.Content != token.Content))
                added.Add(token);
        }
    }

    // A token is its text or an object with the text as "content".
    private static string? Content(JsonPart part) => part.IsNull ? null : part.Element.ValueKind == JsonValueKind.Object ? part["content"].OptionalText() : part.Text();

    // One template, or a list of named ones of which "default" counts.
    private static string? Template(JsonPart part)
    {
        if (part.Element.ValueKind != JsonValueKind.Array)
            return part.OptionalText();
        foreach (JsonPart item in part.Items())
            if (item["name"].OptionalText() == "default")
                return item["template"].OptionalText();
        return null;
    }

    private static void Read(string folder, string name, Action<JsonPart> read)
    {
        string path = Path.Combine(folder, name);
        if (!File.Exists(path))
            return;
        using JsonDocument document = JsonPart.Parse(File.ReadAllBytes(path), path);
        read(new JsonPart(document.RootElement, path, ""));
    }
}
