"""What the documentation says of tables, settings, commands, paths and files is so."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import click
import pytest
from chatkit.types import ThreadItem
from sqlalchemy import CheckConstraint, Table, UniqueConstraint

from chatbridge.adapters.openai.failures import SENTENCES
from chatbridge.adapters.postgres.tables import Row
from chatbridge.container import Container
from chatbridge.domain.model.limits import MAX_BODY, MAX_CONTENT
from chatbridge.entrypoints.cli import Program, command
from chatbridge.main import create_app
from chatbridge.settings import Settings
from tests.integration.http.asking import ACTIONS, OPERATIONS
from tests.unit.test_settings import setting_defaults

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
README = (ROOT / "README.md").read_text()
INTRODUCTION = README.partition("\n## ")[0]
REFERENCE = (ROOT / "docs" / "reference.md").read_text()
PROMISES = (ROOT / "docs" / "promises.md").read_text()
CHATKIT = (ROOT / "docs" / "chatkit.md").read_text()
DATA_MODEL = (ROOT / "docs" / "data-model.md").read_text()
TABLES = list(Row.metadata.tables.values())

# variables that are read by something else than the settings
OTHER_VARIABLES = {"CHATBRIDGE_PG_BIN", "TEST_POSTGRES", "TEST_ROUNDS"}
SHELLS = ("sh", "console")

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
every_table = pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)


def blocks(text: str, *languages: str) -> Iterator[str]:
    """The lines of the text's blocks in one of these languages; continued lines are joined."""
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.M | re.S):
        if language in languages:
            yield from block.replace("\\\n", " ").splitlines()


def code(text: str) -> list[str]:
    """Every span of code outside of blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))


def said_commands(text: str) -> Iterator[list[str]]:
    """What a reader would type, by words and without a prompt or variables in front."""
    lines = [line for line in blocks(text, *SHELLS) if not re.match(r"\s*(#|export )", line)]
    for line in [*lines, *code(text), *re.findall(r"\$\(([^)]+)\)", text)]:
        plain = re.sub(r"^\$ |^(?:[A-Z][A-Z_]*=\S* )+", "", line.strip())
        if re.match(r"make [a-z]|(\.venv/bin/)?chatbridge [a-z]", plain):
            yield shlex.split(plain.replace("[MESSAGE]", "MESSAGE"), comments=True)


def targets() -> set[str]:
    """What `make help` lists."""
    return set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.M))


def subcommands() -> dict[str, click.Command]:
    """What `chatbridge --help` lists."""
    nothing: Any = None
    program = Program(
        serve=nothing,
        migrate=nothing,
        grants=nothing,
        serve_tasks=nothing,
        address=nothing,
        service_key=nothing,
    )
    return command(program).commands


def section(title: str, text: str) -> str:
    """What is below the heading, up to the next one of its kind."""
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(table: str) -> list[list[str]]:
    """The cells of a Markdown table's rows, without its head."""
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@every_table
def test_each_table_is_described_with_its_columns(table: Table) -> None:
    described = {row[0].strip("`") for row in rows(section(f"`{table.name}`", DATA_MODEL))}
    assert described == set(table.columns.keys())


@every_table
def test_each_constraint_and_index_has_its_reason(table: Table) -> None:
    described = section(f"`{table.name}`", DATA_MODEL)
    named = [c for c in table.constraints if isinstance(c, CheckConstraint | UniqueConstraint)]
    for each in [*named, *table.indexes]:
        assert f"`{each.name}`" in described, each.name


@every_table
def test_a_column_that_may_be_null_says_so(table: Table) -> None:
    for name, kind, *_ in rows(section(f"`{table.name}`", DATA_MODEL)):
        assert table.columns[name.strip("`")].nullable == kind.endswith(", null"), name


def test_every_table_that_is_described_exists() -> None:
    described = set(re.findall(r"^## `(\w+)`$", DATA_MODEL, re.M))
    assert described == {table.name for table in TABLES}


def test_every_function_is_described() -> None:
    found = ROOT.glob("src/chatbridge/adapters/postgres/migrations/functions/*.sql")
    assert {row[0].strip("`") for row in rows(section("Functions", DATA_MODEL))} == {
        path.stem for path in found
    }


