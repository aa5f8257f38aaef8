using System.Globalization;
using Candela.Templates;

namespace Candela.Tests.Templates;

public class JinjaTests
{
    // Expected texts follow from Jinja2's documentation and Python's own str(), repr() and json.dumps(), worked out by hand.
    [Theory]
    [Trait("Kind", "golden")]
    [InlineData("{{ 1 + 2 * 3 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 / 2 }} {{ -7 % 3 }} {{ 2 ** 10 }} {{ 4 / 2 }}", "7 3 -4 3.5 2 1024 2.0")]
    [InlineData("{{ 'a' ~ 1 ~ none }} {{ 'ab' * 2 }} {{ [1] + [2, 'x'] }} {{ (1, 2) }} {{ {'k': true} }}", "a1None abab [1, 2, 'x'] (1, 2) {'k': True}")]
    [InlineData("{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 'b' in 'abc' }} {{ 4 not in [1, 2] }} {{ not true or true }}", "True False True True True")]
    [InlineData("{{ 'yes' if a is defined else 'no' }} {{ a is not defined }} {{ 'x' if false }}|", "no True |")]
    [InlineData("{{ [1, 2, 3][-1] }} {{ [1, 2, 3][1:] }} {{ 'hello'[::-1] }} {{ 'hello'[1:-1] }} {{ [1, 2, 3][::2] }}", "3 [2, 3] olleh ell [1, 3]")]
    [InlineData("{{ 'abc'[1:] }}{{ 'abc'[-9:2] }}{{ 'abc'[2:1] }}{{ ''[0:] }}{{ ''[0] is defined }}{{ 'abc'[-1] }}", "bcabFalsec")]
    [InlineData("{{ 'a🦙b'|length }} {{ 'a🦙b'[1] }} {{ 'a🦙b'[2:] }}", "3 🦙 b")]
    [InlineData("{% for x in [1, 2, 3] %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.revindex }};{% endfor %}", "10TrueFalse33;21FalseFalse32;32FalseTrue31;")]
    [InlineData("{% for x in 'abc' %}{{ loop.previtem is defined }}{{ loop.nextitem if not loop.last }}{{ loop.cycle('x', 'y') }} {% endfor %}", "Falsebx Truecy Truex ")]
    [InlineData("{% for k, v in {'a': 1, 'b': 2}.items() if v > 1 %}{{ k }}={{ v }}/{{ loop.length }}{% else %}none{% endfor %}", "b=2/1")]
    [InlineData("{% for x in [] %}x{% else %}empty{% endfor %}", "empty")]
    [InlineData("{% for x in range(10) %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 5 %}{% break %}{% endif %}{{ x }}{% endfor %}", "0134")]
    [InlineData("{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}", "231")]
    [InlineData("{% set ns = namespace(n=0) %}{% for i in [1, 2] %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}", "3")]
    [InlineData("{% if false %}a{% elif 0 %}b{% elif '' %}c{% else %}d{% endif %}", "d")]
    [InlineData("{% set t %} a {{ 1 }} {% endset %}[{{ t }}]{% set a, b = 1, 2 %}{{ a }}{{ b }}", "[ a 1 ]12")]
    [InlineData("{% macro m(a, b='z') %}<{{ a }}{{ b }}>{% endmacro %}{{ m(1) }}{{ m(1, b=2) }}{{ m(b=3, a=4) }}", "<1z><12><43>")]
    [InlineData("{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}in{% endcall %}", "[in]")]
    [InlineData("{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}", "3210")]
    [InlineData("{{ ' a b '|trim }}|{{ 'abc'|upper }}|{{ 'a,b'.split(',') }}|{{ 'a b  c'.split() }}|{{ ['x', 'y']|join('-') }}", "a b|ABC|['a', 'b']|['a', 'b', 'c']|x-y")]
    [InlineData("{{ x|default('d') }} {{ ''|default('e', true) }} {{ none|default('f') }} {{ [3, 1, 2]|sort }} {{ [3, 1, 2]|sort(reverse=true)|first }}", "d e None [1, 2, 3] 3")]
    [InlineData("{{ [{'a': 1}, {'a': 2}]|map(attribute='a')|list }} {{ [1, 2, 3]|select('odd')|list }} {{ [1, 2, 3]|map('string')|join }}", "[1, 2] [1, 3] 123")]
    [InlineData("{{ [{'r': 'u'}, {'r': 's'}]|selectattr('r', 'equalto', 'u')|list|length }} {{ [{'r': 'u'}, {}]|rejectattr('r', 'defined')|list }}", "1 [{}]")]
    [InlineData("{{ {'b': [1, 2.0, 'é<>&\"'], 'a': none}|tojson }}", "{\"b\": [1, 2.0, \"é<>&\\\"\"], \"a\": null}")]
    [InlineData("{{ {'b': [1], 'e': []}|tojson(indent=2) }}", "{\n  \"b\": [\n    1\n  ],\n  \"e\": []\n}")]
    [InlineData("{{ {'b': 1, 'a': 'é'}|tojson(sort_keys=true, ensure_ascii=true, separators=[',', ':']) }}", "{\"a\":\"\\u00e9\",\"b\":1}")]
    [InlineData("{{ 'a\\nb'|indent(2) }} {{ 'a\\nb'|indent(2, first=true) }} {{ 'hello world'|title }} {{ 'hELLO'|capitalize }}", "a\n  b   a\n  b Hello World Hello")]
    [InlineData("{{ '3'|int + 1 }} {{ 'x'|int(7) }} {{ '2.5'|float }} {{ 3.7|int }} {{ -3|abs }} {{ [1, 2]|sum }} {{ 2.5|round }} {{ 1e20 }} {{ 1e-5 }} {{ 0.1 + 0.2 }}", "4 7 2.5 3 3 3 2.0 1e+20 1e-05 0.30000000000000004")]
    [InlineData("{{ 'aXbX'.replace('X', 'yy') }} {{ 'aXbX'|replace('X', '-', 1) }} {{ 'abc'.startswith('ab') }} {{ 'abc'.endswith(('x', 'c')) }} {{ 'a'.join(['1', '2']) }}", "ayybyy a-bX True True 1a2")]
    [InlineData("{{ 'n={} {}'.format(1, 'x') }} {{ '%s-%d' % ('a', 3) }} {{ '%05.2f'|format(3.14159) }} {{ '{k}'.format(k=2) }}", "n=1 x a-3 03.14 2")]
    [InlineData("{{ d.get('k', 5) }} {{ {'x': 1}.x }} {{ {'items': 3}['items'] }} {{ {'a': 1}|items|list }} {{ {'b': 2, 'a': 1}|dictsort }}", "5 1 3 [('a', 1)] [('a', 1), ('b', 2)]")]
    [InlineData("{{ [1, 2, 1, 'A', 'a']|unique|list }} {{ [[1, 2], [3]]|map('length')|list }} {{ [1, 2, 3]|reverse|list }} {{ [1, 2, 3]|batch(2)|list }}", "[1, 2, 'A'] [2, 1] [3, 2, 1] [[1, 2], [3]]")]
    [InlineData("{{ 1 is number }} {{ 'x' is string }} {{ {} is mapping }} {{ [] is iterable }} {{ none is none }} {{ 4 is divisibleby 2 }} {{ 2 is in [1, 2] }} {{ true is boolean }} {{ 3 is eq 3 }}", "True True True True True True True True True")]
    [InlineData("{{ 1 if x is none else 2 }} {{ 5 is odd and 4 is even }} {{ -1|abs }} {{ 'a' 'b' }} {{ ['a'] == ('a',) }} {{ 1 == 1.0 }} {{ true == 1 }}", "2 True 1 ab False True True")]
    [InlineData("{% raw %}{{ x }}{% endraw %}{# c #}{% filter upper %}a{{ 'b' }}{% endfilter %}{% with a=1 %}{{ a }}{% endwith %}{{ a }}", "{{ x }}AB1")]
    [InlineData("{% generation %}said{% endgeneration %}", "said")]
    [InlineData("{{ \"it's\" }} {{ [\"it's\", 'a\"b', 'c\\nd'] }}", "it's [\"it's\", 'a\"b', 'c\\nd']")]
    [InlineData("{{ 'a'.strip }}", "<function strip>")]
    public void Render_Expression_GivesWhatJinjaGives(string template, string expected) =>
        Assert.Equal(expected, Render(template));

