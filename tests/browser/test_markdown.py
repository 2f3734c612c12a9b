# ruff: noqa: E501, RUF001  # a table of texts
"""Markdown in the element: what a text becomes, what never comes of it, and how it grows."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.async_api import Page

# Trees in few words: no attribute but those that say something, a tight item's text without its
# paragraph, code without what is around it.
SIMPLE = """
const TOLD = ["href", "title", "start", "colspan", "data-align", "data-language", "data-loose",
  "data-task"];
const simple = (node) => {
  if (node instanceof Text) return node.data.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const inner = [...node.childNodes].map(simple).join("");
  const tight = node.localName === "p" && node.parentElement.localName === "li" &&
    !node.closest("[data-loose]");
  if (tight || node.matches("div, pre")) return inner;
  if (node.localName === "figcaption") return "";
  const told = TOLD.filter((name) => node.hasAttribute(name))
    .map((name) => ` ${name}="${node.getAttribute(name)}"`.replace(/=""$/, ""));
  const end = node.matches("br, hr") ? "" : `</${node.localName}>`;
  return `<${node.localName}${told.join("")}>${inner}${end}`;
};
const rendered = (source, growing = false, host = document.createElement("div")) => {
  modules.renderMarkdown(host, source, () => {}, growing);
  return host;
};
"""

PARAGRAPHS = [
    ("", ""),
    ("one\ntwo", "<p>one\ntwo</p>"),
    ("one\n\n\ntwo\n", "<p>one</p><p>two</p>"),
    ("  one\n     two", "<p>one\ntwo</p>"),
    ("one  \ntwo\\\nthree", "<p>one<br>two<br>three</p>"),
    ("one<br>two<br />three", "<p>one<br>two<br>three</p>"),
    ("a\r\nb\rc", "<p>a\nb\nc</p>"),
    ("nul \0", "<p>nul \ufffd</p>"),
]

HEADINGS = [
    ("# One\n## Two\n### Three", "<h3>One</h3><h4>Two</h4><h5>Three</h5>"),
    ("#### Four\n##### Five\n###### Six", "<h6>Four</h6><h6>Five</h6><h6>Six</h6>"),
    ("####### seven", "<p>####### seven</p>"),
    ("#hashtag\n\n\\# no", "<p>#hashtag</p><p># no</p>"),
    ("## Closed ##\n# C#\n#", "<h4>Closed</h4><h3>C#</h3><h3></h3>"),
    ("One *more*\n===\nTwo\n---", "<h3>One <em>more</em></h3><h4>Two</h4>"),
    ("two\nlines\n---", "<h4>two\nlines</h4>"),
    ("---\n***\n_ _ _", "<hr><hr><hr>"),
]

CODE = [
    (
        "```python\nx = 1\n\n\ty\n```",
        '<figure data-language="python"><code>x = 1\n\n\ty</code></figure>',
    ),
    (
        "~~~ js title=a\n```\n~~~",
        '<figure data-language="js"><code>```</code></figure>',
    ),
    (
        "````md\n```js\na\n```\n````",
        '<figure data-language="md"><code>```js\na\n```</code></figure>',
    ),
    ("```\nunclosed\n", "<figure><code>unclosed</code></figure>"),
    ("> ```\n> a\nb", "<blockquote><figure><code>a</code></figure></blockquote><p>b</p>"),
    ("   ```\n   a\n     b\n   ```", "<figure><code>a\n  b</code></figure>"),
    (">\t\ta", "<blockquote><figure><code>  a</code></figure></blockquote>"),
    ("    a\n\n      b\n\nc", "<figure><code>a\n\n  b</code></figure><p>c</p>"),
    ("```\n<b>&amp;*a*\n```", "<figure><code>&lt;b>&amp;amp;*a*</code></figure>"),
    ("``` a`b\n", "<p>``` a`b</p>"),
]

QUOTES = [
    ("> a\n> b\nlazy", "<blockquote><p>a\nb\nlazy</p></blockquote>"),
    (
        ">>> a\n> b\n\nc",
        "<blockquote><blockquote><blockquote><p>a\nb</p></blockquote></blockquote></blockquote><p>c</p>",
    ),
    ("> # a\n> - b", "<blockquote><h3>a</h3><ul><li>b</li></ul></blockquote>"),
    ("> a\n\n> b", "<blockquote><p>a</p></blockquote><blockquote><p>b</p></blockquote>"),
    ("> a\n---", "<blockquote><p>a</p></blockquote><hr>"),
]

LISTS = [
    ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
    ("- a\n\n- b", "<ul data-loose><li><p>a</p></li><li><p>b</p></li></ul>"),
    ("- a\n* b", "<ul><li>a</li></ul><ul><li>b</li></ul>"),
    ("3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'),
    ("1. a\n1) b", "<ol><li>a</li></ol><ol><li>b</li></ol>"),
    (
        "- a\n  - b\n    1. c\n- d",
        "<ul><li>a<ul><li>b<ol><li>c</li></ol></li></ul></li><li>d</li></ul>",
    ),
    (
        "- a\n  - b\n\n- c",
        "<ul data-loose><li><p>a</p><ul><li><p>b</p></li></ul></li><li><p>c</p></li></ul>",
    ),
    ("- a\n\n  b", "<ul data-loose><li><p>a</p><p>b</p></li></ul>"),
    ("- a\n  > b\n  >\n- c", "<ul><li>a<blockquote><p>b</p></blockquote></li><li>c</li></ul>"),
    ("- a\n-\n- b", "<ul><li>a</li><li></li><li>b</li></ul>"),
    ("- a\n-\n\n- b", "<ul data-loose><li><p>a</p></li><li></li><li><p>b</p></li></ul>"),
    ("-\n\n  a", "<ul><li></li></ul><p>a</p>"),
    ("10. ```\n    a\n    ```", '<ol start="10"><li><figure><code>a</code></figure></li></ol>'),
    ("-\ta\n\n\tb", "<ul data-loose><li><p>a</p><p>b</p></li></ul>"),
    ("In\n1986. was\n* ", "<p>In\n1986. was\n*</p>"),
    ("text\n- a\ntext\n1. b", "<p>text</p><ul><li>a\ntext</li></ul><ol><li>b</li></ol>"),
    (
        "- [x] *a*\n- [ ] b\n- [ ]\n- [y] c",
        '<ul><li data-task="done"><span></span><em>a</em></li>'
        '<li data-task="open"><span></span>b</li><li>[ ]</li><li>[y] c</li></ul>',
    ),
    ("-a\n\n1.b\n\n1234567890. c", "<p>-a</p><p>1.b</p><p>1234567890. c</p>"),
]

TABLES = [
    (
        "| a | b |\n|:-:|--:|\n| 1 | *2* |\ntext",
        '<table><thead><tr><th data-align="center">a</th><th data-align="right">b</th></tr></thead>'
        '<tbody><tr><td data-align="center">1</td><td data-align="right"><em>2</em></td></tr>'
        '<tr><td data-align="center">text</td><td></td></tr></tbody></table>',
    ),
    (
        "a | b | c\n-- | - | -\n1\n1 | 2 | 3 | 4\n\nc",
        "<table><thead><tr><th>a</th><th>b</th><th>c</th></tr></thead><tbody><tr><td>1</td>"
        '<td colspan="2"></td></tr><tr><td>1</td><td>2</td><td>3</td></tr></tbody></table><p>c</p>',
    ),
    (
        "| a |\n|---|\n| `x \\| y` \\|\\\\ |\n> q",
        "<table><thead><tr><th>a</th></tr></thead><tbody><tr><td><code>x | y</code> |\\</td></tr>"
        "</tbody></table><blockquote><p>q</p></blockquote>",
    ),
    (
        "text\n| a |\n|---|",
        "<p>text</p><table><thead><tr><th>a</th></tr></thead><tbody></tbody></table>",
    ),
    ("| a | b |\n|---|", "<p>| a | b |\n|---|</p>"),
]

EMPHASIS = [
    (
        "*a* _b_ **c** __d__ ~~e~~",
        "<p><em>a</em> <em>b</em> <strong>c</strong> <strong>d</strong> <del>e</del></p>",
    ),
    ("snake_case_words, 2 * 3 * 4, a~5~b", "<p>snake_case_words, 2 * 3 * 4, a~5~b</p>"),
    ("in*fix*es **x**y", "<p>in<em>fix</em>es <strong>x</strong>y</p>"),
    ("**bold *both***", "<p><strong>bold <em>both</em></strong></p>"),
    ("***a** b*", "<p><em><strong>a</strong> b</em></p>"),
    ("*foo**bar**baz*", "<p><em>foo<strong>bar</strong>baz</em></p>"),
    ("*foo**bar*", "<p><em>foo**bar</em></p>"),
    ("**foo*", "<p>*<em>foo</em></p>"),
    ("* a *", "<ul><li>a *</li></ul>"),
    ("*a `*` b*", "<p><em>a <code>*</code> b</em></p>"),
    ("*[a*](https://b.example/)", '<p>*<a href="https://b.example/">a*</a></p>'),
    ("**「強調」**です", "<p><strong>「強調」</strong>です</p>"),
    ("\\*a\\* \\a \\\\", "<p>*a* \\a \\</p>"),
]

INLINES = [
    ("`a` ``b ` c`` ` `` ` `` d", "<p><code>a</code> <code>b ` c</code> <code>``</code> `` d</p>"),
    ("`<b>\\`", "<p><code>&lt;b>\\</code></p>"),
    (
        "&amp; &lt; &quot; &#65; &#x1F600; &#0; &#xD800; &no; &",
        '<p>&amp; &lt; " A \U0001f600 \ufffd \ufffd &amp;no; &amp;</p>',
    ),
    ('<b onclick="x()">a</b> <!-- b -->', '<p>&lt;b onclick="x()">a&lt;/b> &lt;!-- b --></p>'),
]

LINKS = [
    ("[a *b*](https://c.d/e)", '<p><a href="https://c.d/e">a <em>b</em></a></p>'),
    ('[a](https://b.c/ "d &amp; \\"e")', '<p><a href="https://b.c/" title="d & "e">a</a></p>'),
    ("[a](https://b.c/d_(e))", '<p><a href="https://b.c/d_(e)">a</a></p>'),
    ("[a](<https://b.c/d e>)", '<p><a href="https://b.c/d%20e">a</a></p>'),
    (
        "[a [b] `]` \\] c](https://d.e/)",
        '<p><a href="https://d.e/">a [b] <code>]</code> ] c</a></p>',
    ),
    (
        "[a [b](https://c.d/)](https://e.f/)",
        '<p>[a <a href="https://c.d/">b</a>](<a href="https://e.f/">https://e.f/</a>)</p>',
    ),
    ("[https://a.b/c](https://d.e/)", '<p><a href="https://d.e/">https://a.b/c</a></p>'),
    ("![a *b*](https://c.d/e.png)", '<p><a href="https://c.d/e.png">a <em>b</em></a></p>'),
    ("![](https://a.b/c.png)", '<p><a href="https://a.b/c.png">https://a.b/c.png</a></p>'),
    ("[![a](https://b.c/d.png)](https://e.f/)", '<p><a href="https://e.f/">a</a></p>'),
    ("<https://a.b/?c=d>", '<p><a href="https://a.b/?c=d">https://a.b/?c=d</a></p>'),
    ("<a@b.c>", '<p><a href="mailto:a@b.c">a@b.c</a></p>'),
    ("(at https://a.b/c_(d).)", '<p>(at <a href="https://a.b/c_(d)">https://a.b/c_(d)</a>.)</p>'),
    ("**https://a.b/**, c", '<p><strong><a href="https://a.b/">https://a.b/</a></strong>, c</p>'),
    ("見て:https://a.b/c。はい", '<p>見て:<a href="https://a.b/c">https://a.b/c</a>。はい</p>'),
    ("xhttps://a.b https:// http", "<p>xhttps://a.b https:// http</p>"),
    ("[a](b (c (d))", "<p>[a](b (c (d))</p>"),
    ("[a] [b][c] [d](e f) [g](", "<p>[a] [b][c] [d](e f) [g](</p>"),
]


REFERENCES = [
    ("[a][1] [b][] [c]\n\n[1]: https://d.e/ 'T'\n[B]: <https://f.g/>\n[c]:\n  https://h.i/",
     '<p><a href="https://d.e/" title="T">a</a> <a href="https://f.g/">b</a> '
     '<a href="https://h.i/">c</a></p>'),
    ("[a][no] [b] [c]: d", "<p>[a][no] [b] [c]: d</p>"),
    ("[a]: javascript:x\n\n[a]", "<p>a</p>"),
    ("[^a]: x\n\n[^a]: y", "<p><sup>1</sup>: y</p><section><ol><li>x</li></ol></section>"),
    ("![p][1]\n\n[1]: https://d.e/f.png", '<p><a href="https://d.e/f.png">p</a></p>'),
    ("A[^1] and[^n], not[^2]\n\n[^n]: The *n*\n    goes on\n\n[^1]: One\n\n    more\n\nend",
     "<p>A<sup>2</sup> and<sup>1</sup>, not[^2]</p><p>end</p>"
     "<section><ol data-loose><li><p>The <em>n</em>\ngoes on</p></li><li><p>One</p><p>more</p></li></ol></section>"),
]  # fmt: skip

FORMULAS = [
    (r"\(a_1 * b_2 * c\)", r"<p><span>\(a_1 * b_2 * c\)</span></p>"),
    ("\\[\n\\frac{a}{b}\n- c \\\\\n= d\n\\]\n# e",
     "<p><span>\\[\n\\frac{a}{b}\n- c \\\\\n= d\n\\]</span></p><h3>e</h3>"),
    ("so $$x_i * y_j$$ and $a_b$ or $\\{x\\}$",
     "<p>so <span>$$x_i * y_j$$</span> and <span>$a_b$</span> or <span>$\\{x\\}$</span></p>"),
    ("$5 and *$6*, **$a**, **$b**, `$c` $d",
     "<p>$5 and <em>$6</em>, <strong>$a</strong>, <strong>$b</strong>, <code>$c</code> $d</p>"),
    ("\\[ a \\( b", "<p>[ a ( b</p>"),
    ("$$ is money\n- a\n\n$$", "<p>$$ is money</p><ul><li>a</li></ul><p>$$</p>"),
]  # fmt: skip

PLACE = '<p>{}<a href="https://a.example/b">https://a.example/b</a>{}</p>'
ENDS = [
    (before + "https://a.example/b" + after, PLACE.format(before, after))
    for before, after in [
        ("“", "”."), ("„", "“"), ("‘", "’"), ("«", "»"), ("", "—that"), ("", "– x"), ("", "…"),
        ("", "、c"), ("", "了解更多"), ("", "です"), ("", "، ثم"), ("", "।"), ("", "\u200bx"), ("", "·c"),
        ("", "¿no"), ("", "'s"), ("", "'s."), ("(", ")."), ("", "?!"), ("", "\u202ex"),
    ]
]  # fmt: skip
ADDRESSES = [
    ("www.a.example/b, www.x, awww.b.c",
     '<p><a href="http://www.a.example/b">www.a.example/b</a>, www.x, awww.b.c</p>'),
    ("Ask a_b+c@d-e.example. or a@b or @c.d",
     '<p>Ask <a href="mailto:a_b+c@d-e.example">a_b+c@d-e.example</a>. or a@b or @c.d</p>'),
    ("mailto:a@b.example", '<p><a href="mailto:a@b.example">mailto:a@b.example</a></p>'),
    ("https://zh.example/wiki/中文 ok",
     '<p><a href="https://zh.example/wiki/%E4%B8%AD%E6%96%87">https://zh.example/wiki/中文</a> ok</p>'),
    ("https://a.example/?b=c&d; e", '<p><a href="https://a.example/?b=c">https://a.example/?b=c</a>'
     "&amp;d; e</p>"),
]  # fmt: skip

BESIDE = [
    ("[https://bank.example](https://evil.example/p)",
     '<p><a href="https://evil.example/p">https://bank.example</a><span> (evil.example)</span></p>'),
    ("[Go to **bank**.example](https://evil.example/)",
     '<p><a href="https://evil.example/">Go to <strong>bank</strong>.example</a>'
     "<span> (evil.example)</span></p>"),
    ("[ask@bank.example](mailto:a@evil.example)",
     '<p><a href="mailto:a@evil.example">ask@bank.example</a><span> (evil.example)</span></p>'),
    ("https://bank.example@evil.example/",
     '<p><a href="https://bank.example@evil.example/">https://bank.example@evil.example/</a>'
     "<span> (evil.example)</span></p>"),
    ("[bank\u200b.example](https://evil.example/)",
     '<p><a href="https://evil.example/">bank.example</a><span> (evil.example)</span></p>'),
    ("[bank．example](https://evil.example/)",
     '<p><a href="https://evil.example/">bank．example</a><span> (evil.example)</span></p>'),
    ("[10.0.0.1](https://evil.example/)",
     '<p><a href="https://evil.example/">10.0.0.1</a><span> (evil.example)</span></p>'),
    ("[bank.example](https://bank.example.evil.example/)",
     '<p><a href="https://bank.example.evil.example/">bank.example</a>'
     "<span> (bank.example.evil.example)</span></p>"),
    ("[docs at bank.example](https://www.bank.example/) [b.example](https://c.b.example/)",
     '<p><a href="https://www.bank.example/">docs at bank.example</a> '
     '<a href="https://c.b.example/">b.example</a></p>'),
    ("[Node.js 3.11 e.g. page.tsx](https://nodejs.example/)",
     '<p><a href="https://nodejs.example/">Node.js 3.11 e.g. page.tsx</a></p>'),
    ("[moc.\u202eelpmaxe\u202c](https://evil.example/)",
     '<p><a href="https://evil.example/">moc.elpmaxe</a><span> (evil.example)</span></p>'),
]  # fmt: skip

ENTITIES = [
    ("&mdash; &rarr; &copy; &Auml; &hellip; &euro; &thetasym; &mdash &nope; `&mdash;`",
     "<p>— → © Ä … € ϑ &amp;mdash &amp;nope; <code>&amp;mdash;</code></p>"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "expected"),
    REFERENCES + FORMULAS + ENDS + ADDRESSES + BESIDE + ENTITIES,
)
async def test_what_models_write_besides_becomes(
    modules_page: Page, source: str, expected: str
) -> None:
    shown = await modules_page.evaluate(
        f"(source) => {{ {SIMPLE} return [...rendered(source).childNodes].map(simple).join(''); }}",
        source,
    )
    assert shown == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    PARAGRAPHS + HEADINGS + CODE + QUOTES + LISTS + TABLES + EMPHASIS + INLINES + LINKS,
)
async def test_a_text_becomes(modules_page: Page, source: str, expected: str) -> None:
    shown = await modules_page.evaluate(
        f"(source) => {{ {SIMPLE} return [...rendered(source).childNodes].map(simple).join(''); }}",
        source,
    )
    assert shown == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a **bold", "<p>a <strong>bold</strong></p>"),
        ("a **bold*", "<p>a <strong>bold</strong></p>"),
        ("a **bold *both", "<p>a <strong>bold <em>both</em></strong></p>"),
        ("a **", "<p>a </p>"),
        ("a `code", "<p>a <code>code</code></p>"),
        ("a [label", "<p>a label</p>"),
        ("a [label]", "<p>a label</p>"),
        ("a [label](https://b.exam", "<p>a label</p>"),
        ('a [label](https://b.example/ "ti', "<p>a label</p>"),
        ("a\n-", "<p>a</p>"),
        ("a\n--", "<p>a</p>"),
        ("a\n\n- b\n- ", "<p>a</p><ul><li>b</li></ul>"),
        ("a\n\n##", "<p>a</p>"),
        ("a\n\n```py", "<p>a</p>"),
        ("```py\nb\n``", '<figure data-language="py"><code>b</code></figure>'),
        (
            "| a | b |\n| --",
            "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody></tbody></table>",
        ),
        ("2 * 3 and snake_", "<p>2 * 3 and snake</p>"),
    ],
)
async def test_the_end_of_a_growing_text_looks_as_it_will(
    modules_page: Page, source: str, expected: str
) -> None:
    shown = await modules_page.evaluate(
        f"(source) => {{ {SIMPLE}"
        " return [...rendered(source, true).childNodes].map(simple).join(''); }",
        source,
    )
    assert shown == expected


UNSAFE = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java&#x0A;script:alert(1)",
    "java&#9;script:alert(1)",
    "javascript&#58;alert(1)",
    "&#106;avascript:alert(1)",
    "\\javascript:alert(1)",
    "\x01javascript:alert(1)",
    "java\x00script:alert(1)",
    "javascript://a.example/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD4=",
    "vbscript:msgbox(1)",
    "view-source:javascript:alert(1)",
    "blob:https://a.example/1",
    "file:///etc/passwd",
    "intent://a#Intent;end",
    "",
]

# Everything that Markdown may ever make, with the attributes that it may have.
ALLOWED = """
const ATTRIBUTES = ["href", "target", "rel", "title", "data-address", "start", "colspan", "dir",
  "data-align", "data-language", "data-loose", "data-task", "role", "aria-label", "aria-live",
  "tabindex", "type", "class"];
