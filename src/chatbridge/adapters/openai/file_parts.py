"""The parts of a request that are files, by both APIs and as the Agents SDK has them."""

from collections.abc import Callable, Iterator
from typing import Any, Literal, cast

from chatbridge.adapters.openai.api import Api
from chatbridge.domain.model.attachment import Attached
from chatbridge.domain.model.media import is_office, is_text
from chatbridge.domain.model.words import in_a_line

Json = dict[str, Any]
Kind = Literal["picture", "Office document", "PDF", "recording"]
Given = Literal[Kind, "text", "words"]
"""What a model is given of a file: a part of that kind, the text in it, or words about it."""

KINDS: tuple[Kind, ...] = ("picture", "Office document", "PDF", "recording")
PDF = "application/pdf"
_KIND_OF_A_PART: dict[str, Kind] = {
    "image_url": "picture",
    "input_image": "picture",
    "file": "PDF",
    "input_file": "PDF",
    "input_audio": "recording",
}
_RECORDINGS = {"audio/wav": "wav", "audio/mpeg": "mp3"}
_ENDINGS = {PDF: ".pdf", "document": ".docx", "sheet": ".xlsx", "presentation": ".pptx"}


def given_as(media_type: str, api: Api) -> Given:
    """The table of `docs/attachments.md`: what of this type is sent by this API."""
    if media_type.startswith("image/"):
        return "picture"
    if is_text(media_type):
        return "text"
    if media_type == PDF:
        return "PDF"
    if is_office(media_type) and api == "responses":
        return "Office document"
    if media_type in _RECORDINGS and api == "chat_completions":
        return "recording"
    return "words"


def part_of(file: Attached, data: str, *, chat: bool) -> Json:
    """The part that carries its bytes, whose base64 is `data`; `chat`: of Chat Completions."""
    url = f"data:{file.media_type};base64,{data}"
    if file.media_type.startswith("image/"):
        if chat:
            return {"type": "image_url", "image_url": {"url": url}}
        return {"type": "input_image", "image_url": url, "detail": "auto"}
    if form := _RECORDINGS.get(file.media_type):
        return {"type": "input_audio", "input_audio": {"data": data, "format": form}}
    named = {"filename": _file_name(file), "file_data": url}
    return {"type": "file", "file": named} if chat else {"type": "input_file", **named}


# A provider tells by its ending what to do with a file.
def _file_name(file: Attached) -> str:
    name = in_a_line(file.name)
    ending = _ENDINGS.get(file.media_type) or _ENDINGS.get(file.media_type.rpartition(".")[2], "")
    return name if name.lower().endswith(ending) else f"{name}{ending}"


def text_part(text: str, *, chat: bool) -> Json:
    """The part that says it."""
    return {"type": "text" if chat else "input_text", "text": text}


def is_chat(request: Json) -> bool:
    """Whether it is one of Chat Completions."""
    return "messages" in request


def kind_of(part: Any) -> Kind | None:
    """Which kind of file a part is; None for a text and all else."""
    if not isinstance(part, dict):
        return None
    given = cast(Json, part)
    kind = _KIND_OF_A_PART.get(str(given.get("type")))
    data: Any = given.get("file_data") if kind == "PDF" else None
    # Chat Completions has no others
    of_office = isinstance(data, str) and is_office(data[:200].partition(";")[0][len("data:") :])
    return "Office document" if of_office else kind


def items_of(request: Json) -> list[Json]:
    """What a request has a model read."""
    given: Any = request.get("messages") or request.get("input")
    listed = cast(list[Any], given) if isinstance(given, list) else []
    return [cast(Json, item) for item in listed if isinstance(item, dict)]


def contents_of(request: Json) -> Iterator[tuple[Json, str, list[Any]]]:
    """Where there may be parts: what holds them, under which name, and they themselves."""
    for item in items_of(request):
        name = "output" if item.get("type") == "function_call_output" else "content"
        if isinstance(item.get(name), list):
            yield item, name, cast(list[Any], item[name])


def parts_in(request: Json) -> Iterator[tuple[Kind, Json]]:
    """Each part that is a file."""
    for _, _, parts in contents_of(request):
        for part in parts:
            if kind := kind_of(part):
                yield kind, part


def replace_parts(request: Json, words_for: Callable[[Kind, Json], str | None]) -> None:
    """Put words in the place of each part for which there are any; texts alone become one text."""
    chat = is_chat(request)
    for holder, name, parts in contents_of(request):
        told = [_told(part, words_for, chat=chat) for part in parts]
        if any(new is not old for new, old in zip(told, parts, strict=True)):
            holder[name] = joined(told)


def _told(part: Any, words_for: Callable[[Kind, Json], str | None], *, chat: bool) -> Any:
    kind = kind_of(part)
    words = words_for(kind, part) if kind else None
    return part if words is None else text_part(words, chat=chat)


def joined(parts: list[Any]) -> str | list[Any]:
    """Texts in a row as one, and as a text alone where there is nothing else."""
    told: list[Any] = []
    for part in parts:
        if told and "text" in part and "text" in told[-1]:
            told[-1] = {**told[-1], "text": f"{told[-1]['text']}\n\n{part['text']}"}
        else:
            told.append(part)
    return told[0]["text"] if len(told) == 1 and "text" in told[0] else told
