"""Whatever fits the contract, or nearly does, is answered as the contract says.

Schemathesis makes the requests from the published contract and judges the answers. `TEST_ROUNDS`
multiplies their number.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from dependency_injector.providers import Object

from chatbridge.adapters.offline.model import OfflineModel
from chatbridge.adapters.openai.models import Endpoint
from chatbridge.container import Container
from scripts.contract import CONTRACT
from tests.integration.http.published import ROUTES
from tests.serving import Served, served, settings_for

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = int(os.environ.get("TEST_ROUNDS", "1"))
EXAMPLES = 60 * ROUNDS
AT_LEAST = 1_500 if ROUNDS < 20 else 10_000
USER = "schemathesis"


def in_a_hurry(container: Container) -> None:
    """A model that does not pause between its words."""

    async def nothing() -> None: ...

    container.endpoint.override(Object(Endpoint(OfflineModel(delay=0), nothing)))


async def asked(service: Served, report: Path) -> tuple[int, str]:
    """Let it ask the service: its exit code, and all that it says."""
    program = str(Path(sys.executable).with_name("schemathesis"))
    config = str(Path(__file__).with_name("schemathesis.toml"))
    process = await asyncio.create_subprocess_exec(
        *(program, "--config-file", config, "run", str(CONTRACT), "--url", service.url),
        *("--no-color", "--max-examples", str(EXAMPLES), "--report-json-path", str(report)),
        # it leaves a cache where it runs
        cwd=report.parent,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "CHATBRIDGE_TESTS_USER": USER,
            "CHATBRIDGE_TESTS_TOKEN": service.token(USER),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def test_answers_are_as_the_contract_says(
    fresh_database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    async with served(settings_for(fresh_database), in_a_hurry) as service:
        code, said = await asked(service, report)
    assert code == 0, said
    run = json.loads(report.read_text())
    assert run["operations"]["tested"] == len(ROUTES)
    assert {phase["status"] for phase in run["phases"].values()} == {"success"}
    assert run["test_cases"]["generated"] >= AT_LEAST
    with capsys.disabled():
        print(f"\n{run['test_cases']['generated']} requests in {run['running_time']:.0f} s")