const ELEMENTS = "p h3 h4 h5 h6 blockquote ul ol li hr br em strong del code a span pre figure " +
  "figcaption button table thead tbody tr th td";
const strange = (host) => {
  const all = [...host.querySelectorAll("*")].filter((node) => !node.closest("svg"));
  const known = (node) => ELEMENTS.split(" ").includes(node.localName) || node.matches("div.table");
  const safe = ({ protocol }) => ["http:", "https:", "mailto:"].includes(protocol);
  return [
    ...all.filter((node) => !known(node)).map((node) => node.outerHTML),
    ...all.flatMap((node) => node.getAttributeNames())
      .filter((name) => !ATTRIBUTES.includes(name)),
    ...all.filter((node) => node.localName === "a" && !safe(node)).map((node) => node.outerHTML),
    ...[...host.querySelectorAll("a a, button a, a button")].map((node) => node.outerHTML),
  ];
};
"""

STRANGE = (
    f"([source, growing]) => {{ {SIMPLE} {ALLOWED} return strange(rendered(source, growing)); }}"
)


@pytest.mark.parametrize("address", UNSAFE)
@pytest.mark.parametrize("form", ["[a]({})", "[a](<{}>)", "![a]({})", '[a]({} "b")', "<{}>", "{}"])
async def test_nobody_is_sent_to_an_unsafe_address(
    modules_page: Page, address: str, form: str
) -> None:
    links = await modules_page.evaluate(
        f"(source) => {{ {SIMPLE} return [...rendered(source).querySelectorAll('a')]"
        ".map(({ protocol }) => protocol).filter((protocol) => !/^https?:$/.test(protocol)); }",
        form.format(address),
    )
    assert links == []


FRAGMENTS = [
    *("*", "**", "_", "~~", "`", "```", "~~~", "[", "]", "(", ")", "![", "](", "<", ">", "|", "\\"),
    *(
        "#",
        "- ",
        "1. ",
        "> ",
        "    ",
        "\t",
        "\n",
        "\n\n",
        "\r\n",
        "---\n",
        "|-|-|\n",
        "- [x] ",
        "&",
    ),
    *("https://a.example/", "[a](https://b.example/)", "chatkit-link://c?d=e", "&#x6a;", '"', "'"),
    *(
        "<img src=x onerror=alert(1)>",
        "<script>alert(1)</script>",
        "<svg/onload=alert(1)>",
        "<a@b.c>",
    ),
    *(
        "javascript:alert(1)",
        "[a](javascript:alert(1))",
        "<javascript:alert(1)>",
        "data:text/html,",
    ),
    *("\0", "\x01", "\u202e", "\u2028", "\ud83d\ude00", "日本", "\u00a0", "a", "word ", "</p>"),
]
SOURCES = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=3), max_size=40).map("".join)

fuzzed = settings(max_examples=300, derandomize=True)


@fuzzed
@given(source=SOURCES, growing=st.booleans())
async def test_no_text_makes_anything_but_markdown(
    modules_page: Page, source: str, growing: bool
) -> None:
    assert await modules_page.evaluate(STRANGE, [source, growing]) == []


@fuzzed
@given(source=SOURCES)
async def test_a_text_that_grew_is_the_text_at_once(modules_page: Page, source: str) -> None:
    grew, at_once = await modules_page.evaluate(
        f"""(source) => {{ {SIMPLE}
          const host = document.createElement("div");
          for (let end = 0; end < source.length; end++) rendered(source.slice(0, end), true, host);
          return [rendered(source, false, host).innerHTML, rendered(source).innerHTML];
        }}""",
        source,
    )
    assert grew == at_once


LONG = """\
# Title with **bold** and `code`

