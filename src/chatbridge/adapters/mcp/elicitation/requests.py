"""What a server wants of a person, as one form, and what it is sent for the answers."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from mcp_types import ElicitResult, InputRequiredResult

from chatbridge.adapters.mcp.elicitation.forms import Unaskable, content_of, questions_of
from chatbridge.domain.model.limits import MAX_QUESTION
from chatbridge.domain.model.question import Answers, Choice, Form, Question
from chatbridge.domain.model.tool import Reply, Wanted

Json = Any
Requests = Mapping[str, Mapping[str, Json]]
"""The parameters of each request, by its key."""

_LONGEST_LINK = 2_000
_AGREED = "ok"


def wanted(server: str, required: InputRequiredResult) -> Wanted:
    """What a call wants that has answered so; `state` is what its next one needs. Raises
    Unaskable."""
    requests: dict[str, dict[str, Json]] = {}
    for key, request in (required.input_requests or {}).items():
        if request.method != "elicitation/create":
            raise Unaskable(f"asks for something other than answers ({request.method})")
        requests[key] = request.params.model_dump(mode="json", by_alias=True, exclude_none=True)
    state: dict[str, Json] = {"requests": requests}
    if required.request_state is not None:
        state["state"] = required.request_state
    return Wanted(form=form_of(server, requests), state=state)


def form_of(server: str, requests: Requests) -> Form:
    """All that is asked in one form. Raises Unaskable."""
    messages = [_message(params) for params in requests.values()]
    questions = [
        replace(question, id=f"{before}{question.id}")
        for params, before in zip(requests.values(), _prefixes(requests), strict=True)
        for question in _questions(params)
    ]
    try:
        return Form(
            questions=tuple(questions), title="\n".join(filter(None, messages)), source=server
        )
    except ValueError as error:
        raise Unaskable(f"asks in a form that can't be shown ({error})") from error


def results_of(requests: Requests, answers: Answers | None) -> dict[str, ElicitResult]:
    """What is sent for each request; None: the person has declined."""
    return {
        key: declined() if answers is None else _accepted(params, answers, before)
        for (key, params), before in zip(requests.items(), _prefixes(requests), strict=True)
    }


def declined(how: Literal["decline", "cancel"] = "decline") -> ElicitResult:
    """The person has said no; `cancel`: or nothing."""
    return ElicitResult(action=how)


def pages_first(server: str, data: Json) -> Wanted:
    """What is to be done on pages before the same call is made again, says an older server's error.
    Raises Unaskable."""
    listed = cast(dict[str, Json], data).get("elicitations") if isinstance(data, dict) else None
    pages = cast(list[Json], listed) if isinstance(listed, list) else []
    requests = {str(n): {**each, "mode": "url"} for n, each in enumerate(pages)}
    return Wanted(form=form_of(server, requests), state={"requests": requests, "plainly": True})


def is_given_up(reply: Reply | None) -> bool:
    """Whether the person has declined what has to be done before the call is made again."""
    return reply is not None and reply.answers is None and "plainly" in reply.state


def reply_of(reply: Reply) -> tuple[dict[str, ElicitResult], str | None]:
    """What goes with the next call: the responses, and the server's own state."""
    if "plainly" in reply.state:
        return {}, None
    return results_of(reply.state["requests"], reply.answers), reply.state.get("state")


def _prefixes(requests: Requests) -> list[str]:
    """What the ids of each one's questions begin with: two may ask for things of one name."""
    places = range(1, len(requests) + 1)
    return [f"{place}." if len(requests) > 1 else "" for place in places]


def _accepted(params: Mapping[str, Json], answers: Answers, before: str) -> ElicitResult:
    if _is_link(params):
        return ElicitResult(action="accept")
    own = {id.removeprefix(before): given for id, given in answers.items() if id.startswith(before)}
    return ElicitResult(action="accept", content=content_of(_schema(params), own))


def _questions(params: Mapping[str, Json]) -> Iterator[Question]:
    if _is_link(params):
        yield _link(params)
    elif questions := questions_of(_schema(params)):
        yield from questions
    else:
        # nothing to fill in: whether it may
        agreed = (Choice(value=_AGREED, title="OK"),)
        yield Question(id=_AGREED, words=_message(params), choices=agreed, required=True)


def _link(params: Mapping[str, Json]) -> Question:
    url = params.get("url")
    address = url if isinstance(url, str) and len(url) <= _LONGEST_LINK else ""
    if not _leads_to_a_page(address):
        raise Unaskable("asks to open an address that is no page on the web")
    done = (Choice(value=_AGREED, title="Done"),)
    return Question(id=_AGREED, words=_message(params), choices=done, required=True, link=address)


def _leads_to_a_page(address: str) -> bool:
    if any(char.isspace() or not char.isprintable() or char == "\\" for char in address):
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    # a name before the host is how one page is made to look like another
    return parts.scheme in ("https", "http") and bool(parts.hostname) and "@" not in parts.netloc


def _is_link(params: Mapping[str, Json]) -> bool:
    return params.get("mode") == "url"


def _schema(params: Mapping[str, Json]) -> Mapping[str, Json]:
    return cast(Mapping[str, Json], params.get("requestedSchema") or {})


def _message(params: Mapping[str, Json]) -> str:
    return str(params.get("message") or "").strip()[: MAX_QUESTION // 2] or "May it go on?"
