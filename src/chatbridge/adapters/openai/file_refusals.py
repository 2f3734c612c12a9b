"""Whether an endpoint has refused a request for the files in it: for their kind, or for some."""

import re
from collections.abc import Iterator
from typing import Any

from chatbridge.adapters.openai import refusal as said
from chatbridge.adapters.openai.failures import tells_too_long
from chatbridge.adapters.openai.file_parts import KINDS, Json, Kind, contents_of, kind_of, parts_in
from chatbridge.adapters.openai.files import id_in

_FILE = r"(?<![a-z])(?:input_)?files?(?![a-z])|document|pdf|文件|文档"
_ABOUT: dict[Kind, re.Pattern[str]] = {
    "picture": re.compile(
        r"image|vision|visual|picture|multi-?modal|mmproj|图|视觉|多模态|画像|이미지", re.I
    ),
    "Office document": re.compile(rf"{_FILE}|docx|xlsx|pptx|office|spreadsheet|mime", re.I),
    "PDF": re.compile(_FILE, re.I),
    "recording": re.compile(r"audio|recording|speech|multi-?modal|音频|音声", re.I),
}
_UNABLE = re.compile(
    r"support|content.?(?:part|type)|accept|capab|modalit|\bmodel\b|mmproj|no endpoints|"
    r"unknown (?:variant|field)|invalid (?:type|value|content)|must be|expected|unrecogni[sz]ed|"
    r"only (?:text|allow)|not allowed|at most 0|(?:en|dis)abled|configured|"
    r"不支持|支持|対応|지원",
    re.I,
)
# one of them is at fault, not what it is
_ONE = re.compile(
    r"format|decod|corrupt|represent|(?:could|can) ?not process|unable to process|exceed|"
    r"too (?:large|big|many|small|long)|dimension|pixel|megabyte|\bM[i]?B\b|\bbytes\b|"
    r"at most [1-9]|base64|truncat|download|fetch|broken|damaged|empty|encrypted|password|"
    r"invalid (?:image|file|pdf|audio)\b|failed to load|limit",
    re.I,
)
_REPEATED = re.compile(r"\bdata:|messages ?[=:] ?\[|input ?[=:] ?\[")
_MOST_READ = 400


def kinds_refused(refusal: Any, request: Json) -> Iterator[Kind]:
    """The kinds among those in the request that the endpoint says it does not take."""
    sentences = [*_sentences(refusal)]
    present = {kind for kind, _ in parts_in(request)}
    for kind in KINDS:
        if kind in present and any(_is_unable(kind, words) for words in sentences):
            yield kind


def is_worded(refusal: Any, request: Json) -> bool:
    """Whether what it says is about a file of the request at all."""
    present: set[Kind] = {kind for kind, _ in parts_in(request)}
    sentences = [*_sentences(refusal)]
    return any(_ABOUT[kind].search(words) for kind in present for words in sentences)


def tries(refusal: Any, request: Json) -> Iterator[tuple[str, ...]]:
    """Which files to leave out, one try after the other, where it is not known what is refused.

    Older ones first: the newest are what is asked about. Of a kind, and then of all.
    """
    if any(map(tells_too_long, said.sentences(refusal))):
        return
    found = [(kind, id) for kind, id in files_in(request) if id]
    newest = {*_of_the_newest(request)}
    about = [kind for kind in KINDS if any(map(_ABOUT[kind].search, _sentences(refusal)))]
    for kind in (*about, *(kind for kind in KINDS if kind not in about)):
        of_it = [id for of, id in found if of == kind]
        older = [id for id in of_it if id not in newest]
        if older and len(older) < len(of_it):
            yield tuple(older)
        if of_it:
            yield tuple(of_it)
    if found:
        yield tuple(id for _, id in found)


def files_in(request: Json) -> list[tuple[Kind, str]]:
    """The kind of each file, and its id where it is one of ours."""
    return [(kind, id_in(part)) for kind, part in parts_in(request)]


def _of_the_newest(request: Json) -> Iterator[str]:
    held = [[id_in(p) for p in parts if kind_of(p)] for _, _, parts in contents_of(request)]
    yield from ([ids for ids in held if ids] or [[]])[-1]


def _is_unable(kind: Kind, words: str) -> bool:
    return bool(_ABOUT[kind].search(words) and _UNABLE.search(words) and not _ONE.search(words))


# without what it repeats of the request, and what it would take instead
def _sentences(refusal: Any) -> Iterator[str]:
    for text in said.sentences(refusal):
        yield _REPEATED.split(said.before_instead(text))[0][:_MOST_READ]
