"""A file whose store only the registry knows."""

from pathlib import Path

import pytest

from tests.stores import INSTALLED


@pytest.fixture
def file_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of a file that is not there yet; its store is installed."""
    monkeypatch.syspath_prepend(INSTALLED)
    return f"file:{tmp_path / 'everything'}"