A paragraph with [a link](https://a.example/b_(c) "d"), ![an image](https://a.example/e.png),
https://a.example/, snake_case and ~~an error~~.\\
A line &amp; more <b>raw</b>.

1. one
   - nested
     > quoted

     ```python
     print("`")
     ```
2. two

   loose

- [x] done
- [ ] open

Setext
------

| a | b |
|:--|--:|
| 1 | `x \\| y` |
| 2 |

> quote
> > inner
lazy

~~~~
~~~
~~~~

    indented

***

[a task](chatkit-link://task?id=1) 日本**「語」**です مرحبا
"""


async def test_a_text_may_end_anywhere(modules_page: Page) -> None:
    grew, at_once, strange = await modules_page.evaluate(
        f"""(source) => {{ {SIMPLE} {ALLOWED}
          const host = document.createElement("div");
          const found = [];
          for (let end = 0; end <= source.length; end++) {{
            found.push(...strange(rendered(source.slice(0, end), true, host)));
            found.push(...strange(rendered(source.slice(0, end))));
          }}
          return [rendered(source, false, host).innerHTML, rendered(source).innerHTML, found];
        }}""",
        LONG,
    )
    assert strange == []
    assert grew == at_once


async def test_what_is_unchanged_keeps_its_nodes(modules_page: Page) -> None:
    pieces = [
        "# a\n\nb",
        " c\n\n```\nd",
        "\ne\n```\n\n- f",
        "\n- g",
        "\n\n- h",
        "\n\n|i|\n|-|\n|j|",
        "\n|k|",
    ]
    kept = await modules_page.evaluate(
        f"""(pieces) => {{ {SIMPLE}
          const host = document.createElement("div");
          let source = "";
          return pieces.flatMap((piece) => {{
            const before = [...host.querySelectorAll("*")];
            rendered(source += piece, true, host);
            return before.filter((node) => !host.contains(node)).map((node) => node.outerHTML);
          }});
        }}""",
        pieces,
    )
    assert kept == []


