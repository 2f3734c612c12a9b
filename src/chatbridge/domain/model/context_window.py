"""The last messages that the model reads, and the rule that chooses them."""

from collections.abc import Sequence
from dataclasses import dataclass

from chatbridge.domain.model.message import Message, Words, content_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextWindow:
    """The newest `low` to `high` messages of text; what rides between them comes along.

    The window's beginning moves in steps of `high - low`, so that it stays put for several turns
    (a provider's prompt cache lives on an unchanged beginning), and then forward to a user's
    message, so that no tool call is ever parted from its output. `max_characters` bounds its size
    by dropping whole turns from the front, never the last one; `words` are what a message says to
    the model, which may be more than its content.
    """

    low: int = 10
    high: int = 15
    max_characters: int = 200_000
    words: Words = content_of

    def __post_init__(self) -> None:
        if not 1 <= self.low < self.high:
            raise ValueError("a window needs 1 <= low < high")

    @property
    def max_bytes(self) -> int:
        """Of messages in a store, more than which no window can hold: in JSON a character takes
        its bytes, an escape or two, and some more where a payload repeats it.
        """
        return 16 * self.max_characters

    def of(self, messages: Sequence[Message], counted: int) -> tuple[Message, ...]:
        """The window at the end of `messages`, in order.

        `messages` are the conversation's newest, up to and including the one to be answered, and
        hold at least its last `high` counted ones (or all of them, or as much as is larger than
        any window); `counted` is how many counted
        messages the whole conversation has up to there.
        """
        start = self._start(counted)
        seen = counted - sum(m.counted for m in messages)
        begin = 0
        for index, message in enumerate(messages):
            if message.counted:
                if seen == start:
                    begin = index
                    break
                seen += 1
        return self._fit(messages[begin:])

    def _start(self, counted: int) -> int:
        step = self.high - self.low
        return step * -(-max(0, counted - self.high) // step)

    def _fit(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        questions = [i for i, m in enumerate(messages) if _is_question(m)]
        if not questions:
            return tuple(messages)
        sizes = [self._size(message) for message in messages]
        fits = (i for i in questions if sum(sizes[i:]) <= self.max_characters)
        return tuple(messages[next(fits, questions[-1]) :])

    def _size(self, message: Message) -> int:
        calls = sum(len(c.arguments) + len(c.output or "") for c in message.tool_calls)
        return len(self.words(message)) + calls


def _is_question(message: Message) -> bool:
    return message.role == "user" and message.counted
