"""A ChatKitServer of the host's own, found by the name of its module and attribute."""

import importlib
import inspect
from collections.abc import Callable
from typing import Any

from chatkit.server import ChatKitServer
from chatkit.store import Store

MakeServer = Callable[[Store[Any]], ChatKitServer[Any]]

_ATTACHMENTS = ("save_attachment", "load_attachment", "delete_attachment")


def load_server(entry: str) -> MakeServer:
    """What makes the server at `module:attribute` over a store.

    Raises ValueError with a sentence for the operator.
    """
    module, _, attribute = entry.partition(":")
    if not module or not attribute:
        raise ValueError(
            f"The server's entry must read module:attribute, such as my_chat:SupportServer; it is "
            f"{entry!r}."
        )
    try:
        found: Any = importlib.import_module(module)
    except Exception as error:
        raise ValueError(f"The server's module {module} can't be imported: {error!r}.") from error
    for name in attribute.split("."):
        if not hasattr(found, name):
            raise ValueError(f"The module {module} has no {attribute}.")
        found = getattr(found, name)
    return making(found, entry)


def making(found: Any, entry: str = "the server") -> MakeServer:
    """A server as it is gets our store in the place of its own; a class or function is called."""

    def make(store: Store[Any]) -> ChatKitServer[Any]:
        server = _found_or_made(found, store, entry)
        if not isinstance(server, ChatKitServer):
            raise ValueError(f"{entry} makes no ChatKitServer.")
        own: Any = getattr(server, "store", None)  # pyright: ignore[reportUnknownArgumentType]
        if own is not None and own is not store:
            keeps: Any = server.attachment_store  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
            _take_over(own, store, attachments=keeps is not None)
        server.store = store
        return server  # pyright: ignore[reportUnknownVariableType]

    return make


def _found_or_made(found: Any, store: Store[Any], entry: str) -> Any:
    if isinstance(found, ChatKitServer):
        return found  # pyright: ignore[reportUnknownVariableType]
    if not callable(found):
        raise ValueError(f"{entry} is no ChatKitServer, and nothing that makes one.")
    try:
        takes = inspect.signature(found).parameters
        return found(store=store) if "store" in takes else found()
    except Exception as error:
        raise ValueError(f"{entry} can't be made: {error!r}.") from error


def _take_over(own: Store[Any], store: Store[Any], *, attachments: bool) -> None:
    """Whoever else of the host's has got its own store (a converter) is answered by ours; its
    `attachments` stay where they are."""
    theirs = _ATTACHMENTS if attachments else ()
    for name in vars(Store):
        if not name.startswith("_") and name not in theirs:
            setattr(own, name, getattr(store, name))
    for name in theirs:
        setattr(store, name, getattr(own, name))
