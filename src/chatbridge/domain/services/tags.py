"""What can be named with `@` in a message: found by a function of the host's, or among tasks."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from chatbridge.domain.model import refusals
from chatbridge.domain.model.caller import Caller
from chatbridge.domain.model.errors import ChatbridgeError
from chatbridge.domain.model.limits import MAX_DATA, MAX_TAGS
from chatbridge.domain.model.message import cleaned
from chatbridge.domain.model.tag import Tag, TagSearch, TagWords, tag_of
from chatbridge.domain.model.task import Task
from chatbridge.ports.host_code import brought_in_time
from chatbridge.ports.task_repository import TaskRepository

_SECONDS = 5.0
_MAX_WORDS = 8_000
"""Characters that are said of one tag."""

_MOST_LOOKED_AT = 200
"""Of what a search has found: as many as may be odd before all that is shown is found."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """Without a `search` nothing is found, and without `words` nothing more is said."""

    search: TagSearch | None = None
    words: TagWords | None = None
    seconds: float = _SECONDS

    async def find(self, caller: Caller, query: str) -> tuple[Tag, ...]:
        """The first that fit, at most so many. Raises AgentFailed where the search fails, and what
        is refused in it."""
        if self.search is None:
            return ()
        try:
            found = await brought_in_time(self.seconds, self.search, caller, query)
        except TimeoutError:
            _log.warning("the search for tags has taken more than %s seconds", self.seconds)
            raise refusals.tag_search_slow() from None
        except ChatbridgeError:
            raise
        except Exception as error:
            _log.warning("the search for tags has failed", exc_info=error)
            raise refusals.tag_search_failed() from None
        if not isinstance(found, list | tuple):
            _log.warning("the search for tags answers no list but %s", type(found).__name__)
            raise refusals.tag_search_failed()
        return tuple(_fitting(cast(Sequence[object], found)))

    async def told(self, caller: Caller, tags: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
        """What a model is to know of each besides, by its id; what fails says nothing."""
        if self.words is None or not tags:
            return {}
        each = {str(tag["id"]): tag for tag in tags}
        said = await asyncio.gather(*(self._told(caller, tag) for tag in each.values()))
        return _within(MAX_DATA, {id: words for id, words in zip(each, said, strict=True) if words})

    async def _told(self, caller: Caller, tag: Mapping[str, Any]) -> str:
        try:
            said = await brought_in_time(self.seconds, self.words or _nothing, caller, tag)
        except Exception as error:
            _log.warning("what was to be said of a tag is not", exc_info=error)
            return ""
        if said is not None and not isinstance(said, str):
            _log.warning("what was to be said of a tag is no text but %s", type(said).__name__)
        return cleaned(said)[:_MAX_WORDS] if isinstance(said, str) else ""


def task_search(tasks: TaskRepository) -> TagSearch:
    """Finds the caller's tasks in which all words are that were typed; the open ones first."""

    async def search(caller: Caller, query: str) -> list[Tag]:
        wanted = query.casefold().split()
        found = [
            task
            for task in await tasks.list(caller.user_id)
            if all(word in f"{task.number} {task.title}".casefold() for word in wanted)
        ]
        return [_task_tag(task) for task in sorted(found, key=lambda t: (t.done, t.number))]

    return search


def _task_tag(task: Task) -> Tag:
    return Tag(
        id=f"task_{task.number}",
        title=task.title,
        icon="check-circle-filled" if task.done else "empty-circle",
        group="Tasks",
        interactive=True,
        data={"number": str(task.number), "state": "done" if task.done else "open"},
    )


def _fitting(found: Sequence[object]) -> list[Tag]:
    tags = [tag for each in found[:_MOST_LOOKED_AT] if (tag := tag_of(each))]
    if len(tags) < len(found[:_MOST_LOOKED_AT]):
        _log.warning("the search for tags finds some without id and title, or too large")
    kept: dict[str, Tag] = {}
    room = MAX_DATA
    for tag in tags:
        room -= tag.size
        if room < 0 or len(kept) == MAX_TAGS:
            break
        kept.setdefault(tag.id, tag)
    return [*kept.values()]


def _within(room: int, told: Mapping[str, str]) -> Mapping[str, str]:
    kept: dict[str, str] = {}
    for id, words in told.items():
        kept[id] = words[:room]
        room -= len(kept[id])
    return {id: words for id, words in kept.items() if words}


def _nothing(*_: object) -> None:
    return None
