"""A tool server's form: what it asks, what it may not, and what is sent of a person's answers."""

from typing import Any

import pytest

from chatbridge.adapters.mcp.elicitation.forms import Unaskable, content_of, questions_of
from chatbridge.adapters.mcp.elicitation.secret_fields import asks_for_a_secret
from chatbridge.domain.model.errors import Invalid
from chatbridge.domain.model.question import Form

TEXT = {"type": "string"}
SIZE = {"oneOf": [{"const": "s", "title": "Small"}, {"const": "l", "title": "Large"}]}
LIST = {"type": "array", "items": {"anyOf": SIZE["oneOf"]}}


def form(schema: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    """A form that asks for one thing."""
    return {"type": "object", "properties": {"x": schema}, "required": ["x"] if required else []}


def sent(schema: dict[str, Any], *said: str, required: bool = False) -> Any:
    """What the server gets for it."""
    asked = form(schema, required=required)
    answers = Form(questions=questions_of(asked)).read({"x": said})
    return content_of(asked, answers).get("x")


@pytest.mark.parametrize(
    ("schema", "said", "value"),
    [
        (TEXT, "Ann", "Ann"),
        (TEXT | {"format": "email"}, "ann@example.com", "ann@example.com"),
        (TEXT | {"format": "uri"}, "https://example.com/a", "https://example.com/a"),
        (TEXT | {"format": "date"}, "2026-05-31", "2026-05-31"),
        (TEXT | {"format": "date-time"}, "2026-05-31T09:30:00Z", "2026-05-31T09:30:00Z"),
        ({"type": "integer"}, " 7 ", 7),
        ({"type": "number"}, "-7.5e1", -75.0),
        ({"type": "boolean"}, "Yes", True),
        ({"type": "boolean"}, "false", False),
        (TEXT | {"enum": ["a", "b"]}, "b", "b"),
        (TEXT | {"enum": ["a", "b"], "enumNames": ["First", "Second"]}, "Second", "b"),
        (TEXT | SIZE, "Large", "l"),
        (TEXT | SIZE, "l", "l"),
        ({"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}, "b", ["b"]),
        (LIST, "Large", ["l"]),
    ],
)
def test_an_answer_is_sent_as_what_the_form_wants(
    schema: dict[str, Any], said: str, value: Any
) -> None:
    got = sent(schema, said)
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize(
    ("schema", "said", "told"),
    [
        (TEXT | {"minLength": 3}, "ab", "at least 3 characters"),
        (TEXT | {"maxLength": 1}, "ab", "at most 1 characters"),
        (TEXT | {"format": "email"}, "ann", "e-mail address"),
        ({"type": "integer"}, "7.5", "whole number"),
        ({"type": "integer", "maximum": 5}, "7", "at most 5"),
        ({"type": "number", "minimum": 0.5}, "0", "at least 0.5"),
        (TEXT | SIZE, "Huge", "one of its choices"),
        (LIST | {"minItems": 2}, "Small", "at least 2 answers"),
        (LIST | {"maxItems": 0}, "Small", "at most 0 answers"),
    ],
)
def test_what_does_not_fit_is_not_sent(schema: dict[str, Any], said: str, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        sent(schema, said)


@pytest.mark.parametrize(
    ("schema", "value", "shown"),
    [
        (TEXT | {"default": "Ann"}, "Ann", ("Ann",)),
        ({"type": "integer", "default": 0}, 0, ("0",)),
        ({"type": "number", "default": 9.5}, 9.5, ("9.5",)),
        ({"type": "boolean", "default": False}, False, ("No",)),
        (TEXT | SIZE | {"default": "l"}, "l", ("Large",)),
        (LIST | {"default": ["s"]}, ["s"], ("Small",)),
    ],
)
@pytest.mark.parametrize("required", [True, False])
def test_a_default_is_sent_for_what_is_left(
    schema: dict[str, Any], value: Any, shown: tuple[str, ...], required: bool
) -> None:
    assert sent(schema, required=required) == value
    assert sent(schema, "  ", required=required) == value
    (question,) = questions_of(form(schema))
    assert question.said(question.default) == [*shown]


def test_what_has_no_default_may_be_left_unless_it_is_required() -> None:
    assert sent(TEXT) is None
    with pytest.raises(Invalid, match="has to be answered"):
        sent(TEXT, required=True)


def test_two_choices_of_one_title_are_told_apart() -> None:
    twice = {"enum": ["a", "b"], "enumNames": ["Same", "Same"]}
    (question,) = questions_of(form(TEXT | twice))
    assert [choice.words for choice in question.choices] == ["Same (a)", "Same (b)"]
    assert sent(TEXT | twice, "Same (b)") == "b"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {}},
        {"type": "array", "items": {"type": "string"}},
        {"type": "array"},
        {"type": ["string", "null"]},
        {},
        True,
    ],
)
def test_a_form_asks_for_nothing_that_no_form_can_hold(schema: Any) -> None:
    with pytest.raises(Unaskable):
        questions_of(form(schema))


SECRET = (
    "password Password user_password userPassword mypassword pass_word PASSWORD passwd pwd "
    "passphrase passcode apiKey api_key API-KEY APIKey OPENAI_API_KEY stripe_key key ssh_key "
    "privateKey awsSecretAccessKey accessToken access_token token github_token authTokens secret "
    "client_secret clientSecret PIN pin pinCode CVV cvv2 card_number cardNumber credit_card otp "
    "one_time_code mfaCode 2fa_code recoveryPhrase session_cookie userPass Passwort 密码"
)
HARMLESS = (
    "name city keyboard keyword monkey turkey hockey token_count tokenCount max_tokens tokens "
    "inputTokens token_symbol sort_key issueKey project_key primaryKey key_length passwordLength "
    "pinned pin_to_top secretary boarding_pass compass passenger bypass passport author opinion"
)


@pytest.mark.parametrize("where", ["name", "title", "format"])
def test_a_secret_is_known_by_its_name_its_title_or_its_format(where: str) -> None:
    def is_secret(said: str) -> bool:
        name = said if where == "name" else "x"
        return asks_for_a_secret(name, TEXT if where == "name" else TEXT | {where: said})

    assert [said for said in SECRET.split() if not is_secret(said)] == []
    assert [said for said in HARMLESS.split() if is_secret(said)] == []
    assert all(map(is_secret, ("Your API key", "Card number", "One-time code")))
    # written so that it is read alike, by other letters or apart
    assert all(map(is_secret, ("p\u0430ssw\u043erd", "API \u043a\u0435\u0443", "P a s s w o r d")))
    assert not any(map(is_secret, ("Row A B C D", "\u041a\u0435\u0443 city")))


def test_a_secret_is_refused_by_its_words_and_no_choice_is_one() -> None:
    with pytest.raises(Unaskable, match="“API key” in a form"):
        questions_of(form(TEXT | {"title": "API key"}))
    with pytest.raises(Unaskable):
        questions_of(form(TEXT | {"writeOnly": True}))
    assert not asks_for_a_secret("use_token", {"type": "boolean"})
    assert not asks_for_a_secret("token", TEXT | {"enum": ["own", "shared"]})
