"""Agents found by the name of their module, and what is said when there is none."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from agents import Agent

from chatbridge.adapters.openai.entry import load_agent

MODULE = """
from agents import Agent
agent = Agent(name="Ada")
number = 3
class Shop:
    agent = Agent(name="Bob")
def made():
    return Agent(name="Made")
def wrong():
    return "Ada"
def broken():
    raise RuntimeError("no such file.")
async def later():
    return agent
"""


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "hosts.py").write_text(MODULE)
    (tmp_path / "hosts_broken.py").write_text("1 / 0")
    (tmp_path / "hosts_below.py").write_text("import hosts_broken")
    (tmp_path / "hosts_typo.py").write_text("agent = 1\nagent = = 2\n")
    (tmp_path / "hosts_std.py").write_text("import json\njson.loads('x')")
    (tmp_path / "hosts_lacking.py").write_text("import something_that_is_not_there")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield
    for name in [name for name in sys.modules if name.startswith("hosts")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("entry", "name"),
    [("hosts:agent", "Ada"), ("hosts:Shop.agent", "Bob"), ("hosts:made", "Made")],
)
def test_an_agent_is_found_or_made(entry: str, name: str) -> None:
    agent = load_agent(entry)
    assert isinstance(agent, Agent)
    assert agent.name == name


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("hosts", "must read module:attribute"),
        (":agent", "must read module:attribute"),
        ("hosts:", "must read module:attribute"),
        ("hosts_none:agent", "module hosts_none was found neither"),
        ("hosts_none.deep:agent", "module hosts_none.deep was found neither"),
        ("hosts_broken:agent", "ZeroDivisionError: division by zero (hosts_broken.py:1)."),
        ("hosts_below:agent", "ZeroDivisionError: division by zero (hosts_broken.py:1)."),
        (
            "hosts_typo:agent",
            "hosts_typo can't be imported: SyntaxError: invalid syntax (hosts_typo.py:2).",
        ),
        ("hosts_std:agent", "(char 0) (hosts_std.py:2)."),
        ("hosts_lacking:agent", "something_that_is_not_there"),
        ("hosts:nobody", "module hosts has no nobody"),
        ("hosts:number", "is of type int"),
        ("hosts:Shop", "is the class Shop"),
        ("hosts:wrong", "is of type str; it must return an agents.Agent"),
        ("hosts:broken", "did not make an agent: RuntimeError: no such file (hosts.py:12)."),
        ("hosts:later", "is an async function"),
    ],
)
def test_what_is_wrong_is_one_sentence(entry: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as refused:
        load_agent(entry)
    assert "\n" not in str(refused.value)
    assert str(refused.value).endswith(".")
    assert not str(refused.value).endswith("..")
