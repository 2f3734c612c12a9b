"""What can be named with `@` in a message, and what is told of it: by functions of the host's."""

import importlib
from collections.abc import Callable
from typing import Any

from chatbridge.domain.model.tag import TagSearch
from chatbridge.domain.services.tags import Tags, task_search
from chatbridge.host import Host
from chatbridge.host_server import who_answers
from chatbridge.ports.task_repository import TaskRepository
from chatbridge.settings import Settings
from chatbridge.tools import offered


def tags(settings: Settings, host: Host, tasks: TaskRepository) -> Tags:
    """Raises ValueError with a sentence for the operator."""
    search = host.tag_search or _named("CHATBRIDGE_TAGS__SEARCH", settings.tags.search)
    words = host.tag_words or _named("CHATBRIDGE_TAGS__WORDS", settings.tags.words)
    if words and who_answers(settings, host) == "server":
        raise ValueError(
            "What a model reads of a tag is said by your own server, in the "
            "`tag_to_message_content` of its converter: leave `tag_words` and "
            "CHATBRIDGE_TAGS__WORDS unset."
        )
    return Tags(search=search or _of_tasks(settings, host, tasks), words=words)


def finds_tags(settings: Settings, host: Host) -> bool:
    """Whether there is a search."""
    return bool(host.tag_search or settings.tags.search) or _has_tasks(settings, host)


def _of_tasks(settings: Settings, host: Host, tasks: TaskRepository) -> TagSearch | None:
    return task_search(tasks) if _has_tasks(settings, host) else None


def _has_tasks(settings: Settings, host: Host) -> bool:
    return who_answers(settings, host) == "agent" and offered(settings, host) == "all"


def _named(setting: str, entry: str | None) -> Callable[..., Any] | None:
    if not entry:
        return None
    module, _, attribute = entry.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for name in attribute.split("."):
            found = getattr(found, name)
    except Exception as error:
        raise ValueError(
            f"{setting} must read module:function, and {entry!r} can't be found: {error!r}."
        ) from error
    if not callable(found):
        raise ValueError(f"{setting} names {entry}, which is no function.")
    return found
