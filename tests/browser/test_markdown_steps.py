# ruff: noqa: E501  # a table of texts
"""However a text is made, reading it takes steps in proportion to its length: they are counted."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import CDPSession, Page

READ = """([source, growing]) => {
  const read = (trees) => trees.forEach((tree) => tree.inline === undefined
    ? read(tree.children) : modules.parseInline(tree.inline, growing, tree.references));
  looked = 0;
  read(modules.parseBlocks(source, growing));
  return looked;
}"""

# What the engine's own functions look at is not seen in the coverage: it is counted here.
COUNT_BUILT_INS = """() => {
  globalThis.looked = 0;
  const strings = String.prototype;
  const counting = (owner, name, cost) => {
    const real = owner[name];
    owner[name] = function (...given) {
      const found = real.apply(this, given);
      looked += cost(this, given, found);
      return found;
    };
  };
  counting(strings, "indexOf", (text, [, from = 0], at) => (at < 0 ? text.length : at) - from);
  counting(strings, "includes", (text) => text.length);
  for (const name of ["trim", "trimEnd", "toLowerCase", "normalize", "split", "replaceAll"])
    counting(strings, name, (text) => text.length);
  counting(strings, "match", (text) => text.length);
  counting(RegExp.prototype, "exec", (_, [text], found) => found ? found[0].length : 1);
}"""


def repeated(piece: str) -> Callable[[int], str]:
    return lambda size: piece * (size // len(piece))


def numbered(form: str) -> Callable[[int], str]:
    return lambda size: "".join(form.format(n, n + 1) for n in range(size // len(form)))


REPEATED = [
    "http://a.b/(", "http://a.b/", "http://a.b/.", "http://", "www.", "www.a.b(", "a@b.c", "a@", "a.a@b-",
    "mailto:", "[", "[]", "](", "[a](", "[a](<", "[a](b", '[a](b "', "[a](b '", "[a](b (", "![", "![](",
    "*", "_", "*a", "a*", "**a", "a**", "*a_ ", "_a**", "*a **a ", "~~a", "<", "<a:", "<a@a", "<a.a",
    "&", "&aaaa", "&#1", "&a;", "\\", "\\(", "\\[", "$", "$a", "$$", "`", "`a", "``a`", "a\n", "a  \n",
    "> ", "> a\n", ">a\n\n", "- ", "- a\n", " - a\n", "1. ", "* * * a ", "#", "# a\n", "=", "a\n=\n",
    "-\n", "    a\n", "\t", " ", "\n", "|", "|a|\n|-|\n", "|a|b|\n", "~~~\n", "```\na\n", "- [x] a\n",
    "[a]: b\n", "[a]: b\n\n", "[a]:\n", "[a]: <\n", "[a]: b (\n", "[a][b", "[a][", "[^1]", "[^1]: a\n",
    "[^a", "\\[\n", "\\[\na\n\n", "$$\na\n\n", "$$\n", "[a.bc](http://b.c) ", "a.b.", "<br>", "\0", "\r",
    "「*", "a。", "'s",
]  # fmt: skip
MADE: dict[str, Callable[[int], str]] = {
    "runs of backticks": lambda size: "".join("e" + "`" * n for n in range(int((2 * size) ** 0.5))),
    "brackets around links": lambda size: "[a " * (size // 6) + "](b)" * (size // 6),
    "pictures in pictures": lambda size: "![a" * (size // 8) + "](b)" * (size // 8),
    "addresses in brackets": lambda size: "[" + "http://a.b/(" * (size // 12),
    "closing brackets of an address": lambda size: "http://a.b/" + ")" * size,
    "a long link with names of hosts": lambda size: "[" + "a.b." * (size // 4) + "](http://b.c)",
    "emphasis that is never closed": lambda size: "*a **a " * (size // 14) + "a* a**" * (size // 14),
    "a list that goes deeper": lambda size: "".join(" " * (n % 40) + "- a\n" for n in range(size // 24)),
    "a wide table": lambda size: "|a" * (size // 6) + "|\n" + "|-" * (size // 6) + "|\n" + "|a" * (size // 6),
    "a long table": lambda size: "|a|b|\n|-|-|\n" + "|a|b|\n" * (size // 6),
    "definitions": numbered("[a{0}]: b\n"),
    "definitions and references": lambda size: "[a]: b\n\n" + "[a]" * (size // 3),
    "nested shortcuts": lambda size: "[a]: b\n\n" + "[a" * (size // 3) + "]" * (size // 3),
    "notes that refer to notes": numbered("[^{0}]: [^{1}]\n\n"),
    "a note again and again": lambda size: "[^1]: a\n\n" + "[^1]" * (size // 4),
    "formulas without a letter": lambda size: "\\(" * (size // 2) + "\\)",
    "escaped brackets with their ends": repeated("\\(\\)"),
}  # fmt: skip
PATTERNS = {repr(piece): repeated(piece) for piece in REPEATED} | MADE
SIZE = 1_500
# twice as long is at most so much more, where what is begun is paid for once
MOST, SMALL = 2.6, 40_000


@pytest.fixture(scope="module")
async def counted(modules_page: Page) -> Callable[..., Any]:
    """Counts the steps of reading a text."""
    await modules_page.evaluate(COUNT_BUILT_INS)
    session = await modules_page.context.new_cdp_session(modules_page)
    await session.send("Profiler.enable")
    precise = {"callCount": True, "detailed": True}
    await session.send("Profiler.startPreciseCoverage", precise)

    async def steps(source: str, growing: bool) -> int:
        looked: int = await modules_page.evaluate(READ, [source, growing])
        return looked + await executed(session)

    await executed(session)
    return steps


async def executed(session: CDPSession) -> int:
    """How often a block of the scripts was run since the last time."""
    taken = await session.send("Profiler.takePreciseCoverage")
    functions = [f for script in taken["result"] for f in script["functions"]]
    return sum(block["count"] for function in functions for block in function["ranges"])


async def test_twice_the_text_is_twice_the_steps(counted: Callable[..., Any]) -> None:
    more: dict[str, list[int]] = {}
    for name, make in PATTERNS.items():
        for growing in (False, True) if name in MADE else (False,):
            once, twice = [await counted(make(size), growing) for size in (SIZE, 2 * SIZE)]
            if twice > SMALL and twice > MOST * once:
                more[f"{name}{', growing' if growing else ''}"] = [once, twice]
    assert more == {}
