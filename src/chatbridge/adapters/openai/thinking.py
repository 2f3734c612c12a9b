"""Thinking that a model writes into its text, told apart from the answer.

Servers without a parser for the model's thinking pass it on between marks: `<think>` of DeepSeek,
Qwen and many others, `[THINK]` of Mistral, `◁think▷` of Kimi, `<|START_THINKING|>` of Cohere, the
channels of gpt-oss (https://cookbook.openai.com/articles/openai-harmony), the channel of Gemma 4.
Marks count where an answer begins, so that an answer about them stays whole; a template's token for
the end of a turn is none of it where it stands at the very end.
"""

import re
from dataclasses import dataclass
from typing import Literal

from chatbridge.adapters.openai.telling import without_blank_beginning

_WORDS = "think(?:ing)?|thoughts?|reason(?:ing)?"
_TAGS = rf"(?:\w+:)?(?:{_WORDS})"
_OPENS = re.compile(
    rf"<\s?{_TAGS}(?:\s[^<>]*)?>|\[THINK\]|◁think▷|<\|(?:(?:start|begin)_(?:of_)?)?(?:{_WORDS})\|>|"
    rf"<\|channel>(?:{_WORDS})(?:\s|(?=<))|"
    r"(?P<channel><\|(?:channel|start)\|>)",
    re.I,
)
_MAY_OPEN = re.compile(
    rf"<(?:\s?/?\s?[\w:]{{0,20}}>?|\s?{_TAGS}\s[^<>]{{0,200}}|\|/?\w{{0,20}}(?:\|>?)?|"
    r"\|channel>\w{0,12})?$|"
    r"\[[A-Z]{0,5}\]?$|◁[a-z]{0,5}▷?$",
    re.I,
)
_CLOSES = re.compile(
    rf"<\s?/\s?{_TAGS}\s?>|\[/THINK\]|◁/think▷|<\|(?:/|end_(?:of_)?)(?:{_WORDS})\|>|<channel\|>",
    re.I,
)
# where no beginning was written, only an end of the line is one of the thinking
_CLOSES_ALONE = re.compile(rf"(?:</(?:{_WORDS})>|\[/THINK\]|◁/think▷)[ \t]*\n", re.I)
# what some put around the answer behind the thinking
_ANSWERS = re.compile(
    r"<(answer|response|solution)>|<\|(?:start|begin)_(?:of_)?(answer|response|solution)\|>", re.I
)
_ANSWERED = r"\s*(?:</{0}>|<\|end_(?:of_)?{0}\|>)"
_HEAD = re.compile(
    r"<\|start\|>[^<]*|<\|channel\|>(?P<name>[^<]*)|<\|constrain\|>[^<]*|<\|message\|>"
)
_ENDS = re.compile(r"<\|(?:end|return|call|start|channel)\|>")
_STOPS = (
    "</s>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|end|>",
    "<end_of_turn>",
    "<turn|>",
    "<|endoftext|>",
)
_STOPPED = "(?:(?:" + "|".join(map(re.escape, _STOPS)) + r")\s*)"
_BEGUN = "|".join(re.escape(stop[:n]) for stop in (*_STOPS, "<s>") for n in range(1, len(stop)))
_MAY_STOP = re.compile(rf"{_STOPPED}*(?:{_BEGUN})?\Z")
_STOPS_AT_THE_END = re.compile(rf"{_STOPPED}+\Z")
_LONGEST_STOP = 200
_LONGEST_MARK = 24
_LONGEST_DOUBT = 4000

