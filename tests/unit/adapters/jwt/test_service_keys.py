"""Service keys: what they look like, and that their hashes are all that is kept."""

import re
from hashlib import sha256

import pytest

from chatbridge.adapters.jwt.service_keys import ServiceKeys, new_service_key


def test_a_key_is_recognised_by_its_form() -> None:
    assert re.fullmatch(r"cbk_[A-Za-z0-9_-]{43}", new_service_key().key)


def test_no_two_keys_are_the_same() -> None:
    assert len({new_service_key().key for _ in range(100)}) == 100


def test_what_is_kept_is_the_hash_of_the_whole_key() -> None:
    new = new_service_key()
    assert new.hash == sha256(new.key.encode()).hexdigest()


def test_a_new_key_does_not_show() -> None:
    new = new_service_key()
    assert new.key not in repr(new)


def test_each_of_two_keys_is_known_and_no_other() -> None:
    old, new = new_service_key(), new_service_key()
    keys = ServiceKeys([new.hash, old.hash])
    assert keys.know(old.key)
    assert keys.know(new.key)
    for other in (new_service_key().key, new.key[:-1], f"{new.key} ", new.hash, "cbk_", ""):
        assert not keys.know(other)


def test_without_keys_none_is_known() -> None:
    assert not ServiceKeys(()).know(new_service_key().key)


@pytest.mark.parametrize("wrong", ["", "a" * 63, "a" * 65, "A" * 64, "g" * 64, "a" * 64 + "\n"])
def test_what_is_no_hash_is_refused_at_start(wrong: str) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        ServiceKeys([wrong])


def test_a_key_in_the_place_of_its_hash_is_refused_without_repeating_it() -> None:
    key = new_service_key().key
    with pytest.raises(ValueError, match="never a key") as caught:
        ServiceKeys([key])
    assert key not in str(caught.value)
