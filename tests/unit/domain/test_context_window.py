from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.domain.model.context_window import ContextWindow
from chatbridge.domain.model.message import Kind, Message
from tests.contracts.store import call, message, tools

WINDOW = ContextWindow()
SIZES = [(10, 15), (1, 2), (1, 15), (14, 15), (3, 7)]

KINDS: tuple[Kind, ...] = ("text", "partial", "tools", "shown")
ANSWERS = st.lists(st.sampled_from(KINDS), max_size=6)
WINDOWS = st.tuples(st.integers(1, 8), st.integers(1, 8)).map(
    lambda sizes: ContextWindow(low=sizes[0], high=sizes[0] + sizes[1])
)


def chat(*answers: Sequence[Kind], length: int = 1) -> list[Message]:
    """A question before each answer, and one more that waits for its own."""
    messages: list[Message] = []
    for n, kinds in enumerate(answers):
        messages.append(message(f"q{n}", "q" * length))
        messages += [_said(f"q{n}.{i}", kind, length) for i, kind in enumerate(kinds)]
    return [*messages, message(f"q{len(answers)}", "q" * length)]


CHATS = st.lists(ANSWERS, max_size=25).map(lambda answers: chat(*answers))


@pytest.mark.parametrize(("low", "high"), SIZES)
@pytest.mark.parametrize("riding", [[], ["tools"], ["tools", "shown", "tools"]])
def test_it_holds_the_last_low_to_high_messages(low: int, high: int, riding: list[Kind]) -> None:
    window = ContextWindow(low=low, high=high)
    for turns in range(31):
        messages = chat(*[[*riding, "text"]] * turns)
        chosen = of(window, messages)
        size, n = counted(chosen), counted(messages)
        assert messages[-len(chosen) :] == list(chosen)
        # moving forward to a question costs at most the one answer before it
        assert min(n, low) - 1 <= size <= high
        assert size >= min(n, low) or size % 2
        if n <= high:
            assert list(chosen) == messages


def test_every_number_of_questions_in_a_row() -> None:
    for n in range(61):
        messages = [message(f"q{i}") for i in range(n)]
        chosen = of(WINDOW, messages)
        assert min(n, 10) <= len(chosen) <= 15
        assert messages[n - len(chosen) :] == list(chosen)


def test_it_begins_where_the_rule_says() -> None:
    beginnings = {n: of(WINDOW, [message(f"q{i}") for i in range(n)])[0].id for n in range(1, 32)}
    assert [n for n in beginnings if beginnings[n] == "q0"] == list(range(1, 16))
    assert [n for n in beginnings if beginnings[n] == "q5"] == list(range(16, 21))
    assert [n for n in beginnings if beginnings[n] == "q10"] == list(range(21, 26))
    assert beginnings[26] == "q15"


@pytest.mark.parametrize(("low", "high"), SIZES)
def test_its_beginning_stays_put_for_a_step(low: int, high: int) -> None:
    window = ContextWindow(low=low, high=high)
    begins = [of(window, [message(f"q{i}") for i in range(n)])[0].id for n in range(1, 61)]
    later = begins[high:]
    step = high - low
    runs = [later.count(id) for id in dict.fromkeys(later)]
    assert set(runs[:-1]) == {step}
    assert runs[-1] <= step


def test_no_message_is_no_window() -> None:
    assert of(WINDOW, []) == ()


def test_without_a_question_it_is_what_there_is() -> None:
    answers = [message(f"a{n}", role="assistant") for n in range(3)]
    assert of(WINDOW, answers) == tuple(answers)


def test_a_widget_of_the_users_is_no_question() -> None:
    widget = message("shown", kind="shown")
    messages = [message("q0"), message("a0", role="assistant"), widget, message("q1")]
    assert of(ContextWindow(low=1, high=2), messages) == (message("q1"),)


