"""Code of the host's own: found by its name, and called so that it ends nothing but itself."""

import asyncio
import importlib
from collections.abc import Callable
from inspect import isawaitable
from typing import Any


class HostLeft(Exception):
    """It wanted to end more than itself: by `sys.exit`, or by cancelling whoever called it."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"The code left by {type(error).__name__}.")


def function_at(setting: str, entry: str) -> Callable[..., Any]:
    """The function at `module:function`, as a setting names it. Raises ValueError."""
    module, _, attribute = entry.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for name in attribute.split("."):
            found = getattr(found, name)
    except Exception as error:
        raise ValueError(
            f"{setting} must read module:function, and {entry!r} can't be found: {error!r}."
        ) from error
    if not callable(found):
        raise ValueError(f"{setting} names {entry}, which is no function.")
    return found


async def brought(function: Callable[..., Any], *given: Any) -> Any:
    """What the host's function brings, async or not. Raises what it raises, and HostLeft.

    In a task, SystemExit and KeyboardInterrupt would end the event loop and with it everybody's
    answers; a CancelledError that nobody has asked for would end whoever waits for it.
    """
    try:
        found = function(*given)
        return await found if isawaitable(found) else found
    except Exception:
        raise
    except BaseException as error:
        if was_asked_for(error):
            raise
        raise HostLeft(error) from error


async def brought_in_time(seconds: float, function: Callable[..., Any], *given: Any) -> Any:
    """The same; raises TimeoutError after so long, whatever the function makes of its end."""
    task = asyncio.create_task(brought(function, *given))
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
    if not task.done():
        raise TimeoutError
    return task.result()


def was_asked_for(error: BaseException) -> bool:
    """Whether it says that this very task was told to stop."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    if isinstance(error, GeneratorExit):
        # what is thrown away is closed by nobody's task
        return task is None
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0
