"""An agent of the host's own: given, made by a function, or found by its module and attribute."""

import importlib
import inspect
import traceback
from pathlib import Path
from sysconfig import get_path
from types import ModuleType
from typing import Any, cast

from agents import Agent

_NOT_THE_HOSTS = ("<frozen", *map(str, map(get_path, ("stdlib", "purelib", "platlib"))))


def load_agent(entry: str, also: type = Agent) -> Any:
    """What is at `module:attribute`, or what a function there makes; see `agent_of`.

    Raises ValueError with a sentence for the operator, whatever the module does.
    """
    module, _, attribute = entry.partition(":")
    if not module or not attribute:
        raise ValueError(
            f"The agent's entry must read module:attribute, such as my_agents:support; "
            f"it is {entry!r}."
        )
    return agent_of(_attribute(_module(module), attribute), entry, also)


def agent_of(found: Any, name: str, also: type = Agent) -> Any:
    """The agent that it is or makes, or what holds one as its `agent` and is `also` taken.

    `name` is how a person knows it. Raises ValueError.
    """
    if isinstance(found, (Agent, also)):
        return _holding(name, found)  # pyright: ignore[reportUnknownArgumentType]
    if not callable(found) or isinstance(found, type):
        raise ValueError(
            f"{name} is {_kind(found)}; it must be an agents.Agent, or a function that makes one."
        )
    return _holding(name, _made(name, found, also))


def _holding(name: str, found: Any) -> Any:
    held: Any = found.agent if not isinstance(found, Agent) else cast(Any, found)
    if not isinstance(held, Agent):
        raise ValueError(f"{name} has an `agent` which is {_kind(held)}; it must be an Agent.")
    return found  # pyright: ignore[reportUnknownVariableType]


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


def _made(entry: str, make: Any, also: type) -> Any:
    if inspect.iscoroutinefunction(make):
        raise ValueError(f"{entry} is an async function; an agent is made by a plain one.")
    try:
        agent = make()
    except Exception as error:
        raise _failed(f"{entry}() did not make an agent", error) from error
    if not isinstance(agent, (Agent, also)):
        raise ValueError(
            f"{entry}() returned what is {_kind(agent)}; it must return an agents.Agent."
        )
    return agent  # pyright: ignore[reportUnknownVariableType]


def _failed(what: str, error: Exception) -> ValueError:
    words = (error.msg if isinstance(error, SyntaxError) else None) or str(error)
    said, where = " ".join(words.split()).rstrip("."), _last_place(error)
    told = f"{type(error).__name__}{f': {said}' if said else ''}{f' ({where})' if where else ''}"
    return ValueError(f"{what}: {told}.")


def _last_place(error: Exception) -> str | None:
    """The file and line that the host can mend: the last of its own, or the last of all."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [(frame.filename, frame.lineno) for frame in frames if frame.filename != __file__]
    if isinstance(error, SyntaxError):
        places.append((error.filename or "", error.lineno))
    own = [place for place in places if not place[0].startswith(_NOT_THE_HOSTS)]
    file, line = (own or places or [("", 0)])[-1]
    return f"{_relative(Path(file))}:{line}" if file else None


def _relative(file: Path) -> Path:
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file


def _kind(value: Any) -> str:
    return (
        f"the class {value.__name__}"
        if isinstance(value, type)
        else f"of type {type(value).__name__}"
    )
