"""What can be named with `@` in a message, and what is told of it: by functions of the host's."""

from chatbridge.domain.model.tag import TagSearch
from chatbridge.domain.services.tags import Tags, task_search
from chatbridge.host import Host
from chatbridge.host_server import who_answers
from chatbridge.ports.host_code import function_at
from chatbridge.ports.task_repository import TaskRepository
from chatbridge.settings import Settings
from chatbridge.tools import offered


def tags(settings: Settings, host: Host, tasks: TaskRepository) -> Tags:
    """Raises ValueError with a sentence for the operator."""
    search, words = host.tag_search, host.tag_words
    if not search and (entry := settings.tags.search):
        search = function_at("CHATBRIDGE_TAGS__SEARCH", entry)
    if not words and (entry := settings.tags.words):
        words = function_at("CHATBRIDGE_TAGS__WORDS", entry)
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
