"""docs/requirements.md names what settles each requirement, and leaves nothing out."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from chatbridge.adapters.postgres.tables import Row
from chatbridge.container import Container
from chatbridge.main import create_app
from chatbridge.settings import Settings
from tests.unit.test_docs import code, rows, section
from tests.unit.test_settings import setting_defaults

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"^## (.+)$", TEXT, re.M)
REQUIREMENTS = [row for title in SECTIONS for row in rows(section(title, TEXT))]
DECISION = re.compile(r"\[decision (\d+)\]\((decisions/\d{4}-[\w-]+\.md)\)")

every_section = pytest.mark.parametrize("title", SECTIONS)
every_requirement = pytest.mark.parametrize("row", REQUIREMENTS, ids=lambda row: row[0])


@cache
def found_in(path: Path) -> frozenset[str]:
    """The tests of a file, by what follows the file in their ids."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.ClassDef(name=name, body=body):
                methods = [n for n in body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
                found |= {f"{name}::{method.name}" for method in methods}
            case _:
                pass
    return frozenset(name for name in found if re.search(r"(^|::)test_", name))


def listed(title: str) -> set[str]:
    """What the rows of this section name in their second cell."""
    return {name for _, what, _ in rows(section(title, TEXT)) for name in code(what)}


@every_requirement
def test_what_settles_a_requirement_exists(row: list[str]) -> None:
    _, what, settled = row
    assert what
    tests, decisions = code(settled), DECISION.findall(settled)
    assert tests or decisions or settled.startswith("open: ")
    for test in tests:
        file, _, name = test.partition("::")
        assert name in found_in(ROOT / file), test
    for number, file in decisions:
        assert (ROOT / "docs" / file).exists(), file
        assert int(file.removeprefix("decisions/")[:4]) == int(number), file


def test_a_test_that_is_not_there_would_be_noticed() -> None:
    assert "test_a_test_that_is_not_there_would_be_noticed" in found_in(Path(__file__))
    assert "test_nothing" not in found_in(Path(__file__))
    assert "found_in" not in found_in(Path(__file__))


@every_section
def test_requirements_are_numbered_in_their_section(title: str) -> None:
    found = [re.fullmatch(r"(Plan |[A-Z])(\d+)", row[0]) for row in rows(section(title, TEXT))]
    numbers = [int(each[2]) for each in found if each]
    assert numbers
    assert len(numbers) == len(found)
    assert numbers == sorted(set(numbers))
    assert len({each[1] for each in found if each}) == 1


def test_the_plan_has_its_28_demands_and_nothing_else_may_stay_open() -> None:
    ids = [row[0] for row in rows(section("The plan", TEXT))]
    assert ids == [f"Plan {number}" for number in range(1, 29)]
    assert all(row[0] in ids for row in REQUIREMENTS if row[2].startswith("open"))


def test_no_two_sections_number_alike() -> None:
    ids = [row[0] for row in REQUIREMENTS]
    assert len(ids) == len(set(ids))


def test_every_operation_is_listed() -> None:
    settings = Settings(_env_file=None, secret="s" * 32, database={"url": "memory:"})
    paths = create_app(Container(settings=settings)).openapi()["paths"]
    operations = {
        f"{method.upper()} {path}" for path, methods in paths.items() for method in methods
    }
    assert operations == {name for name in listed("Endpoints") if " " in name}


def test_every_table_is_listed() -> None:
    assert {table.name for table in Row.metadata.tables.values()} <= listed("Entities")


def test_every_setting_is_listed() -> None:
    assert listed("Settings") - {".env.example"} == setting_defaults().keys()
