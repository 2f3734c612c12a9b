"""What people have answered to tools that asked in the midst of a call."""

from chatbridge.domain.model.identifiers import CallId
from chatbridge.domain.model.tool import Reply
from chatbridge.domain.model.transcript import Transcript


def replies(before: Transcript | None) -> dict[CallId, Reply]:
    """The answers that came before the turn went on, by the calls that go on with them."""
    if before is None:
        return {}
    answered = (call for _, call in before.calls_in("running") if call.id in before.states)
    return {c.id: Reply(answers=c.answers, state=before.states[c.id]) for c in answered}
