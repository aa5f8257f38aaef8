using Candela.Templates;

namespace Candela.Tests.Templates;

/// <summary>Texts that Jinja2 3.1.2 itself gave: an ImmutableSandboxedEnvironment with trim_blocks, lstrip_blocks, loop controls and tojson as json.dumps without ASCII escapes,
/// which is how Hugging Face's apply_chat_template sets it up.</summary>
public class JinjaGoldenTests
{
    [Theory]
    [Trait("Kind", "golden")]
    [InlineData("{{ [1,2,3]|join(', ') }}|{{ 'x'|indent }}|{{ 'a\nb\n\nc'|indent(2, true, true) }}", "1, 2, 3|x|  a\n  b\n  \n  c")]
    [InlineData("{{ 'Hello World foo'|wordcount }} {{ 'it\\'s a test'|title }} {{ \"they're bill's\"|title }}", "3 It's A Test They're Bill's")]
    [InlineData("{{ {'a':[1,{'b':2}]}|tojson(indent=4) }}", "{\n    \"a\": [\n        1,\n        {\n            \"b\": 2\n        }\n    ]\n}")]
    [InlineData("{{ [3,1,2]|sort|join }} {{ ['b','A','c']|sort|join }} {{ ['b','A','c']|sort(case_sensitive=true)|join }}", "123 Abc Abc")]
    [InlineData("{{ [{'n':2},{'n':1}]|sort(attribute='n')|map(attribute='n')|join }}", "12")]
    [InlineData("{{ [1,2,3,4,5]|batch(2)|list }} {{ [[1,'a'],[2,'b'],[1,'c']]|groupby(0)|list }}", "[[1, 2], [3, 4], [5]] [(1, [[1, 'a'], [1, 'c']]), (2, [[2, 'b']])]")]
    [InlineData("{{ 'abc'|first }}{{ 'abc'|last }} {{ []|first }}|{{ [[1,2],[3]]|sum(start=[]) }}", "ac |[1, 2, 3]")]
    [InlineData("{{ 'a-b_c'.split('-') }} {{ 'a,b,c'.rsplit(',',1) }} {{ 'a\n\nb\n'.splitlines() }} {{ ''.splitlines() }} {{ ' a  b '.split(' ') }}", "['a', 'b_c'] ['a,b', 'c'] ['a', '', 'b'] [] ['', 'a', '', 'b', '']")]
    [InlineData("{{ 'abcabc'.find('c') }} {{ 'abcabc'.rfind('c') }} {{ 'abcabc'.count('bc') }} {{ 'x'.zfill(3) }} {{ 'x'.ljust(3) }}|{{ 'a=b=c'.partition('=') }} {{ 'a=b=c'.rpartition('=') }}", "2 5 2 00x x  |('a', '=', 'b=c') ('a=b', '=', 'c')")]
    [InlineData("{{ '12'.isdigit() }} {{ 'ab'.isalpha() }} {{ ' '.isspace() }} {{ 'AB'.isupper() }} {{ 'a1'.isalnum() }} {{ 'xab'.removeprefix('x') }} {{ 'abx'.removesuffix('x') }}", "True True True True True ab ab")]
    [InlineData("{{ 10 // 3 }} {{ -10 // 3 }} {{ 10 % -3 }} {{ -10 % 3 }} {{ 10.5 // 3 }} {{ 2**-1 }} {{ 7.0 }} {{ 1e3 }} {{ 123456789012345680.0 }} {{ 0.00001 }} {{ 1/3 }} {{ 5.0 % 3 }}", "3 -4 -2 2 3.0 0.5 7.0 1000.0 1.2345678901234568e+17 1e-05 0.3333333333333333 2.0")]
    [InlineData("{{ 3.14159|round(2) }} {{ 2.5|round }} {{ 2.4|round(0,'ceil') }} {{ 1234|round(-2) }} {{ 3|round }} {{ '0x1f'|int(base=16) }} {{ ' 12 '|int }} {{ '1.9'|int }} {{ none|int }} {{ 'a'|float }}", "3.14 2.0 3.0 1200 3 31 12 1 0 0.0")]
    [InlineData("{{ true and 'x' }} {{ false or 'y' }} {{ 0 or '' or none }} {{ not 0 }} {{ 1 in [1] and 2 not in [1] }} {{ 'a' < 'b' }} {{ [1,2] < [1,3] }} {{ (1,) == (1,) }} {{ [1] == (1,) }} {{ {} == {} }} {{ none == false }}", "x y None True True True True True False True False")]
    [InlineData("{{ undefined_thing }}|{{ undefined_thing is defined }}|{{ undefined_thing|default('x') }}|{{ undefined_thing or 'y' }}|{{ undefined_thing == none }}|{{ undefined_thing|length }}", "|False|x|y|False|0")]
    [InlineData("{% set a = [1,2] %}{% set b = a + [3] %}{{ a }}{{ b }}{% if a and b %}ok{% endif %}", "[1, 2][1, 2, 3]ok")]
    [InlineData("{% set ns = namespace(x=1, y='a') %}{% set ns.x = ns.x + 1 %}{{ ns.x }}{{ ns.y }}", "2a")]
    [InlineData("{% for i in range(3) %}{{ loop.index }}{{ loop.revindex0 }}{{ loop.depth }}{% for j in 'ab' %}{{ loop.depth0 }}{{ loop.changed(i) }}{% endfor %}{% endfor %}", "1210True0False2110True0False3010True0False")]
    [InlineData("{% for k in {'x':1,'y':2} %}{{ k }}{% endfor %}{% for k, v in {'x':1}|dictsort %}{{ k }}{{ v }}{% endfor %}", "xyx1")]
    [InlineData("{% macro f(x, y=x) %}{{ x }}{{ y }}{% endmacro %}{{ f(1) }}{{ f(1, 2) }}{{ f(y=3, x=2) }}", "111223")]
    [InlineData("{% macro outer() %}<{{ caller('z') }}>{% endmacro %}{% call(v) outer() %}{{ v }}!{% endcall %}", "<z!>")]
    [InlineData("{% if x is not defined %}a{%- else -%}b{% endif %}   c\n  {%- set q = 'w' -%}   {{- q -}}   ", "a   cw")]
    [InlineData("{{ \"a\\tb\\u00e9\\x41\" }} {{ 'a\\\\n' }} {{ \"\\d\" }}", "a\tbéA a\\n \\d")]
    [InlineData("{{ 'x' ~ 1 ~ 2.0 ~ true ~ none ~ [1] ~ undefined_thing }}", "x12.0TrueNone[1]")]
    [InlineData("{{ 1 if false }}|{{ 'a' if true else 'b' if false else 'c' }}|{{ ('a' if false else 'b') ~ 'c' }}", "|a|bc")]
    [InlineData("{{ 4 is even }} {{ 4 is odd }} {{ 'a' is in 'abc' }} {{ 3 is number }} {{ true is number }} {{ true is integer }} {{ 1.0 is float }} {{ none is string }} {{ [] is sequence }} {{ {} is iterable }} {{ 'A' is upper }} {{ 4 is gt 3 }} {{ 1 is sameas 1 }} {{ 4 is divisibleby(2) }} {{ dict is callable }}", "True False True True True False True False True True True True True True True")]
    [InlineData("{{ [1,2,3][1:][0] }} {{ 'abcdef'[-3:-1] }} {{ [1,2,3][::-1] }} {{ 'abc'[5:] }}| {{ [1,2,3][10] is defined }} {{ {'a':1}['b'] is defined }} {{ [1,2][-1] }}", "2 de [3, 2, 1] | False False 2")]
    [InlineData("{{ {'a':1}.get('b') }} {{ {'a':1}.get('b', 2) }} {{ {'a':1}.keys()|list }} {{ {'a':1}.values()|list }} {{ dict(a=1, b='x') }} {{ {1:2, 'a':none, true:3} }}", "None 2 ['a'] [1] {'a': 1, 'b': 'x'} {1: 3, 'a': None}")]
    [InlineData("{{ ['a','b']|map('upper')|join }} {{ [1,none,2]|select|list }} {{ [1,2,3]|reject('equalto', 2)|list }} {{ [{'a':1},{'b':2}]|map(attribute='a', default=0)|list }} {{ ['ab','c']|map('replace','a','z')|list }}", "AB [1, 2] [1, 3] [1, 0] ['zb', 'c']")]
    [InlineData("{{ '<a href=\"x\">\\'&'|e }} {{ 'a'|safe }} {{ '%s=%d %5.1f|%-4s|%04d' % ('a', 3, 2.25, 'x', 7) }} {{ '{} {1}'|replace('{','[') }} {{ '{0}-{1}-{0}'.format('a','b') }}", "&lt;a href=&#34;x&#34;&gt;&#39;&amp; a a=3   2.2|x   |0007 [} [1} a-b-a")]
    [InlineData("{% filter trim %}  a {% endfilter %}|{% set v | upper %}ab{% endset %}{{ v }}|{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}", "a|AB|3")]
    [InlineData("{% for i in [1,2,3,4] if i is odd %}{{ loop.index }}/{{ loop.length }}:{{ i }} {% else %}none{% endfor %}\na{# c #}b\n{%- if true %}x\n{%- endif %}\n  {# c #}\ny\nline\n    {% if true %}\n    in\n    {% endif %}\n  {{ 'v' }}  \n    {%+ if true %}kept{% endif %}\nend", "1/2:1 2/2:3 abxy\nline\n    in\n  v  \n    keptend")]
    [InlineData("{{ messages|tojson }}", "[{\"role\": \"user\", \"content\": \"héllo\"}, {\"role\": \"assistant\", \"content\": null}]")]
    [InlineData("{{ messages[0]['content'][:2] + '..' }}{{ messages[-1].role }}{{ messages|length }}{{ messages[1:]|length }}", "hé..assistant21")]
    [InlineData("{{ 'é中🦙'|tojson }} {{ 'é'|tojson(ensure_ascii=true) }} {{ '</script>'|tojson }} {{ 1.0|tojson }} {{ [1,2]|tojson(separators=(',',':')) }} {{ {'b':1,'a':2}|tojson(sort_keys=true) }}", "\"é中🦙\" \"\\u00e9\" \"</script>\" 1.0 [1,2] {\"a\": 2, \"b\": 1}")]
    [InlineData("a{# c #}b\n{%- if true %}x\n{%- endif %}\n  {# c #}\ny\nline\n    {% if true %}\n    in\n    {% endif %}\n  {{ 'v' }}  \n    {%+ if true %}kept{% endif %}\nend\n", "abxy\nline\n    in\n  v  \n    keptend")]
    public void Render_Template_GivesWhatJinja2Gave(string template, string expected) =>
        Assert.Equal(expected, ChatTemplate.Parse(template).Render([new ChatMessage("user", "héllo"), new ChatMessage("assistant", null)], new ChatTemplateOptions { SpecialTokens = new Dictionary<string, string> { ["bos_token"] = "<s>" }, VariablesJson = """{"d": {}}""" }));
}
