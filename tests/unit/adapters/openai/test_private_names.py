"""The private names of the SDKs that are used: an SDK that changes one says so here."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agents import Agent, function_tool
from agents.testing import ScriptedModel, assistant_message, function_call

import chatbridge
from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.patient_model import PatientModel
from tests.contracts.agent_runner import heard, kept
from tests.contracts.task_tools import TaskTools

SOURCE = Path(chatbridge.__file__).parent
[DECISION] = (SOURCE.parents[1] / "docs" / "decisions").glob("*-private-names-of-the-sdks.md")


class CachingModel(ScriptedModel):
    """A model as OpenAI's own: requests may be grouped in its prompt cache."""

    def _supports_default_prompt_cache_key(self) -> bool:
        return True


def runner_of(agent: Agent[Any], model: ScriptedModel) -> OpenAIAgentRunner:
    patient = PatientModel(model, first=5)
    return OpenAIAgentRunner(patient, TaskTools(()), instructions="Ours.", agent=agent)


async def keys_of(model: ScriptedModel) -> Iterator[Any]:
    """What the model was given as the key of its prompt cache, call by call."""
    await heard(runner_of(Agent(name="Host"), model), "go")
    settings = [call.model_settings.extra_args or {} for call in model.calls]
    return (each.get("prompt_cache_key") for each in settings)


async def test_a_model_behind_ours_is_still_asked_whether_its_cache_takes_a_key() -> None:
    assert all(await keys_of(CachingModel([[assistant_message("Yes.")]])))
    assert not any(await keys_of(ScriptedModel([[assistant_message("Yes.")]])))


async def test_a_tool_without_words_of_its_own_has_failed_all_the_same() -> None:
    @function_tool
    def fails() -> str:
        raise RuntimeError("it is closed")

    model = ScriptedModel([[function_call("fails", {}, call_id="1")], [assistant_message("Oh.")]])
    step, _ = kept(await heard(runner_of(Agent(name="Host", tools=[fails]), model), "go"))
    (call,) = step.tool_calls
    assert call.state == "failed"
    assert fails._use_default_failure_error_function is True  # pyright: ignore[reportPrivateUsage]


def private_names(tree: ast.Module) -> Iterator[str]:
    """What begins with an underscore, is taken from something else, and is not defined here."""
    nodes = list(ast.walk(tree))
    own = {n.attr for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}
    own |= {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    own |= {n.name for n in nodes if isinstance(n, kinds)}
    for node in nodes:
        match node:
            case ast.Attribute(value=ast.Call(func=ast.Name("super")), attr=name):
                yield name
            case ast.Attribute(value=ast.Name("sys")):
                pass  # Python's own, and documented under these names
            case ast.Attribute(attr=name) if name not in own:
                yield name
            case ast.ImportFrom(module=str(module), names=names):
                yield from (part for part in module.split(".") if part != "__future__")
                yield from (alias.name for alias in names)
            case ast.keyword(arg=str(name)) if name != "_meta":  # MCP's published field
                yield name
            case ast.Call(func=ast.Name("getattr" | "hasattr"), args=[_, ast.Constant(name), *_]):
                yield str(name)
            case _:
                pass


def test_no_other_private_name_is_used() -> None:
    found = {
        name
        for path in SOURCE.rglob("*.py")
        for name in private_names(ast.parse(path.read_text(encoding="utf-8")))
        if re.match(r"_(?!_)", name)
    }
    assert found == set(re.findall(r"`(_\w+)`", DECISION.read_text(encoding="utf-8")))
