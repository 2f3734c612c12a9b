"""docs/chatkit.md tells of all of the SDK's protocol where it is served, and what shows it."""

import pytest

from tests.hosts.protocol import BY_AN_AGENT, DOCUMENT, UNIONS, filled, members, shown_by_servers
from tests.unit.test_requirements import ROOT, found_in


@pytest.fixture(scope="module")
async def servers() -> dict[str, str]:
    return await shown_by_servers()


def test_the_tables_are_what_there_is(servers: dict[str, str]) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert filled(text, servers) == text, "run `make contract`"


@pytest.mark.parametrize("kind", [kind for kind in UNIONS if kind != "Operation"])
def test_whatever_the_sdk_can_show_is_shown_by_a_server_that_is_compared(
    kind: str, servers: dict[str, str]
) -> None:
    assert set(members(UNIONS[kind])) <= servers.keys()


def test_what_shows_that_an_agent_does_it_exists() -> None:
    known = {name for union in UNIONS.values() for name in members(union)}
    assert known >= BY_AN_AGENT.keys()
    for test in BY_AN_AGENT.values():
        file, _, name = test.partition("::")
        assert name in found_in(ROOT / file), test