def test_the_reference_has_every_setting_with_its_default() -> None:
    said = {row[0].strip("`"): row[1] for row in rows(section("Settings", REFERENCE))}
    instructions = "CHATBRIDGE_AGENT__INSTRUCTIONS"
    assert set(said) == set(setting_defaults())
    assert said.pop(instructions) == "a task keeper's"
    for name, default in setting_defaults().items():
        if name != instructions:
            assert said[name] == _shown(default), name


def _shown(default: Any) -> str:
    match default:
        case None:
            return "unset"
        case bool():
            return f"`{str(default).lower()}`"
        case _:
            return f"`{default}`"


@every_page
def test_every_variable_exists(page: Path) -> None:
    found = re.findall(
        r"\b(?:CHATBRIDGE|BETTER|OPENAI|DATABASE|TEST)_[A-Z_]*[A-Z]\b", page.read_text()
    )
    assert set(found) <= setting_defaults().keys() | OTHER_VARIABLES


@every_page
def test_every_command_exists(page: Path) -> None:
    for program, name, *arguments in said_commands(page.read_text()):
        if program == "make":
            assert name in targets()
        else:
            options = {option for p in subcommands()[name].params for option in p.opts}
            assert {a for a in arguments if a.startswith("--")} <= options, name


def test_every_subcommand_is_in_the_reference() -> None:
    said = {shlex.split(row[0].strip("`"))[1] for row in rows(section("Commands", REFERENCE))}
    assert said == subcommands().keys()


def test_the_quick_start_is_what_there_is() -> None:
    start = section("Try it", README)
    lines = [line.partition("#")[0].strip() for line in blocks(start, "sh")]
    assert lines[:2] == ["make run", "make web"]
    assert {line.removeprefix("make ") for line in lines if "make" in line} <= targets()
    typed = [line for line in blocks(start, "console") if line.startswith("$ ")]
    assert typed[0] == '$ .venv/bin/chatbridge chat "add a task: buy oat milk"'
    assert len(list(said_commands("\n".join(["```console", *typed, "```"])))) == len(typed)


def test_the_reason_is_told_in_the_right_words() -> None:
    words = " ".join(INTRODUCTION.split())
    assert "On 30 November 2026 OpenAI ends Agent Builder" in words
    assert "ChatKit itself stays and asks for a server of one's own" in words


def test_the_readme_is_soon_read_and_leads_to_every_page() -> None:
    assert len(README.splitlines()) <= 300
    linked = set(re.findall(r"\]\((docs/[\w-]+\.md)\)", section("Documentation", README)))
    assert linked == {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}


def test_the_readme_tells_the_limits_and_the_name_to_install() -> None:
    told = section("Limits", README)
    window = setting_defaults()
    low, high = (window[f"CHATBRIDGE_WINDOW__{end}"] for end in ("LOW", "HIGH"))
    assert f"{MAX_CONTENT:,} characters, a request {MAX_BODY // 1024**2} MiB" in told
    assert f"the last {low} to {high} messages" in told
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wheel = f"{project['name'].replace('-', '_')}-{project['version']}-py3-none-any.whl"
    assert f'"{project["name"]} @ git+' in section("Try it", README)
    assert wheel in section("Try it", README)
    assert f"**Status**: {project['version']} is not released" in told


def test_the_matrix_says_of_chatkit_what_the_list_says() -> None:
    ours = {row[0]: row[1] for row in rows(section("Beside others", README))}
    served = {row[0].strip("`"): row[1] for row in rows(section("Operations", CHATKIT))}
    options = {
        row[0].strip("`"): row[1] for row in rows(section("Options of the element", CHATKIT))
    }
    assert ours["Attachments"].startswith(served["attachments.create"])
    no_composer = options["composer.attachments"] == "no"
    assert ("not in its own element" in ours["Attachments"]) == no_composer
    assert ours["Widgets of your own"] == served["threads.custom_action"]
    assert ours["Tools that run in the page"] == served["threads.add_client_tool_output"]
    answers = any(row[1].endswith("/answers`") for row in rows(section("HTTP", REFERENCE)))
    assert ours["Approval before a tool runs"].startswith("yes") == answers
    assert ours["Voice"].startswith(served["input.transcribe"])
    assert ("not in its own element" in ours["Voice"]) == (options["composer.dictation"] == "no")
    menus = ("entities", "commands", "composer.tools", "composer.models")
    asked = "@-mentions, commands, menus of tools and models"
    effects = {options[name] for name in menus}
    assert ours[asked] == (effects.pop() if len(effects) == 1 else "in part")


