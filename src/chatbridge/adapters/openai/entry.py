"""An agent of the host's own, found by the name of its module and attribute."""

import importlib
import inspect
from types import ModuleType
from typing import Any

from agents import Agent


def load_agent(entry: str) -> Agent[Any]:
    """The agent at `module:attribute`, or the one that a function there makes.

    Raises ValueError with a sentence for the operator, whatever the module does.
    """
    module, _, attribute = entry.partition(":")
    if not module or not attribute:
        raise ValueError(
            f"The agent's entry must read module:attribute, such as my_agents:support; "
            f"it is {entry!r}."
        )
    found = _attribute(_module(module), attribute)
    if isinstance(found, Agent):
        return found  # pyright: ignore[reportUnknownVariableType]
    if not callable(found) or isinstance(found, type):
        raise ValueError(
            f"{entry} is {_kind(found)}; it must be an agents.Agent, or a function that makes one."
        )
    return _made(entry, found)


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise ValueError(
                f"The agent's module {name} was found neither in the current directory nor among "
                "what is installed."
            ) from error
        raise _failed(f"The agent's module {name} can't be imported", error) from error
    except Exception as error:
        raise _failed(f"The agent's module {name} can't be imported", error) from error


def _attribute(module: ModuleType, path: str) -> Any:
    found: Any = module
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError as error:
            raise ValueError(f"The module {module.__name__} has no {path}.") from error
    return found


def _made(entry: str, make: Any) -> Agent[Any]:
    if inspect.iscoroutinefunction(make):
        raise ValueError(f"{entry} is an async function; an agent is made by a plain one.")
    try:
        agent = make()
    except Exception as error:
        raise _failed(f"{entry}() did not make an agent", error) from error
    if not isinstance(agent, Agent):
        raise ValueError(
            f"{entry}() returned what is {_kind(agent)}; it must return an agents.Agent."
        )
    return agent  # pyright: ignore[reportUnknownVariableType]


def _failed(what: str, error: Exception) -> ValueError:
    said = " ".join(str(error).split()).rstrip(".")
    return ValueError(f"{what}: {type(error).__name__}{f': {said}' if said else ''}.")


def _kind(value: Any) -> str:
    return (
        f"the class {value.__name__}"
        if isinstance(value, type)
        else f"of type {type(value).__name__}"
    )