    [Theory]
    [Trait("Kind", "golden")]
    [InlineData("a\n{% if true %}\nb\n{% endif %}\nc\n", "a\nb\nc")] // trim_blocks, and the last line break goes
    [InlineData("a\n  {% if true %}\n  b\n  {% endif %}\nc", "a\n  b\nc")] // lstrip_blocks
    [InlineData("a {% if true %} b {% endif %} c", "a  b  c")] // not at the line's beginning
    [InlineData("a \n {%- if true -%} \n b \n {%- endif -%} \n c", "abc")]
    [InlineData("a\n  {%+ if true %}\nb{% endif +%}\nc", "a\n  b\nc")]
    [InlineData("a\n  {{ 1 }}\nb", "a\n  1\nb")] // print tags keep both
    [InlineData("a\n  {# note #}\nb", "a\nb")]
    [InlineData("a {{- ' x ' -}} b", "a x b")]
    [InlineData("{{ '}}' }}{{ {'a': {'b': 1}}['a']['b'] }}", "}}1")]
    [InlineData("x\n\n{% set a = 1 %}\n\ny", "x\n\n\ny")]
    public void Render_WhiteSpace_IsTrimmedAsHuggingFaceDoes(string template, string expected) =>
        Assert.Equal(expected, Render(template));

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("a\nb {{ x", Fault.Corrupt, "line 2: the tag opened here is not closed")]
    [InlineData("{% if true %}\nx", Fault.Corrupt, "not closed by 'endif'")]
    [InlineData("{% endif %}", Fault.Corrupt, "'endif' closes nothing")]
    [InlineData("{% fro x in y %}", Fault.Corrupt, "the block 'fro' is not known")]
    [InlineData("{{ x|tojsn }}", Fault.Unsupported, "the filter 'tojsn' is not known. Did you mean 'tojson'")]
    [InlineData("{{ x is sting }}", Fault.Unsupported, "the test 'sting' is not known")]
    [InlineData("{% include 'x' %}", Fault.Unsupported, "'include' is not supported")]
    [InlineData("{% break %}", Fault.Corrupt, "outside a loop")]
    [InlineData("{{ 1 + }}", Fault.Corrupt, "a value was needed")]
    [InlineData("{{ (1 }}", Fault.Corrupt, "line 1")]
    [InlineData("{{ 99999999999999999999 }}", Fault.Unsupported, "larger than 64 bits")]
    public void Parse_BrokenTemplate_NamesTheLine(string template, Fault fault, string message)
    {
        var error = Assert.Throws<FileFormatException>(() => ChatTemplate.Parse(template, "t.jinja"));
        Assert.Equal(fault, error.Fault);
        Assert.StartsWith("t.jinja: line ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("a\n{{ raise_exception('no system') }}", "line 2: the template refuses this conversation: no system")]
    [InlineData("{{ x.y }}", "'x' is not defined, and 'y' of it was asked for")]
    [InlineData("{{ 'a' + 1 }}", "'+' was asked of a text and an integer")]
    [InlineData("{{ 1 // 0 }}", "a division by zero")]
    [InlineData("{{ f(1) }}", "was called as 'f'")]
    [InlineData("{% set x = 1 %}{% set x.y = 2 %}", "not a namespace")]
    [InlineData("{% for a, b in [[1, 2, 3]] %}{% endfor %}", "3 values cannot be given to the 2 variables a, b")]
    [InlineData("{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "takes 1")]
    [InlineData("{{ x|tojson }}", "'x' is not defined and cannot be written")]
    [InlineData("{{ [1] < 'a' }}", "have no order")]
    [InlineData("{{ [1, 'a']|sort }}", "have no order")]
    [InlineData("{{ [{}, {}]|max(attribute='x') }}", "have no order")] // found by fuzzing
    public void Render_MisuseOfAValue_NamesLineAndKinds(string template, string message) =>
        Assert.Contains(message, Assert.Throws<UsageException>(() => Render(template)).Message, StringComparison.Ordinal);

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "recurses deeper")]
    [InlineData("{% macro f() %}{{ g() }}{% endmacro %}{% macro g() %}{{ f() }}{% endmacro %}{{ g() }}", "recurses deeper")]
    [InlineData("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "steps")]
    [InlineData("{{ 'x' * 99999999999 }}", "characters")]
    [InlineData("{% set ns = namespace(s='x') %}{% for a in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", "characters")]
    [InlineData("{% set ns = namespace(s='x') %}{% for a in range(100) %}{% set ns.s = ns.s|replace('x', 'xxxx') %}{% endfor %}", "characters")]
    [InlineData("{% set ns = namespace(s=[1]) %}{% for a in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", "elements")]
    [InlineData("{% set ns = namespace(s=[1]) %}{% for a in range(100) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s|tojson }}", "s")]
    [InlineData("{% set ns = namespace(s=[1]) %}{% for a in range(2000) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s }}", "recurses deeper")]
    [InlineData("{% set ns = namespace(s=[1], t=[1]) %}{% for a in range(64) %}{% set ns.s = [ns.s, ns.s] %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.s == ns.t }}", "steps")]
    [InlineData("{{ range(99999999999)|list }}", "elements")]
    [InlineData("{{ 'x'.ljust(9999999999) }}", "characters")]
    [InlineData("{% for i in range(100) %}{% set x = range(100000)|map('string')|sort|list %}{% endfor %}", "steps")]
    [InlineData("{% set x = '🦙' * 99999 %}{% for i in range(1000) %}{% set y = x[i] %}{% endfor %}", "steps")]
    [InlineData("{% for a in range(100000) %}{{ 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' }}{% endfor %}", "characters")]
    public void Render_Bomb_IsStoppedAndNamed(string template, string message)
    {
        var error = Assert.Throws<FileFormatException>(() => ChatTemplate.Parse(template).Render([], new ChatTemplateOptions { MaxOutput = 1 << 20, MaxSteps = 2_000_000 }));
        Assert.Equal(Fault.Unsupported, error.Fault);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [Trait("Kind", "fault")]
    [InlineData("(", ")")]
    [InlineData("[", "]")]
    [InlineData("-", "")]
    [InlineData("not ", "")]
    [InlineData("1 if ", " else 1")]
    [InlineData("1+", "")]
    [InlineData("x.", "")]
    [InlineData("f(", ")")]
    public void Parse_DeepNesting_IsRefusedNotOverflown(string open, string close)
    {
        string template = "{{ " + string.Concat(Enumerable.Repeat(open, 50_000)) + "1" + string.Concat(Enumerable.Repeat(close, 50_000)) + " }}";
        Assert.Throws<FileFormatException>(() => ChatTemplate.Parse(template));
        Assert.Throws<FileFormatException>(() => ChatTemplate.Parse(string.Concat(Enumerable.Repeat("{% if 1 %}", 50_000))));
        Assert.Throws<FileFormatException>(() => ChatTemplate.Parse("{% if 1 %}" + string.Concat(Enumerable.Repeat("{% elif 1 %}", 50_000)) + "{% endif %}"));
    }

    [Fact]
    [Trait("Kind", "fault")]
    public void Parse_AnyCutOrChangeOfATemplate_RendersOrIsRefused()
    {
        const string Template = "{%- set ns = namespace(n=0) -%}{# c #}{% macro m(a, b='x') %}{{ a|tojson(indent=2) ~ b[1:-1] }}{% endmacro %}{% for m2 in messages if m2.role == 'user' %}{{ m(m2, b='%s' % 'q') }}{% if loop.last and not x is defined %}{{ {'a': [1, 2.5, none]}['a'][0] }}{% else %}-{% endif %}{% endfor %}{% raw %}{{{% endraw %}";
        Assert.NotEmpty(ChatTemplate.Parse(Template).Render([new ChatMessage("user", "hi")]));
        var random = new Rng(1);
        int refused = 0;
        for (int i = 0; i < 6000; i++)
        {
            int at = random.Next(Template.Length), length = random.Next(Template.Length - at);
            string changed = (i % 3) switch
            {
                0 => Template[..at],
                1 => Template.Remove(at, Math.Min(length, 6)),
                _ => Template.Insert(at, Template.Substring(random.Next(Template.Length - 8), 8)),
            };
            try
            {
                _ = ChatTemplate.Parse(changed).Render([new ChatMessage("user", "hi")]);
            }
            catch (CandelaException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1000, 5999);
    }

    [Fact]
    [Trait("Kind", "golden")]
    public void Render_ConversationWithTools_SeesEveryField()
    {
        const string Template = """
            {%- if tools %}{% for t in tools %}{{ t.function.name }};{% endfor %}{% endif %}
            {%- for m in messages %}
            {{ bos_token }}[{{ m.role }}]{{ m.content if m.content is not none else 'nothing' }}
            {%- if m.tool_calls %}{% for c in m.tool_calls %} {{ c.function|tojson }} {{ c.id }}{% endfor %}{% endif %}
            {%- if m.tool_call_id is defined %} for {{ m.tool_call_id }} by {{ m.name }}{% endif %}
            {%- endfor %}
            {%- if add_generation_prompt %}<go {{ strftime_now('%d %b %Y') }} {{ mood }}>{% endif %}
            """;
        ChatMessage[] messages =
        [
            new("user", "Weather?"),
            new("assistant", null) { ToolCalls = [new ChatToolCall("weather", """{"city": "Łódź", "n": 1}""", "a1")] },
            new("tool", "sun") { ToolCallId = "a1", Name = "weather" },
        ];
        var options = new ChatTemplateOptions
        {
            ToolsJson = """[{"type":"function","function":{"name":"weather"}}]""",
            SpecialTokens = new Dictionary<string, string> { ["bos_token"] = "<s>" },
            VariablesJson = """{"mood": "ok"}""",
            Time = new FixedTime(),
        };

        string text = ChatTemplate.Parse(Template).Render(messages, options);

        Assert.Equal("weather;\n<s>[user]Weather?\n<s>[assistant]nothing {\"name\": \"weather\", \"arguments\": {\"city\": \"Łódź\", \"n\": 1}} a1\n<s>[tool]sun for a1 by weather<go 05 Mar 2024 ok>".Replace("\n<s>", "<s>", StringComparison.Ordinal), text);
        Assert.DoesNotContain("<go", ChatTemplate.Parse(Template).Render(messages, options with { AddGenerationPrompt = false, ToolsJson = null }), StringComparison.Ordinal);
        Assert.Throws<UsageException>(() => ChatTemplate.Parse(Template).Render(messages, options with { ToolsJson = "[" }));
        Assert.Contains("\"arguments\": \"{\\\"city\\\":", ChatTemplate.Parse(Template).Render(messages, options with { ToolArgumentsAsText = true }), StringComparison.Ordinal);
        Assert.Equal("[x]hi", ChatTemplate.Parse("{% for m in messages %}[{{ m.role }}]{{ m.content[0].text }}{% endfor %}").RenderJson("""[{"role":"x","content":[{"type":"text","text":"hi"}]}]"""));
    }

    private static string Render(string template) => ChatTemplate.Parse(template).Render([], new ChatTemplateOptions { VariablesJson = """{"d": {}}""" });

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.Parse("2024-03-05T06:07:08Z", CultureInfo.InvariantCulture);
    }
}
