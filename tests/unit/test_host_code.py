"""Code of the host's own ends nothing but itself."""

import asyncio

import pytest

from chatbridge.ports.host_code import HostLeft, brought


def fail(error: BaseException) -> None:
    raise error


async def fail_later(error: BaseException) -> None:
    await asyncio.sleep(0)
    raise error


@pytest.mark.parametrize("function", [fail, fail_later])
@pytest.mark.parametrize(
    "error", [SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError(), BaseException()]
)
async def test_who_wants_to_end_more_than_itself_fails(function: object, error: object) -> None:
    with pytest.raises(HostLeft, match=type(error).__name__) as left:
        await brought(function, error)  # pyright: ignore[reportArgumentType]
    assert left.value.__cause__ is error


async def test_its_own_errors_and_what_it_brings_are_as_they_are() -> None:
    assert await brought(int, "5") == 5
    assert await brought(asyncio.sleep, 0, "brought") == "brought"
    with pytest.raises(ValueError, match="mine"):
        await brought(fail_later, ValueError("mine"))


async def test_who_is_told_to_stop_stops() -> None:
    begun = asyncio.Event()

    async def wait() -> None:
        begun.set()
        await asyncio.sleep(60)

    task = asyncio.create_task(brought(wait))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