async def test_a_growing_text_costs_its_last_block(modules_page: Page) -> None:
    most = await modules_page.evaluate(
        f"""async () => {{ {SIMPLE}
          const host = document.createElement("div");
          const paragraph = "Some *words* and `code`.\\n\\n".repeat(300);
          rendered(paragraph, true, host);
          const changes = new MutationObserver(() => {{}});
          changes.observe(host, {{ childList: true, characterData: true, subtree: true }});
          const counts = [..."A last **one**"].map((_, i, all) => {{
            rendered(paragraph + all.slice(0, i + 1).join(""), true, host);
            return changes.takeRecords().length;
          }});
          return Math.max(...counts);
        }}"""
    )
    assert most <= 4


async def test_a_selection_survives_what_comes_after_it(modules_page: Page) -> None:
    selected = await modules_page.evaluate(
        f"""() => {{ {SIMPLE}
          const host = rendered("First words", true);
          document.body.append(host);
          const text = host.querySelector("p").firstChild;
          getSelection().setBaseAndExtent(text, 0, text, text.length);
          rendered("First words and **more", true, host);
          rendered("First words and **more**\\n\\nof them\\n\\n- a", true, host);
          const selected = getSelection().toString();
          host.remove();
          return selected;
        }}"""
    )
    assert selected == "First words"


