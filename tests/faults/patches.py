"""What is switched off, one mechanism at a time, to see the check that guards it fail."""

from collections.abc import Callable

PATCHES: dict[str, Callable[[], None]] = {}


def apply(name: str) -> None:
    """Switch a mechanism off in this process."""
    PATCHES[name]()