def test_the_reference_has_every_path() -> None:
    container = Container(
        settings=Settings(_env_file=None, secret="s" * 32, database={"url": "memory:"})
    )
    served = {
        (method.upper(), path)
        for path, operations in create_app(container).openapi()["paths"].items()
        for method in operations
    }
    assert {(row[0], row[1].strip("`")) for row in rows(section("HTTP", REFERENCE))} == served


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith(("https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.is_relative_to(ROOT), target
        assert there.exists(), target
        assert not anchor or anchor in _anchors(there), target


def _anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@every_page
def test_every_file_that_is_named_exists(page: Path) -> None:
    inside = ("adapters/", "domain/", "entrypoints/", "ports/")
    for name in code(page.read_text()):
        if not re.fullmatch(r"[\w./-]+", name):
            continue
        if name.startswith(("src/", "tests/", "docs/", "scripts/", "deploy/", "examples/")):
            assert (ROOT / name).exists(), name
        elif name.startswith(inside):
            assert (ROOT / "src" / "chatbridge" / name).exists(), name
        elif name.endswith(".md"):
            assert list(ROOT.rglob(name)), name


def test_every_operation_of_chatkit_is_told_and_whether_it_is_served() -> None:
    told = {row[0].strip("`"): row[1] for row in rows(section("Operations", CHATKIT))}
    assert told.keys() == set(OPERATIONS)
    by_itself = {name for name, served in told.items() if served == "yes"}
    assert by_itself == {*OPERATIONS} - {*ACTIONS}


def test_every_kind_of_item_of_chatkit_is_told() -> None:
    told = [row[0].strip("`") for row in rows(section("Items of a conversation", CHATKIT))]
    kinds = get_args(get_args(ThreadItem)[0])
    assert set(told) == {get_args(kind.model_fields["type"].annotation)[0] for kind in kinds}


def test_every_code_of_a_failed_turn_has_its_reason() -> None:
    _, _, told = (ROOT / "docs" / "operations.md").read_text().partition("## Codes of a failed")
    told = told.partition("\n## ")[0]
    rows = [line.split(" | ")[0] for line in told.splitlines() if line.startswith("| `")]
    others = {
        "interrupted",
        "not_kept",
        "shown_too_large",
        "metadata_too_large",
        "conversation_deleted",
    }
    others |= {"host_failed", "host_silent"}
    assert {name for row in rows for name in code(row)} == {*SENTENCES, *others}


def test_every_promise_names_its_tests() -> None:
    promises = rows(PROMISES.partition("\n## ")[0])
    assert promises
    for promise, measured in promises:
        assert promise
        assert code(measured)
        for name in code(measured):
            assert re.search(r"def test_|class Test", (ROOT / name).read_text()), name


def test_every_decision_is_listed_and_has_its_parts() -> None:
    listed = (ROOT / "docs" / "decisions" / "README.md").read_text()
    files = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    numbers = [int(file.name[:4]) for file in files]
    assert numbers == [*range(1, len(files) + 1)]
    for file in files:
        text = file.read_text()
        title = re.findall(r"^# \d+\. (.+)$", text, re.M)
        parts = re.findall(r"^## (.+)$", text, re.M)
        assert f"]({file.name}) | {title[0]} |" in listed, file.name
        assert parts == ["Context", "Decision", "Consequences", "Alternatives"], file.name


UNWANTED = {
    "ChatKit stays": r"chatkit[^.;\n]{0,30}\b(shut|close|end|sunset|discontinue|retire)[sd]?\b",
    "a path of somebody's machine": r"(?<![\w.:])/(work|home|root|tmp|Users)/",
    "a number that only a tracker knows": r"(?<![\w&(/])#\d+\b",
    "praise": r"\b(blazing|seamless|effortless|robust|world-class|cutting-edge|powerful|simply)\b",
    "a picture for a word": r"[\u2600-\u27bf\U0001f000-\U0001faff]",
}


@every_page
@pytest.mark.parametrize("what", UNWANTED)
def test_there_is_none_of(what: str, page: Path) -> None:
    found = re.search(UNWANTED[what], page.read_text(), re.I)
    assert not found, found
