"""The secret that an installation makes for itself."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from chatbridge.adapters.jwt.secret_file import secret_in


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = secret_in(home)
    assert len(made) == 32
    assert secret_in(home) == made
    assert [file.name for file in home.iterdir()] == ["secret"]


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    secret_in(tmp_path)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_those_that_start_at_once_share_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as starters:
        assert len(set(starters.map(secret_in, [tmp_path] * 32))) == 1
