"""A provider's annotations of a text as citations."""

from collections.abc import Mapping
from typing import Any, cast

from openai import BaseModel

from chatbridge.domain.model.citation import Citation
from chatbridge.domain.model.message import cleaned

_PLACES = ("end_index", "index")


def to_citation(annotation: object, offset: int = 0) -> Citation | None:
    """The source that an annotation names; None where it names none.

    `offset` is how many characters of the message stand before the part that is annotated. A link
    that is none of the web's is left out, and its title stays.
    """
    raw = _raw(annotation)
    url = str(raw.get("url") or "")
    title = str(raw.get("title") or raw.get("filename") or url)
    if not title:
        return None
    place = next((raw[name] for name in _PLACES if isinstance(raw.get(name), int)), None)
    return Citation(
        title=cleaned(title),
        url=cleaned(url) if url.startswith(("https://", "http://")) else None,
        index=None if place is None else offset + place,
    )


# The client reads some annotations as what they are not, or leaves them as they came.
def _raw(annotation: object) -> Mapping[str, Any]:
    if isinstance(annotation, BaseModel):
        return annotation.model_dump(mode="json", warnings=False)
    return cast(Mapping[str, Any], annotation) if isinstance(annotation, Mapping) else {}
