"""The element that is shipped is the one whose sources are here. Nothing of this needs Node."""

import gzip
import hashlib
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ELEMENT = ROOT / "element"
SHIPPED = ROOT / "src/chatbridge/entrypoints/page/static/chatkit.js"

MAX_GZIPPED = 40_000
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
    return SHIPPED.read_text(encoding="utf-8")


def test_the_bundle_is_built_from_these_sources() -> None:
    head = shipped().partition("\n")[0]
    assert head == f"/*! chatbridge element, sources sha256:{hash_of_sources()} */", (
        "build the element: `npm --prefix element run build`"
    )


def test_the_bundle_defines_the_element() -> None:
    assert "openai-chatkit" in shipped()


def test_the_bundle_is_small() -> None:
    assert len(gzip.compress(SHIPPED.read_bytes(), 9, mtime=0)) <= MAX_GZIPPED


def test_the_bundle_makes_no_markup_of_text() -> None:
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "srcdoc"):
        assert way not in shipped(), way


def test_the_bundle_runs_no_text() -> None:
    assert not re.search(r"\beval\(|\bnew Function\b|\bimport\(", shipped())


def test_the_bundle_names_no_other_site() -> None:
    assert set(re.findall(r"https?://[^\s\"'`<>)\\]+", shipped())) <= NAMESPACES


def test_the_wheel_has_what_the_page_loads() -> None:
    # hatchling packs every file of a package that git does not ignore
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"][
        "targets"
    ]["wheel"]
    assert wheel == {"packages": ["src/chatbridge"]}
    assert SHIPPED.is_relative_to(ROOT / wheel["packages"][0])
    assert (SHIPPED.parent / "page.html").exists()