PIECES = [
    *("[", "![", "[a](", "](", "[a](b 'c", "[a](<b", "[x](y)", "[[a](b)", "[a]", "(", ")", "!"),
    *("*", "**a ", "*a _b ", "a**b", "*a** ", "_a ", "~~a", "~~a~~ ", "**a** ", "***a* ", "日**"),
    *("`", "` ", "``a`", "&", "<", "<a:", "<https://a", "\\", "h", "https://", "https://a.b/)))"),
    *("> ", ">", "- ", "1. ", "* ", "-", "+ +", "    ", "\t", " ", "> - ", "- > ", "-\n", ">\n"),
    *("| ", "| | |\n", "|-", "a|b\n-|-\n", "```\n", "```a ", "~~~\n", "#", "# a #", "=", "=\n"),
    *("a\n", "a  \n", "\n", "a\n\n", "- a\n\n", "- [ ] ", "- [x] a\n", "https://a.b/ ", "a "),
]


@pytest.mark.parametrize("piece", PIECES)
async def test_no_text_is_too_much(modules_page: Page, piece: str) -> None:
    async with asyncio.timeout(20):
        for source in (piece * (100_000 // len(piece)), _nested(piece)):
            for growing in (False, True):
                elements, shown = await modules_page.evaluate(
                    f"""([source, growing]) => {{ {SIMPLE}
                      const host = rendered(source + "\\nthe end", growing);
                      return [host.querySelectorAll("*").length, host.textContent];
                    }}""",
                    [source, growing],
                )
                assert elements < 12_000
                assert shown.endswith("the end")


def _nested(piece: str) -> str:
    """One line more of it in each line."""
    return "\n".join(piece * n + "a" for n in range(1, 400 // len(piece)))


@pytest.mark.parametrize(
    "source",
    [
        " ".join("`" * n for n in range(1, 400)) + "` " * 20_000,
        "_a " * 100_000 + "a* " * 100_000,
        "[" * 50_000 + "](a" * 50_000,
    ],
    ids=["backticks", "marks", "brackets"],
)
async def test_nothing_is_looked_for_in_vain_again_and_again(
    modules_page: Page, source: str
) -> None:
    async with asyncio.timeout(20):
        await modules_page.evaluate(f"(source) => {{ {SIMPLE} rendered(source); }}", source)


async def test_depth_has_an_end(modules_page: Page) -> None:
    depths = await modules_page.evaluate(
        f"""(sources) => {{ {SIMPLE}
          const depth = (node) => 1 + Math.max(0, ...[...node.children].map(depth));
          return sources.map((source) => depth(rendered(source)));
        }}""",
        [
            ">" * 5000 + "a",
            "- " * 5000 + "a",
            "*a **b " * 5000 + "c** d*" * 5000,
            "*" * 9999 + "a" + "*" * 9999,
        ],
    )
    assert max(depths) < 150


async def test_the_task_of_a_deep_link_is_opened(modules_page: Page) -> None:
    opened = await modules_page.evaluate(
        """() => {
          const opened = [];
          const host = document.createElement("div");
          document.body.append(host);
          const follow = (event) => opened.push(event.defaultPrevented);
          document.addEventListener("click", follow);
          const open = (address) => opened.push(address);
          modules.renderMarkdown(host, "[**a**](chatkit-link://task?id=1)", open);
          host.querySelector("strong").click();
          modules.renderMarkdown(host, "<chatkit-link://task?id=2>", open);
          host.querySelector("a").click();
          host.remove();
          document.removeEventListener("click", follow);
          return opened;
        }"""
    )
    assert opened == ["chatkit-link://task?id=1", True, "chatkit-link://task?id=2", True]


async def test_links_open_elsewhere_and_tell_nothing(modules_page: Page) -> None:
    link = await modules_page.evaluate(
        f"""() => {{ {SIMPLE}
          const {{ target, rel }} = rendered("https://a.example/").querySelector("a");
          return [target, rel];
        }}"""
    )
    assert link == ["_blank", "noopener noreferrer"]


async def test_each_block_has_the_direction_of_its_text(modules_page: Page) -> None:
    source = "# مرحبا\n\nhello\n\n`a` مرحبا\n\n- مرحبا\n- hello\n\n> مرحبا"
    directions = await modules_page.evaluate(
        f"""(source) => {{ {SIMPLE}
          const host = rendered(source);
          document.body.append(host);
          const of = (node) => getComputedStyle(node).direction;
          const directions = [...host.querySelectorAll("h3, p, li")].map(of);
          host.remove();
          return directions;
        }}""",
        source,
    )
    assert directions == ["rtl", "ltr", "rtl", "rtl", "rtl", "ltr", "ltr", "rtl"]


@pytest.mark.parametrize(
    ("clipboard", "said"),
    [
        ("{ writeText: async (text) => void (globalThis.copied = text) }", "Copied"),
        ("undefined", "Selected, ready to copy"),
    ],
    ids=["clipboard", "no clipboard"],
)
async def test_code_can_be_copied(modules_page: Page, clipboard: str, said: str) -> None:
    await modules_page.evaluate(
        f"""() => {{ {SIMPLE}
          const clipboard = {{ value: {clipboard}, configurable: true }};
          Object.defineProperty(navigator, "clipboard", clipboard);
          document.execCommand = () => false;
          document.body.replaceChildren(rendered("```python\\nx = 1\\n\\ty\\n```"));
        }}"""
    )
    figure = modules_page.get_by_role("figure")
    assert await figure.locator("figcaption").inner_text() == "python"
    await figure.get_by_role("button", name="Copy code").click()
    await figure.locator("[aria-live=polite]").get_by_text(said, exact=True).wait_for()
    copied = await modules_page.evaluate(
        "() => [globalThis.copied, getSelection().toString().trimEnd()]"
    )
    assert "x = 1\n\ty" in copied
    await modules_page.evaluate(
        """() => {
          delete navigator.clipboard;
          delete document.execCommand;
          delete globalThis.copied;
          document.body.replaceChildren();
        }"""
    )


async def test_what_may_be_wide_can_be_scrolled_by_keyboard(modules_page: Page) -> None:
    names = await modules_page.evaluate(
        f"""() => {{ {SIMPLE}
          const host = rendered("```\\na\\n```\\n\\n|a|\\n|-|\\n");
          return [...host.querySelectorAll("[tabindex='0']")].map((node) => node.localName);
        }}"""
    )
    assert names == ["pre", "div"]
