"""The web app installs everywhere from its lock, and with a Next.js past its known holes."""

import json
from pathlib import Path
from typing import Any

import pytest

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
LOCK: dict[str, dict[str, Any]] = json.loads((FRONTEND / "package-lock.json").read_text())[
    "packages"
]
DECLARED: dict[str, Any] = json.loads((FRONTEND / "package.json").read_text())

# those with binaries of their own for each platform
NATIVE = ["@next/swc", "@tailwindcss/oxide", "lightningcss", "@img/sharp", "@typescript/typescript"]
PLATFORMS = ["darwin-arm64", "darwin-x64", "win32-x64", "linux-x64"]


def version(package: str) -> tuple[int, ...]:
    """The locked version."""
    return tuple(map(int, LOCK[f"node_modules/{package}"]["version"].split(".")))


def test_next_is_the_one_that_is_asked_for_and_past_its_known_holes() -> None:
    assert DECLARED["dependencies"]["next"] == "^16.1.2"
    assert (16, 1, 7) <= version("next") < (17,)


def test_the_lock_is_of_this_package() -> None:
    own = LOCK[""]
    assert own["dependencies"] == DECLARED["dependencies"]
    assert own["devDependencies"] == DECLARED["devDependencies"]


@pytest.mark.parametrize("package", NATIVE)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_platform_finds_its_binaries(package: str, platform: str) -> None:
    prefix = f"node_modules/{package}-{platform}"
    assert [name for name in LOCK if name.startswith(prefix)]


def test_every_optional_binary_is_locked() -> None:
    for name, package in LOCK.items():
        for wanted in package.get("optionalDependencies", {}):
            assert f"node_modules/{wanted}" in LOCK or f"{name}/node_modules/{wanted}" in LOCK, (
                name,
                wanted,
            )


def test_every_package_has_its_hash_and_no_registry() -> None:
    for name, package in LOCK.items():
        if name:
            assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name