Kind = Literal["answer", "thinking"]


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of a text, and what it is."""

    kind: Kind
    text: str


class Thinking:
    """Parts one text as it comes; what may be the beginning of a mark waits for the next piece."""

    def __init__(self) -> None:
        self._held = ""
        self._read = self._start
        self._thought = False
        self._within = 0
        self._struck = False
        self._answered: re.Pattern[str] | None = None

    def take(self, piece: str) -> list[Said]:
        """What is known of the text, now that this much more of it has come."""
        text, self._held = self._held + piece, ""
        said: list[Said] = []
        while text:
            before = self._read
            text = self._read(text, said)
            if self._read == before:
                break
        self._held = text
        return _joined(said)

    def end(self) -> list[Said]:
        """The rest, when nothing follows."""
        rest, self._held = self._held, ""
        kind: Kind = "thinking" if self._read in (self._inside, self._channel) else "answer"
        if self._read == self._head:
            return []
        if kind == "answer" and not self._struck:
            rest = _STOPS_AT_THE_END.sub("", rest)
        return [Said(kind, rest)] if rest else []

    def _start(self, text: str, said: list[Said]) -> str:
        bare = without_blank_beginning(text)
        if self._thought and (closed := _CLOSES.match(bare)):
            bare = bare[closed.end() :].lstrip()
        opened = _OPENS.match(bare)
        if opened and opened["channel"]:
            self._read = self._head
            return bare
        if opened:
            self._read, self._within = self._inside, 0
            return bare[opened.end() :]
        if len(text) < _LONGEST_DOUBT and (not bare or _MAY_OPEN.match(bare)):
            return bare if self._thought else text
        self._read = self._answer
        answers = _ANSWERS.match(bare) if self._thought else None
        if answers:
            self._answered = re.compile(_ANSWERED.format(answers[1] or answers[2]), re.I)
            return bare[answers.end() :].lstrip()
        return bare if self._thought else text

    def _inside(self, text: str, said: list[Said]) -> str:
        closed = _CLOSES.search(text)
        within = text[: closed.start()] if closed else text[: _sure(text)]
        plan, more = _OPENS.subn("", within)
        self._within += more
        said.append(Said("thinking", plan))
        if closed is None:
            return text[len(within) :]
        self._thought = True
        self._read = self._perhaps if self._within else self._start
        return text[closed.end() :].lstrip()

    # Another beginning stood within the thinking: a mark, or only a word about one.
    def _perhaps(self, text: str, said: list[Said]) -> str:
        while self._within and (closed := _CLOSES.search(text)):
            self._within -= 1
            said.append(Said("thinking", text[: closed.start()]))
            text = text[closed.end() :].lstrip()
        if not self._within or len(text) > _LONGEST_DOUBT:
            self._read = self._start
        return text

    def _answer(self, text: str, said: list[Said]) -> str:
        if self._answered is None:
            return self._plain(text, said)
        ended = self._answered.search(text)
        sure = ended.start() if ended else len(text[: _sure(text)].rstrip())
        said.append(Said("answer", text[:sure]))
        if ended:
            self._answered = None
        return text[ended.end() :] if ended else text[sure:]

    # What may be a template's token for the end waits; that of HTML's <s> is a word like others.
    def _plain(self, text: str, said: list[Said]) -> str:
        sure = _held_from(text)
        said.append(Said("answer", text[:sure]))
        self._struck = self._struck or "<s>" in text
        return text[sure:]

    # <|start|>assistant<|channel|>analysis<|message|>
    def _head(self, text: str, said: list[Said]) -> str:
        at, shown = 0, True
        while head := _HEAD.match(text, at):
            if head.end() == len(text) and not head.group().endswith("|>"):
                return text
            name = head["name"]
            shown = shown if name is None else name.strip().split(" ")[0] == "final"
            at = head.end()
            if head.group() == "<|message|>":
                self._read = self._final if shown else self._channel
                return text[at:]
        if len(text) - at > _LONGEST_MARK:  # no head after all
            self._read = self._final
        return text

    def _channel(self, text: str, said: list[Said]) -> str:
        return self._message(text, said, "thinking")

    def _final(self, text: str, said: list[Said]) -> str:
        return self._message(text, said, "answer")

    def _message(self, text: str, said: list[Said], kind: Kind) -> str:
        ended = _ENDS.search(text)
        if ended is None:
            sure = _sure(text)
            said.append(Said(kind, text[:sure]))
            return text[sure:]
        said.append(Said(kind, text[: ended.start()]))
        self._read = self._head
        begins = ended.group() in ("<|start|>", "<|channel|>")
        return text[ended.start() if begins else ended.end() :]


def without_thinking(text: str) -> str:
    """The answer alone, of a text that is whole; thinking that only ends, too, is left out."""
    parts = Thinking()
    said = [*parts.take(text), *parts.end()]
    answer = "".join(part.text for part in said if part.kind == "answer")
    while closed := _CLOSES_ALONE.search(answer):
        if _OPENS.search(answer, 0, closed.start()):
            break
        answer = answer[closed.end() :].lstrip()
    return answer


# How much of the text can't be the beginning of a mark.
def _sure(text: str) -> int:
    begins = max(text.rfind(mark) for mark in "<[◁")
    return begins if begins >= 0 and len(text) - begins < _LONGEST_MARK else len(text)


def _held_from(text: str) -> int:
    stop = _MAY_STOP.search(text, max(0, len(text) - _LONGEST_STOP))
    return stop.start() if stop else len(text)


def _joined(said: list[Said]) -> list[Said]:
    joined: list[Said] = []
    for part in said:
        if joined and joined[-1].kind == part.kind:
            joined[-1] = Said(part.kind, joined[-1].text + part.text)
        elif part.text:
            joined.append(part)
    return joined
