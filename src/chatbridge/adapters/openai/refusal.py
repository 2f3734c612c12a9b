"""What an endpoint's refusal names, in its own words and never in those that it repeats."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

Json = dict[str, Any]

_ITS_WORDS = {
    "message",
    "msg",
    "detail",
    "details",
    "error",
    "errors",
    "reason",
    "description",
    "error_description",
    "title",
    "raw",
    "violations",
    "fieldViolations",
    "metadata",
    "issues",
    "innererror",
}
_NAMES = ("loc", "param", "parameter", "field", "property", "argument", "path", "keys")
# refused in vain is soon put back, so that this may be wide
_REFUSES = re.compile(
    r"unknown|unrecogni[sz]ed|support|permitted|allow|forbid|extra|unexpected|invalid|illegal|"
    r"additional propert|unevaluated|prohibit|\bonly\b|\bmust\b|"
    r"reject|refuse|deprecat|removed|incompatible|unavailable|"
    r"\bnot?\b|cannot|n['\u2019](?:t|est)\b|\bnicht\b|\bkein|\bnon\b|\bpas\b|\b\u043d\u0435\b|недопустим|"
    r"不|无效|非法|未知|未识别|错误|弃用|废弃|サポート|対応|無効|지원|없",
    re.I,
)
# behind it stands what may be sent, not what may not
_INSTEAD = re.compile(
    r"expected one of|must be one of|(?:supported|allowed|valid|available|known) "
    r"(?:parameters|fields|values|properties|keys|options|arguments)\b|"
    r"\b(?:please )?use ['\"`]?\w+['\"`]? instead|did you mean|支持的(?:参数|字段)",
    re.I,
)
_WORD = re.compile(r"[A-Za-z_]\w*(?:(?:\.|\[|\]\.?)+\w+)*\]?", re.A)
_QUOTED = re.compile(r"['\"`“\u2018「《]([\w.\[\] -]{1,120})['\"`”\u2019」》]", re.A)
_NOUN = (
    r"(?:(?:parameter|param|argument|field|property|properties|key|option|name)s?|supplied|"
    r"mode|flag|setting|参数|字段|属性)"
)
_NAMED = re.compile(
    rf"(?:{_NOUN}|supports?)\s*[:\uff1a]?\s*\[?(?:the\s+)?(\w+)|\b(\w*[^\W_])\s*(?={_NOUN}|=)|"
    r"(?:^|[.:;,\uff0c。\uff1a]\s*)(\w+)\s*(?:is|are|has|must|should|can|不|无|非)",
    re.I | re.A,
)
_MAY_BE_NAMED = 2_000


def objects(refusal: Any) -> Iterator[Json]:
    """The objects of a refusal that are the endpoint's own."""
    if isinstance(refusal, str) and refusal.lstrip().startswith(("{", "[")):
        refusal = _parsed(refusal)
    if isinstance(refusal, list):
        for each in cast(list[Any], refusal):
            yield from objects(each)
    elif isinstance(refusal, Mapping):
        told = cast(Json, refusal)
        yield told
        for name, value in told.items():
            if name in _ITS_WORDS:
                yield from objects(value)


def sentences(refusal: Any) -> Iterator[str]:
    """What the endpoint says itself: it may repeat beside it what a person or a model has said."""
    if isinstance(refusal, str):
        yield refusal
    for each in objects(refusal):
        for name, value in each.items():
            said = cast(list[Any], value) if isinstance(value, list) else [value]
            yield from (t for t in said if name in _ITS_WORDS and isinstance(t, str))


def kinds(refusal: Any) -> set[str]:
    """What it calls its own errors, such as `missing`."""
    return {str(each["type"]) for each in objects(refusal) if each.get("type")}


def fields(refusal: Any) -> Iterator[list[str]]:
    """The names that stand in a field for them, each as steps."""
    for each in objects(refusal):
        yield from (found for name in _NAMES if (found := steps(each.get(name))))


def named(refusal: Any) -> Iterator[list[str]]:
    """The names that stand in sentences that refuse something, each as steps."""
    for text in refusing(refusal):
        quoted = [*map(steps, _QUOTED.findall(text))]
        words = [word for word in _WORD.findall(text) if re.search(r"[_.\[]", word)]
        places = [*quoted, *map(steps, words)]
        yield from places
        # Unknown name "strict" at 'tools[0].function'
        yield from ([*at, *name] for at in places for name in places if len(at) > 1 > len(name) - 1)


def guessed(refusal: Any) -> Iterator[list[str]]:
    """The single words beside which such a sentence says that they are names."""
    for text in refusing(refusal):
        yield from ([name] for found in _NAMED.findall(text) for name in found if name)


def refusing(refusal: Any) -> Iterator[str]:
    """The sentences that refuse something, without what they would take instead."""
    for text in sentences(refusal):
        if _REFUSES.search(text):
            yield before_instead(text)


def before_instead(text: str) -> str:
    """A sentence without what an endpoint would take instead."""
    return _INSTEAD.split(text[:_MAY_BE_NAMED])[0]


def steps(name: Any) -> list[str]:
    """A name as the steps that it leads by."""
    if isinstance(name, list):
        return [str(step) for step in cast(list[Any], name)]
    return re.findall(r"[\w-]+", name) if isinstance(name, str) else []


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
