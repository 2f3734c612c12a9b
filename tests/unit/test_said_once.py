"""What has one place is not written again: the words of a state, and how large things may be."""

import ast
import json
import re
from pathlib import Path

from chatbridge.domain.model import limits, refusals
from chatbridge.domain.model.limits import MAX_BODY
from chatbridge.entrypoints.errors import problem_of, too_large
from chatbridge.sections import Blobs

ROOT = Path(__file__).resolve().parents[2]


def literals() -> list[tuple[frozenset[str], str]]:
    """The words of each Literal of two or more, and where it is written."""
    found: list[tuple[frozenset[str], str]] = []
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Subscript(value=ast.Name(id="Literal"), slice=ast.Tuple(elts=elements)):
                    words = [e.value for e in elements if isinstance(e, ast.Constant)]
                    found.append((frozenset(map(str, words)), f"{path}:{node.lineno}"))
                case _:
                    pass
    return found


def test_the_words_of_a_state_are_written_once() -> None:
    found = literals()
    assert any("running" in words for words, _ in found)
    for words, place in found:
        others = [other for more, other in found if words <= more and other != place]
        assert not others, f"{place} writes what is at {others}"


def test_every_limit_is_in_the_reference() -> None:
    told = (ROOT / "docs" / "reference.md").read_text()
    sizes = {name: value for name, value in vars(limits).items() if name.startswith("MAX_")}
    assert not [name for name, value in sizes.items() if f" {value:,} " not in told]


def test_who_stands_in_front_lets_as_much_through() -> None:
    nginx = (ROOT / "deploy" / "nginx.conf").read_text()
    megabytes, uploaded = re.findall(r"client_max_body_size (\d+)m;", nginx)
    assert int(uploaded) * 1024 * 1024 > Blobs().max_bytes
    assert int(megabytes) * 1024 * 1024 == MAX_BODY
    told = [json.loads(each) for each in re.findall(r"return 4[12][23] '(.+)';", nginx)]
    of_files = refusals.attachment_too_large(f"{Blobs().max_bytes:,}")
    assert {problem["code"]: problem for problem in told} == {
        error.code: problem_of(error).model_dump() for error in (too_large(), of_files)
    }
    proxy = ROOT / "frontend" / "app" / "api" / "chatbridge" / "[...path]" / "route.ts"
    [factors] = re.findall(r"const MAX_BODY = (\d+) \* (\d+);", proxy.read_text())
    assert int(factors[0]) * int(factors[1]) == MAX_BODY
