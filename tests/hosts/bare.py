"""The SDK by itself, as its quick start serves it, over a store in memory."""

import json
from collections import defaultdict
from typing import Any

from chatkit.server import ChatKitServer, StreamingResult
from chatkit.store import NotFoundError, Store
from chatkit.types import Attachment, Page, ThreadItem, ThreadMetadata

Json = dict[str, Any]


class PlainStore(Store[Any]):
    """In order of arrival; add is an upsert, as the SDK needs it."""

    def __init__(self) -> None:
        self.threads: dict[str, ThreadMetadata] = {}
        self.items: defaultdict[str, dict[str, ThreadItem]] = defaultdict(dict)

    async def load_thread(self, thread_id: str, context: Any) -> ThreadMetadata:
        return self.threads[thread_id].model_copy(deep=True)

    async def save_thread(self, thread: ThreadMetadata, context: Any) -> None:
        self.threads[thread.id] = thread.model_copy(deep=True)

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: Any
    ) -> Page[ThreadMetadata]:
        return Page(data=list(self.threads.values()))

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: Any
    ) -> Page[ThreadItem]:
        rows = [item.model_copy(deep=True) for item in self.items[thread_id].values()]
        rows = rows[::-1] if order == "desc" else rows
        ids = [item.id for item in rows]
        rows = rows[ids.index(after) + 1 :] if after in ids else rows
        more = len(rows) > limit
        return Page(data=rows[:limit], has_more=more, after=rows[limit - 1].id if more else None)

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: Any) -> None:
        self.items[thread_id][item.id] = item.model_copy(deep=True)

    async def save_item(self, thread_id: str, item: ThreadItem, context: Any) -> None:
        await self.add_thread_item(thread_id, item, context)

    async def load_item(self, thread_id: str, item_id: str, context: Any) -> ThreadItem:
        if item_id not in self.items[thread_id]:
            raise NotFoundError(item_id)
        return self.items[thread_id][item_id].model_copy(deep=True)

    async def delete_thread(self, thread_id: str, context: Any) -> None: ...

    async def delete_thread_item(self, thread_id: str, item_id: str, context: Any) -> None:
        self.items[thread_id].pop(item_id, None)

    async def save_attachment(self, attachment: Attachment, context: Any) -> None: ...

    async def load_attachment(self, attachment_id: str, context: Any) -> Attachment:
        raise NotFoundError(attachment_id)

    async def delete_attachment(self, attachment_id: str, context: Any) -> None: ...


class Bare:
    """Asks a server what a client would ask it over HTTP."""

    def __init__(self, host: type[ChatKitServer[Any]]) -> None:
        self.store = PlainStore()
        self._server = host(self.store)

    async def ask(self, request: Json) -> list[Json]:
        """The frames of the answer, or the one document that it is."""
        told = await self._server.process(json.dumps(request), {"user_id": "ada"})
        if not isinstance(told, StreamingResult):
            return [_read(told.json)]
        return [_read(frame.removeprefix(b"data: ")) async for frame in told]


def _read(told: bytes) -> Json:
    return json.loads(told, object_hook=_from_nowhere)


def _from_nowhere(told: Json) -> Json:
    """A thread that names no domains has pictures from anywhere; what is compared with it has a
    setting that says nowhere."""
    is_thread = isinstance(told.get("status"), dict) and "type" not in told
    if not is_thread or "allowed_image_domains" in told:
        return told
    parts, place = [*told.items()], [*told].index("status") + 1
    return dict([*parts[:place], ("allowed_image_domains", []), *parts[place:]])
