"""The tool calls of one run: their ids, who may start, and how each one ended."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from chatbridge.adapters.openai.arguments import parsed_arguments
from chatbridge.adapters.openai.names import short_id
from chatbridge.domain.model.approval import Proposal
from chatbridge.domain.model.ask_person import form_in
from chatbridge.domain.model.attachment import Attached
from chatbridge.domain.model.identifiers import CallId, MessageId, new_call_id, new_message_id
from chatbridge.domain.model.message import cleaned
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.question import Form
from chatbridge.domain.model.tool import Tool, ToolResult, Wanted
from chatbridge.domain.model.tool_call import Asks, CallState, ToolCall, is_notice, unread
from chatbridge.domain.model.turn_event import (
    ToolCallAsked,
    ToolCallFinished,
    ToolCallStarted,
    TurnEvent,
)
from chatbridge.domain.model.words import in_a_line

NOT_JSON = "The arguments are not a JSON object, so the tool was not run. Correct them."
_NOT_RUN = "The answer broke off, so the tool was not run."


@dataclass(slots=True)
class Call:
    """One call: its own id, the step that made it, and what is known about it so far.

    `started` is how it begins, as long as nobody was told; `unfit` is why it is not asked about.
    `result` is what a tool of ours has brought; `proposal` is of one that was asked about: the tool
    as it was then; `files` are those that are kept of it. It `wants` answers of a person before it
    goes on, has asked in so many `rounds`, and `agent` has made it.
    """

    id: CallId
    step: MessageId
    name: str
    started: ToolCall | None = None
    unfit: str = ""
    began: bool = False
    failed: bool = False
    unknown: bool = False
    finished: bool = False
    result: ToolResult | None = None
    withdrawn: bool = False
    proposal: Proposal | None = None
    wants: Wanted | None = None
    rounds: int = 0
    agent: str = ""
    files: tuple[Attached, ...] = ()

    @property
    def outcome(self) -> CallState:
        """How it ended, once it has."""
        if self.withdrawn:
            return "withdrawn"
        if self.unknown:
            return "unknown"
        return "failed" if self.failed else "succeeded"


class Calls:
    """Emits the start and the end of each call once, under an id of our own.

    `sources` are the tool servers by the names of their tools, and `asking` those of ours that ask
    a person. What the page is to run, and questions, are told of when they are asked: by then it
    is known that they are, and each is an entry of its own.
    """

    def __init__(self, emit: Callable[[TurnEvent], None]) -> None:
        self._emit = emit
        self.sources: Mapping[str, str] = {}
        self.asking: Mapping[str, Tool] = {}
        self._page: MessageId | None = None
        self._by_provider_id: dict[str, Call] = {}
        self._by_id: dict[CallId, Call] = {}

    def start(self, step: MessageId, provider_id: str, name: str, arguments: str) -> str:
        """The model has asked for a call, whole. Answers the id that the SDK is to know it by.

        That is the provider's, or a short one where that is missing or was used before: the SDK
        refuses to run such a call. No name that a model makes up is that of a notice of ours.
        """
        named = name.replace(" ", "_") if is_notice(name) else name
        return self._start(step, provider_id, named, arguments)

    def _start(self, step: MessageId, provider_id: str, name: str, arguments: str) -> str:
        call = Call(new_call_id(), step, name)
        usable = provider_id and provider_id not in self._by_provider_id
        known_by = provider_id if usable else short_id(call.id)
        self._by_provider_id[known_by] = self._by_id[call.id] = call
        asks, call.unfit = self._asks(name, arguments)
        call.started = ToolCall(
            id=call.id,
            name=name,
            arguments=arguments,
            started_at=datetime.now(UTC),
            source=self.sources.get(name, ""),
            state="waiting" if asks else "running",
            asks=asks,
        )
        if asks in (None, "approval"):
            self._tell(call)
        return known_by

    def _asks(self, name: str, arguments: str) -> tuple[Asks | None, str]:
        """What a call asks, or why it can't."""
        tool = self.asking.get(name)
        unfit = unaskable(tool, arguments) if tool else ""
        return (tool.asks if tool and not unfit else None), unfit

    def begin(self, call: Call) -> None:
        """It is run, and so asks nothing, whatever its name."""
        call.began = True
        if call.started:
            call.started = replace(call.started, state="running", asks=None)
            self._tell(call)

    def _tell(self, call: Call) -> None:
        started, call.started = call.started, None
        if started:
            self._emit(ToolCallStarted(message_id=call.step, call=started))

    def adopt(self, step: MessageId, known_by: str, call: ToolCall) -> None:
        """A call that was kept before this run, which goes on with it."""
        rounds = call.form.round if call.form else 0
        known = Call(call.id, step, call.name, proposal=call.proposal, rounds=rounds)
        self._by_provider_id[known_by] = self._by_id[call.id] = known

    def ask(self, call: Call, agent: str, payload: Payload, proposal: Proposal | None) -> None:
        """A call waits for a person, with what its provider wants back."""
        asks = (call.started and call.started.asks) or "approval"
        form = None
        if call.started and asks == "answers":
            form = form_in(parsed_arguments(call.started.arguments) or {})
        self._set_apart(call, asks)
        self._tell(call)
        self._emit(
            ToolCallAsked(
                message_id=call.step,
                call_id=call.id,
                asks=asks,
                agent=agent,
                form=form,
                payload=payload,
                proposal=proposal,
            )
        )

    @property
    def wanting(self) -> tuple[tuple[str, Call], ...]:
        """Those that want answers before they go on, by the ids that the SDK knows them by."""
        return tuple((id, call) for id, call in self._by_provider_id.items() if call.wants)

    def ask_for_answers(self, call: Call, wanted: Wanted, payload: Payload) -> None:
        """A call that has begun waits for a person, and goes on with the answers."""
        asked = self.asks_meanwhile(call, wanted.form)
        form = replace(asked.form, live=False) if asked.form else None
        self._emit(replace(asked, form=form, payload=payload, state=wanted.state))

    def asks_meanwhile(self, call: Call, form: Form) -> ToolCallAsked:
        """That a call asks while it goes on."""
        call.rounds += 1
        return ToolCallAsked(
            message_id=call.step,
            call_id=call.id,
            asks="answers",
            agent=call.agent,
            form=replace(form, live=True, round=call.rounds),
        )

    # what one page is to run, one at a time, is one entry; each form is one
    def _set_apart(self, call: Call, asks: Asks) -> None:
        if asks == "answers":
            call.step = new_message_id()
        elif asks == "client":
            self._page = call.step = self._page or new_message_id()

    def report(self, step: MessageId, name: str, output: str, arguments: str = "{}") -> None:
        """Something of ours has failed: a notice, as a call that no model has made."""
        known_by = self._start(step, "", name, arguments)
        self._by_provider_id[known_by].failed = True
        self.finish(known_by, output)

    def report_files(self, left_out: Sequence[tuple[Attached, str]]) -> None:
        """A model has not been given these, or not all of them, each with the reason."""
        step = new_message_id()
        for file, why in left_out:
            about = json.dumps({"attachment_id": file.id})
            self.report(step, unread(in_a_line(file.name)), why, about)

    def find(self, provider_id: str | None) -> Call | None:
        """The call that the SDK means, if the model made it in this run."""
        return self._by_provider_id.get(provider_id or "")

    def unfinished(self, name: str) -> Call | None:
        """The first call of this name that has not ended."""
        calls = (c for c in self._by_id.values() if c.name == name and not c.finished)
        return next(calls, None)

    def answered(self, provider_id: str | None, output: str) -> None:
        """The SDK has this output; a call that never began has failed."""
        call = self.find(provider_id)
        if call is not None:
            call.failed = call.failed or not call.began
        self.finish(provider_id, output)

    def never_begin(self) -> None:
        """The run is over: those that have not begun have failed."""
        for known_by, call in self._by_provider_id.items():
            if not call.began:
                call.failed = True
                self.finish(known_by, _NOT_RUN)

    def finish(self, provider_id: str | None, output: str) -> None:
        """The call has ended; only the first word about it counts."""
        call = self.find(provider_id)
        if call is None or call.finished or call.wants:
            return
        call.finished = True
        self._tell(call)
        self._emit(
            ToolCallFinished(
                message_id=call.step,
                call_id=call.id,
                state=call.outcome,
                output=cleaned(output),
                at=datetime.now(UTC),
                files=call.files,
                links=call.result.links if call.result else (),
            )
        )


def unaskable(tool: Tool, arguments: str) -> str:
    """Why nobody can be asked about a call with these arguments, in words for the model."""
    parsed = parsed_arguments(arguments)
    if parsed is None:
        return NOT_JSON
    lacking = [name for name in tool.parameters.get("required", ()) if name not in parsed]
    if lacking:
        return f"The arguments lack {', '.join(lacking)}, so the tool was not run. Correct them."
    try:
        return "" if tool.asks != "answers" else form_in(parsed) and ""
    except ValueError as error:
        return f"{error} Nobody was asked. Correct the call."
