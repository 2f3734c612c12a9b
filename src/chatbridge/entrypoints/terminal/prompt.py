"""What a person is asked at the prompt: whether a call may run, and questions."""

import click

from chatbridge.domain.model.errors import Invalid
from chatbridge.domain.model.question import Answers, Form, Question
from chatbridge.entrypoints.screen import Screen, Verdict


class Prompt:
    """The person who sits at the terminal. Ctrl-C and Ctrl-D leave what is asked as it is."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def verdict(self, may_stand: bool) -> Verdict:
        """Whether a call may run; with `may_stand` all of its tool may in this conversation."""
        if not may_stand:
            said = "y" if click.confirm("May it run?") else "n"
        else:
            choice = click.Choice(["y", "n", "always"], case_sensitive=False)
            said = click.prompt("May it run, or always in this conversation?", "n", type=choice)
        if said != "n":
            return Verdict(approved=True, stands=said == "always")
        why = click.prompt("Why not? (Enter for no reason)", default="", show_default=False)
        return Verdict(approved=False, reason=why)

    def answers(self, form: Form) -> Answers:
        """One question after the other; what is left out has no answer."""
        given = ((each.id, self._answer(each)) for each in form.questions)
        return {id: values for id, values in given if values}

    def takes_part(self, form: Form, words: str) -> bool:
        """Whether a tool server's form is filled in, or, without questions, agreed to."""
        asked = "Do you answer it?" if form.questions else f"{words}?"
        return click.confirm(asked)

    def _answer(self, question: Question) -> tuple[str, ...]:
        self._screen.say(f"  {question.words}\n")
        if question.description:
            self._screen.say(f"    {question.description}\n", "secondary")
        for n, choice in enumerate(question.offered, 1):
            self._screen.say(f"    {n}) {choice.words}\n")
        while True:
            typed = click.prompt(_wanted(question), default="", show_default=False)
            try:
                return question.read(chosen(question, typed) if typed else question.default)
            except Invalid as error:
                self._screen.say(f"! {error.detail}\n", "danger")


def chosen(question: Question, typed: str) -> list[str]:
    """What was typed as answers: a choice by its words or its number, or words of one's own."""
    parts = [each.strip() for each in typed.split(",")] if question.multiple else [typed.strip()]
    known = [_choice(question, part) for part in parts]
    # words of one's own may have commas in them
    if not any(known):
        return [typed.strip()]
    return [value or part for value, part in zip(known, parts, strict=True)]


def _choice(question: Question, part: str) -> str | None:
    for choice in question.offered:
        if part in (choice.value, choice.words):
            return choice.value
    numbered = {str(n): choice.value for n, choice in enumerate(question.offered, 1)}
    return numbered.get(part)


def _wanted(question: Question) -> str:
    known = {choice.value: choice.words for choice in question.offered}
    default = ", ".join(known.get(value, value) for value in question.default)
    left_out = f"Enter for {default}" if default else "" if question.required else "Enter to skip"
    own = "or your own words" if question.offered and question.free else ""
    many = "numbers, with commas" if question.multiple else "a number"
    how = ", ".join(filter(None, (many if question.offered else "", own, left_out)))
    return f"  Answer ({how})" if how else "  Answer"