@given(CHATS, WINDOWS)
def test_it_moves_forward_to_the_next_question_and_no_further(
    messages: list[Message], window: ContextWindow
) -> None:
    chosen = of(window, messages)
    step = window.high - window.low
    start = step * -(-max(0, counted(messages) - window.high) // step)
    skipped = messages[: len(messages) - len(chosen)]
    assert messages[len(skipped) :] == list(chosen)
    assert is_question(chosen[0])
    assert counted(skipped) >= start
    assert not any(
        is_question(m) for i, m in enumerate(skipped) if counted(skipped[:i]) >= start
    ), "it skipped a question that it could have begun with"


@given(CHATS, WINDOWS)
def test_a_call_is_never_parted_from_its_question_and_output(
    messages: list[Message], window: ContextWindow
) -> None:
    chosen = of(window, messages)
    for m in chosen:
        assert message(m.id.partition(".")[0]).id in {c.id for c in chosen}
    turns = {m.id.partition(".")[0] for m in chosen}
    assert [m for m in messages if m.id.partition(".")[0] in turns] == list(chosen)


@given(CHATS, WINDOWS)
def test_the_last_high_messages_are_enough_to_choose_from(
    messages: list[Message], window: ContextWindow
) -> None:
    places = [i for i, m in enumerate(messages) if m.counted]
    newest = messages[places[max(0, len(places) - window.high)] :]
    assert window.of(newest, len(places)) == of(window, messages)


@given(st.lists(ANSWERS, max_size=25), WINDOWS)
def test_its_beginning_never_moves_back(answers: list[list[Kind]], window: ContextWindow) -> None:
    messages = chat(*answers)
    ends = [i + 1 for i, m in enumerate(messages) if is_question(m)]
    begins = [end - len(of(window, messages[:end])) for end in ends]
    assert begins == sorted(begins)


@given(st.lists(ANSWERS, max_size=12), st.integers(1, 9), st.integers(0, 200))
def test_over_the_cap_it_drops_whole_turns_from_the_front(
    answers: list[list[Kind]], length: int, cap: int
) -> None:
    messages = chat(*answers, length=length)
    whole = of(WINDOW, messages)
    chosen = of(ContextWindow(max_characters=cap), messages)
    assert list(whole[len(whole) - len(chosen) :]) == list(chosen)
    assert is_question(chosen[0])
    questions = [i for i, m in enumerate(whole) if is_question(m)]
    place = questions.index(len(whole) - len(chosen))
    assert size(chosen) <= cap or place == len(questions) - 1
    assert place == 0 or size(whole[questions[place - 1] :]) > cap


def test_the_last_turn_is_kept_whatever_its_size() -> None:
    messages = [message("q0"), message("a0", role="assistant"), message("q1", "x" * 1_000)]
    assert of(ContextWindow(max_characters=10), messages) == (messages[-1],)


def test_what_fits_exactly_is_kept() -> None:
    messages = [message("q0", "12345"), message("q1", "67890")]
    assert of(ContextWindow(max_characters=10), messages) == tuple(messages)
    assert of(ContextWindow(max_characters=9), messages) == (messages[-1],)


def test_what_a_message_says_besides_counts_as_characters() -> None:
    quoting = replace(message("q0", "12345"), payload={"quoted_text": "67890"})
    messages = [quoting, message("q1", "12345")]
    window = ContextWindow(
        max_characters=14, words=lambda m: m.content + (m.payload or {}).get("quoted_text", "")
    )
    assert of(window, messages) == (messages[1],)
    assert of(replace(window, max_characters=15), messages) == tuple(messages)


def test_arguments_and_outputs_count_as_characters() -> None:
    big = tools("tools", call(arguments="x" * 50, output="y" * 50))
    messages = [message("q0", ""), big, message("q1", "")]
    assert of(ContextWindow(max_characters=100), messages) == tuple(messages)
    assert of(ContextWindow(max_characters=99), messages) == (messages[-1],)


def test_a_call_without_output_has_a_size_too() -> None:
    messages = [message("q0", ""), tools("tools", call("c", "running", arguments="12"))]
    assert of(ContextWindow(max_characters=2), messages) == tuple(messages)


@pytest.mark.parametrize(("low", "high"), [(0, 5), (5, 5), (6, 5), (-1, 1)])
def test_impossible_sizes_are_refused(low: int, high: int) -> None:
    with pytest.raises(ValueError, match="1 <= low < high"):
        ContextWindow(low=low, high=high)


def of(window: ContextWindow, messages: Sequence[Message]) -> tuple[Message, ...]:
    return window.of(messages, counted(messages))


def counted(messages: Sequence[Message]) -> int:
    return sum(m.counted for m in messages)


def is_question(m: Message) -> bool:
    return m.role == "user" and m.counted


def size(messages: Sequence[Message]) -> int:
    calls = [c for m in messages for c in m.tool_calls]
    return sum(len(m.content) for m in messages) + sum(
        len(c.arguments) + len(c.output or "") for c in calls
    )


def _said(id: str, kind: Kind, length: int) -> Message:
    if kind == "tools":
        return tools(id, call(arguments="a" * length, output="o" * length))
    return message(id, "a" * length, role="assistant", kind=kind)
