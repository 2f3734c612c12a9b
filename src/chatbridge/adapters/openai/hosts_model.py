"""A model that is no endpoint of ours, a host's own for one, with the files that it is given."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, cast

from agents import Model, TResponseInputItem
from agents.items import TResponseStreamEvent

from chatbridge.adapters.openai.carried import carried
from chatbridge.adapters.openai.failures import code_of
from chatbridge.adapters.openai.file_parts import KINDS
from chatbridge.adapters.openai.files import Files, in_words
from chatbridge.adapters.openai.models import is_chat_completions, reads_files
from chatbridge.adapters.openai.patient_model import PatientModel

log = logging.getLogger(__name__)

_NOT_FOR_FILES = ("model_unauthorized", "model_rate_limited", "model_timeout")

Input = str | list[TResponseInputItem]
Asked = Callable[[Input], AsyncIterator[TResponseStreamEvent]]


async def with_files(
    model: Model, given: Input, ask: Asked
) -> AsyncGenerator[TResponseStreamEvent]:
    """The events of the model, asked with the files in what it is given.

    Our endpoints put them into each request themselves. Another model is asked once more without,
    where it breaks off before it has begun.
    """
    files = carried().files
    if isinstance(model, PatientModel) or isinstance(given, str) or not files:
        async for event in _closing(ask(given)):
            yield event
        return
    begun, carries = False, reads_files(model)
    if carries:
        try:
            async for event in _closing(ask(await _read(files, given, model, whole=True))):
                begun = True
                yield event
            return
        except Exception as error:
            if begun or code_of(error) in _NOT_FOR_FILES:
                raise
            log.warning("a model is asked without files, after %s", type(error).__name__)
    async for event in _closing(ask(await _read(files, given, model, whole=False))):
        yield event


async def _closing(events: Any) -> AsyncGenerator[TResponseStreamEvent]:
    async with aclosing(events):
        async for event in events:
            yield event


async def _read(files: Files, given: Input, model: Model, *, whole: bool) -> Input:
    items = [dict(cast(dict[str, Any], item)) for item in cast(list[TResponseInputItem], given)]
    api = "chat_completions" if is_chat_completions(model) else "responses"
    body: dict[str, Any] = {"input": items}
    handed = files.handed(body, api)
    if not whole:
        for kind in KINDS:
            in_words(body, kind, ())
    await handed.worded(body)
    handed.tell()
    filled = await handed.with_bytes() if whole else body
    return cast(list[TResponseInputItem], filled["input"])
