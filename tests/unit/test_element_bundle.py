"""The element that is shipped is the one whose sources are here, and it is small. Nothing of this
needs Node."""

import gzip
import hashlib
import re
import tomllib
from pathlib import Path

from chatbridge.entrypoints.page.routes import further_files

ROOT = Path(__file__).resolve().parents[2]
ELEMENT = ROOT / "element"
STATIC = ROOT / "src/chatbridge/entrypoints/page/static"
SHIPPED = STATIC / "chatkit.js"
TABLE = ROOT / "docs/chatkit.md"

# what a page loads before its first message can be typed, gzipped
MAX_GZIPPED = 40_000
FIRST = ("page.html", "page.css", "page.js", "chatkit.js")
NAMESPACES = {"http://www.w3.org/2000/svg"}


def hash_of_sources() -> str:
    """SHA-256 over path, NUL, bytes, NUL of every source; paths below element/, sorted.

    The sources are all of src/, and what decides how they are built. `element/build.mjs` computes
    the same.
    """
    decide = ("build.mjs", "package-lock.json", "tsconfig.json")
    files = [path for path in (ELEMENT / "src").rglob("*") if path.is_file()]
    files += [ELEMENT / name for name in decide]
    digest = hashlib.sha256()
    for path in sorted(files, key=lambda path: path.relative_to(ELEMENT).as_posix()):
        digest.update(path.relative_to(ELEMENT).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def shipped() -> str:
    """All scripts of the element, one after the other."""
    files = [SHIPPED, *(STATIC / name for name in further_files())]
    return "".join(file.read_text(encoding="utf-8") for file in files)


def gzipped(*names: str) -> int:
    return sum(len(gzip.compress((STATIC / name).read_bytes(), 9, mtime=0)) for name in names)


def test_the_bundle_is_built_from_these_sources() -> None:
    head = shipped().partition("\n")[0]
    assert head == f"/*! chatbridge element, sources sha256:{hash_of_sources()} */", (
        "build the element: `npm --prefix element run build`"
    )


def test_the_further_files_are_those_that_the_bundle_names() -> None:
    named = re.findall(r"""["']([a-z]+-[0-9a-f]{12}\.js)["']""", SHIPPED.read_text())
    assert sorted(named) == further_files()
    for name in named:
        digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()
        assert name.endswith(f"-{digest[:12]}.js")


def test_the_bundle_defines_the_element() -> None:
    assert "openai-chatkit" in SHIPPED.read_text()


def test_what_is_loaded_before_a_first_message_is_small() -> None:
    assert gzipped(*FIRST) <= MAX_GZIPPED


def test_the_documentation_names_each_further_file_and_its_size() -> None:
    told = re.findall(
        r"^\| `([a-z]+)-….js` \| [^|]+ \| (\d+) kB \|$", TABLE.read_text(), re.MULTILINE
    )
    most = {part: 1000 * int(kilobytes) for part, kilobytes in told}
    sizes = {name.partition("-")[0]: gzipped(name) for name in further_files()}
    assert most.keys() == sizes.keys()
    for part, size in sizes.items():
        assert size <= most[part], part


def test_the_bundle_makes_no_markup_of_text() -> None:
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "srcdoc"):
        assert way not in shipped(), way


def test_the_bundle_runs_no_text_and_loads_only_its_own_files() -> None:
    assert not re.search(r"\beval\(|\bnew Function\b", shipped())
    assert shipped().count("import(") == 1


def test_the_bundle_names_no_other_site() -> None:
    assert set(re.findall(r"https?://[^\s\"'`<>)\\]+", shipped())) <= NAMESPACES


def test_the_wheel_has_what_the_page_loads() -> None:
    # hatchling packs every file of a package that git does not ignore
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"][
        "targets"
    ]["wheel"]
    assert wheel == {"packages": ["src/chatbridge"]}
    assert STATIC.is_relative_to(ROOT / wheel["packages"][0])
    assert all((STATIC / name).exists() for name in FIRST)
