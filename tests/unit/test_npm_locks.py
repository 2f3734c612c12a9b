"""What comes from npm installs everywhere from its locks, and Next.js is past its known holes."""

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ["element", "frontend", "tests/system/tool_servers"]

# those with binaries of their own for each platform
NATIVE = [
    ("element", "@esbuild"),
    ("element", "@typescript/typescript"),
    ("frontend", "@img/sharp"),
    ("frontend", "@next/swc"),
    ("frontend", "@tailwindcss/oxide"),
    ("frontend", "@typescript/typescript"),
    ("frontend", "lightningcss"),
]
PLATFORMS = ["darwin-arm64", "darwin-x64", "win32-x64", "linux-x64"]


def read(folder: str, name: str) -> dict[str, Any]:
    """A file of npm's."""
    return json.loads((ROOT / folder / name).read_text())


def packages(folder: str) -> dict[str, dict[str, Any]]:
    """What the lock holds, by its place."""
    return read(folder, "package-lock.json")["packages"]


def test_next_is_past_its_known_holes() -> None:
    assert read("frontend", "package.json")["dependencies"]["next"] == "^16.4.5"
    locked = packages("frontend")["node_modules/next"]["version"]
    assert (16, 4, 5) <= tuple(map(int, locked.split("."))) < (17,)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_lock_is_of_this_package(folder: str) -> None:
    declared, own = read(folder, "package.json"), packages(folder)[""]
    for kind in ("dependencies", "devDependencies"):
        assert own.get(kind) == declared.get(kind)


@pytest.mark.parametrize(("folder", "package"), NATIVE)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_platform_finds_its_binaries(folder: str, package: str, platform: str) -> None:
    names = [place.removeprefix("node_modules/") for place in packages(folder)]
    assert [name for name in names if name.startswith(package) and platform in name]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_optional_binary_is_locked(folder: str) -> None:
    lock = packages(folder)
    for place, package in lock.items():
        for wanted in package.get("optionalDependencies", {}):
            places = {f"node_modules/{wanted}", f"{place}/node_modules/{wanted}"}
            assert places & lock.keys(), (place, wanted)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_package_has_its_hash_and_no_registry(folder: str) -> None:
    for place, package in packages(folder).items():
        if place:
            assert package["integrity"].startswith("sha512-"), place
        assert "resolved" not in package, place
