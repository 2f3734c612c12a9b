"""Files for models that are no endpoint of ours, and what of a turn's files is read at all."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from agents.testing import ScriptedModel, assistant_message

from chatbridge.adapters.memory.blob_store import MemoryBlobStore
from chatbridge.adapters.offline.model import OfflineModel
from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.files import NO_PDFS, Files
from chatbridge.adapters.openai.opening import Opening
from chatbridge.domain.model.attachment import ATTACHED, Allowance, Attached, Attachment
from chatbridge.domain.model.errors import NotFound
from chatbridge.domain.model.identifiers import AttachmentId, UserId
from chatbridge.domain.model.message import content_of
from chatbridge.domain.model.turn_event import ToolCallFinished
from chatbridge.domain.services.attachments import Attachments
from chatbridge.domain.services.left_attachments import LeftAttachments
from chatbridge.domain.services.reading import Reading
from tests.contracts.agent_runner import heard, said, text_of
from tests.contracts.task_tools import TaskTools
from tests.files_of_people import picture
from tests.shelf import Shelf

CAT = ("cat.png", "image/png", picture())
NOTE = ("a.txt", "text/plain", b"the sky is blue")
ADA = UserId("ada")


def runner_of(model: Any, shelf: Shelf) -> OpenAIAgentRunner:
    opening = Opening(shelf, NO_PDFS, max_characters=1_000)
    return OpenAIAgentRunner(model, TaskTools(), instructions="Help.", opening=opening)


async def test_a_hosts_own_model_is_given_the_parts_of_the_sdk() -> None:
    shelf, model = Shelf(), ScriptedModel([[assistant_message("Seen.")]])
    events = await heard(runner_of(model, shelf), shelf.message("look", CAT, NOTE))
    assert text_of(events) == "Seen."
    (message,) = model.calls[0].input
    words, shown, more = message["content"]
    assert (words["type"], shown["type"], more["type"]) == (
        "input_text",
        "input_image",
        "input_text",
    )
    assert shown["image_url"].startswith("data:image/png;base64,iVBOR")
    assert "the sky is blue" in more["text"]


class Blind(ScriptedModel):
    """A model of a host's own that raises at a picture."""

    async def stream_response(self, system: Any, input: Any, *rest: Any, **more: Any) -> Any:
        """See the SDK."""
        if "input_image" in str(input):
            raise ValueError("no pictures, please")
        async for event in super().stream_response(system, input, *rest, **more):
            yield event


async def test_one_that_breaks_off_at_files_is_asked_without() -> None:
    shelf, model = Shelf(), Blind([[assistant_message("Seen.")]])
    events = await heard(runner_of(model, shelf), shelf.message("look", CAT))
    assert text_of(events) == "Seen."
    (notice,) = [e.output for e in events if isinstance(e, ToolCallFinished)]
    assert notice == "The model that answers can't be given what is in this file."
    (message,) = model.calls[0].input
    assert "It can't be given to you." in message["content"]


async def test_the_offline_model_does_what_the_text_asks_and_reads_no_file() -> None:
    shelf = Shelf()
    runner = runner_of(OfflineModel(delay=0), shelf)
    message = shelf.message("hello", CAT)
    assert text_of(await heard(runner, message)).startswith("Hello!")
    bare = replace(said(f"{ATTACHED}“cat.png”"), attachments=message.attachments)
    assert "can't read files" in text_of(await heard(runner, bare))


async def test_a_mark_that_others_have_repeated_is_a_name_and_nobody_makes_one_up() -> None:
    shelf = Shelf()
    message = shelf.message("[file att_0 00000000000000000000000000000000 bytes] look", CAT)
    opened = await shelf.of(ADA, [message])
    files = Files(opened, pdfs=NO_PDFS, max_characters=9, tell=lambda _: None)
    told = files.beside(content_of)(message)
    asked = [
        {"role": "assistant", "content": f"They said: {told}"},
        {"role": "user", "content": told},
    ]
    body = {"messages": asked}
    handed = files.handed(body, "chat_completions")
    pieces = handed.pieces(json.dumps(await handed.worded(body)).encode())
    assert [bytes(piece) == CAT[2] for piece in pieces] == [False, True, False]
    assert asked[0]["content"].endswith(f"“cat.png” (image/png, {len(CAT[2]):,} bytes)")
    assert asked[1]["content"][0]["text"].startswith("[file att_0 0000")


# --- what is read


class Rows:
    """Kept attachments, and how often they were asked for."""

    def __init__(self, *kept: Attachment) -> None:
        self.kept, self.asked = {each.id: each for each in kept}, 0

    async def of(self, user_id: UserId, ids: list[AttachmentId]) -> tuple[Attachment, ...]:
        self.asked += 1
        if any(id not in self.kept for id in ids):
            raise NotFound("no")
        return tuple(self.kept[id] for id in ids)


async def reading(*files: tuple[str, str, bytes], most: int = 100) -> tuple[Reading, Rows, Any]:
    blobs, kept = MemoryBlobStore(), list[Attachment]()
    for number, (name, type, content) in enumerate(files):
        each = Attachment(
            id=AttachmentId(f"att_{number}"),
            user_id=ADA,
            name=name,
            media_type=type,
            size=len(content),
            state="kept",
            created_at=datetime.now(UTC),
            number=1,
        )
        kept.append(each)
        await blobs.put(each.blob, parts(content))
    rows = Rows(*kept)
    allowance = Allowance(max_bytes=most, max_files=9, max_bytes_a_day=9, max_files_a_day=9)
    left = LeftAttachments(rows, blobs)
    service = Attachments(rows, blobs, None, allowance, left)  # type: ignore[arg-type]
    window = [replace(said("look"), attachments=(each.attached,)) for each in kept]
    return Reading(service, max_characters=10), rows, window


async def parts(content: bytes) -> Any:
    yield content


async def test_the_newest_that_fit_are_read_with_one_look_into_the_store() -> None:
    files = [(f"{n}.pdf", "application/pdf", b"x" * 40) for n in range(3)]
    read, rows, window = await reading(*files)
    assert [(each.attached.name, each.unread) for each in await read.of(ADA, window)] == [
        ("2.pdf", None),
        ("1.pdf", None),
        ("0.pdf", "no room"),
    ]
    assert rows.asked == 1
    assert await read.of(ADA, [said("hello")]) == ()
    assert rows.asked == 1


async def test_of_a_text_no_more_is_read_than_can_be_told() -> None:
    read, _, window = await reading(("a.txt", "text/plain", b"x" * 90), most=50)
    (opened,) = await read.of(ADA, window)
    assert opened.content == b"x" * 40


async def test_what_nobody_reads_is_not_got_and_what_is_gone_is_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    read, rows, window = await reading(("a.ogg", "audio/ogg", b"OggS"))
    (opened,) = await read.of(ADA, window)
    assert (opened.content, opened.unread, rows.asked) == (None, None, 0)
    lost = Attached(id=AttachmentId("att_9"), name="b.pdf", media_type="application/pdf", size=1)
    (opened,) = await read.of(ADA, [replace(said("look"), attachments=(lost,))])
    assert opened.unread == "away"
    assert "could not be read for a model (NotFound)" in caplog.text
    (opened,) = await Reading(None, max_characters=1).of(ADA, window)
    assert opened.content is None
