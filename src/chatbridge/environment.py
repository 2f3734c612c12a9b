"""The names of settings, as the environment and `.env` have them; what is wrong with others."""

import json
import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher, get_close_matches
from typing import Any, get_origin

from pydantic import AliasChoices, BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

PREFIX = "CHATBRIDGE_"

_OTHERS = ("CHATBRIDGE_PG_BIN", "CHATBRIDGE_TOKEN", "CHATBRIDGE_URL")
"""What is read elsewhere: for the embedded Postgres, by the command and by the web app."""

# what Kubernetes tells every pod of services whose names begin with ours
_OF_SERVICES = re.compile(r"\w+_(SERVICE_(HOST|PORT)|PORT)(_\w+)?")
_NEAR = 0.6

_FAMILIES = (PREFIX, "BETTER_AUTH_")
_MISSPELT = 0.85
"""From there on a name that begins with neither, or is one of Better Auth's, is one of ours."""

_BETTER_AUTHS = ("BETTER_AUTH_SECRETS",)
"""What Better Auth reads itself, and is as near to a name of ours as a slip would be."""


class Section(BaseModel):
    """A part of the settings; a name that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def words(listed: Any) -> Any:
    """A list as people write it: JSON, or words with commas between them; nothing is not set."""
    if not isinstance(listed, str):
        return listed
    if listed.lstrip().startswith("["):
        return json.loads(listed)
    return [word.strip() for word in listed.split(",")] if listed.strip() else None


def names(model: type[BaseModel], prefix: str = PREFIX) -> Iterator[tuple[str, FieldInfo]]:
    """Every name that may be set; of a section its own, and those in it."""
    for field_name, field in model.model_fields.items():
        for name in _names_of(field_name, field, prefix):
            yield name, field
            if section := _section(field):
                yield from names(section, f"{name}__")


def faults(found: Mapping[str, str | None], model: type[BaseModel]) -> list[str]:
    """A sentence for each that no setting is called, and for each that should be JSON and is not.

    The names in `found` may be in either case.
    """
    known = dict(names(model))
    ours = {name.upper(): value or "" for name, value in found.items()}
    return [
        fault
        for name, value in ours.items()
        if (fault := _fault(name, value, known) if name.startswith(PREFIX) else _slip(name, known))
    ]


def worded(error: ValidationError, model: type[BaseModel]) -> str:
    """What is wrong with the values of settings, by the names that they are set by."""
    told = (
        f"{_named(each['loc'], model)}: {each['msg'].removeprefix('Value error, ')}"
        for each in error.errors()
    )
    return "The settings can't be used. " + "; ".join(told)


def _fault(name: str, value: str, known: Mapping[str, FieldInfo]) -> str:
    if field := known.get(name):
        is_json = _section(field) or _is_mapping(field) or _is_list(field)
        return _json_fault(name, value) if value and is_json else ""
    inside = any(name.startswith(f"{each}__") for each in known if _is_mapping(known[each]))
    if name in _OTHERS or _OF_SERVICES.fullmatch(name) or inside:
        return ""
    meant = max((*known, *_OTHERS), key=lambda each: _likeness(name, each))
    if _likeness(name, meant) < _NEAR:
        return f"{name} is unknown: docs/reference.md names all settings."
    return f"{name} is unknown; did you mean {meant}?"


def _slip(name: str, known: Mapping[str, FieldInfo]) -> str:
    """Of a name whose first word is not ours, or that stands beside ours of Better Auth."""
    if name in known or name in _BETTER_AUTHS or _OF_SERVICES.fullmatch(name):
        return ""
    for family in _FAMILIES:
        said = name.removeprefix(family)
        # Better Auth has more of its own, BETTER_AUTH_KV_URL for one: a slip adds no word
        if name[0] != family[0] or (said != name and "_" in said):
            continue
        ours = [each for each in (*known, *_OTHERS) if each.startswith(family)]
        for meant in get_close_matches(name, ours, n=1, cutoff=_MISSPELT):
            return f"{name} is unknown; did you mean {meant}?"
    return ""


def _json_fault(name: str, value: str) -> str:
    try:
        json.loads(value)
    except ValueError as error:
        return f"{name} is not JSON: {error}. In JSON names and texts have double quotes."
    return ""


def _likeness(name: str, known: str) -> float:
    """Of both without our prefix; one who has left the section out has meant its last part."""
    said, whole = name.removeprefix(PREFIX), known.removeprefix(PREFIX)
    last = whole.rpartition("__")[2]
    return max(
        SequenceMatcher(None, said, whole).ratio(), 0.9 * SequenceMatcher(None, said, last).ratio()
    )


def _named(place: tuple[str | int, ...], model: type[BaseModel]) -> str:
    name, prefix = "", PREFIX
    for at, part in enumerate(place):
        field = _field(model, str(part))
        if field is None:
            return ".".join([name, *map(str, place[at:])]) if name else str(part)
        name = next(iter(_names_of(str(part), field, prefix)))
        section = _section(field)
        if section is None:
            return ".".join([name, *map(str, place[at + 1 :])])
        model, prefix = section, f"{name}__"
    return name


def _field(model: type[BaseModel], part: str) -> FieldInfo | None:
    for name, field in model.model_fields.items():
        if part == name or part in _aliases(field):
            return field
    return None


def _names_of(field_name: str, field: FieldInfo, prefix: str) -> Iterator[str]:
    for name in _aliases(field) or [field_name]:
        yield name if name.isupper() else f"{prefix}{name}".upper()


def _aliases(field: FieldInfo) -> list[str]:
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return [choice for choice in alias.choices if isinstance(choice, str)]
    return [alias] if isinstance(alias, str) else []


def _section(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _is_mapping(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is dict


def _is_list(field: FieldInfo) -> bool:
    """Of objects; one of words is a tuple, and may have commas."""
    return get_origin(field.annotation) is list
