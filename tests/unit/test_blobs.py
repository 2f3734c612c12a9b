"""Where attachments are kept, as the settings have it."""

import sys
from pathlib import Path
from typing import Any

import pytest

from chatbridge.adapters.local.blob_store import LocalBlobStore
from chatbridge.adapters.memory.blob_store import MemoryBlobStore
from chatbridge.adapters.s3.blob_store import S3BlobStore
from chatbridge.blobs import allowance, attachment_addresses, blob_store
from chatbridge.domain.model.attachment import Allowance
from tests.serving import settings_for

POSTGRES = "postgresql://somewhere/app"
BUCKET = {"url": "s3://bucket/a/prefix", "access_key_id": "key", "secret_access_key": "secret"}


def store(database: str = POSTGRES, data_dir: Path | None = None, **blobs: Any) -> Any:
    named = {"data_dir": data_dir} if data_dir else {}
    return blob_store(settings_for(database, **named, blobs=blobs))


def test_unset_they_are_in_the_data_directory_where_it_is_named(tmp_path: Path) -> None:
    assert store() is None
    assert isinstance(store("memory:"), MemoryBlobStore)
    there = store(data_dir=tmp_path / "made later")
    assert isinstance(there, LocalBlobStore)
    assert there.kept == f"kept in {tmp_path / 'made later' / 'attachments'}"
    # the embedded store has one in any case
    assert isinstance(store(""), LocalBlobStore)


def test_they_are_where_the_url_says(tmp_path: Path) -> None:
    assert store(data_dir=tmp_path, url="off") is None
    assert store(url=f"file:{tmp_path}/my%20files").kept == f"kept in {tmp_path}/my files"
    bucket = store(**BUCKET, endpoint="http://127.0.0.1:1", region="eu-1", straight=True)
    assert isinstance(bucket, S3BlobStore)
    upload = bucket.upload("a", size=1, media_type="text/plain", seconds=60)
    assert upload
    assert upload.url.startswith("http://127.0.0.1:1/bucket/a/prefix/a?")
    assert "key%2F" in upload.url
    assert "%2Feu-1%2Fs3" in upload.url
    assert store(**BUCKET).upload("a", size=1, media_type="text/plain", seconds=60) is None


@pytest.mark.parametrize(
    "url",
    [
        "on",
        "s3:b",
        "s3://key:secret@b",
        "s3://b?region=a",
        "file:relative",
        "file://host/a",
        "gs://a",
    ],
)
def test_any_other_url_is_refused_in_words(url: str) -> None:
    with pytest.raises(ValueError, match="CHATBRIDGE_BLOBS__URL must be"):
        store(url=url)


def test_a_directory_that_nothing_can_be_written_to_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in its place")
    with pytest.raises(ValueError, match="files can't be kept in"):
        store(url=f"file:{tmp_path}/file")


@pytest.mark.parametrize("public", ["nonsense", "chat.example.com", "ftp://a", "https://a/?b=c"])
def test_a_public_address_of_nothing_is_refused_in_words(public: str) -> None:
    settings = settings_for("memory:", blobs={"public_url": public})
    with pytest.raises(ValueError, match="CHATBRIDGE_BLOBS__PUBLIC_URL must be"):
        attachment_addresses(settings, b"secret")


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "s3://bucket", "access_key_id": "key"},
        {"url": "s3://bucket", "secret_access_key": "secret"},
        {"url": "s3://bucket", "straight": True},
    ],
)
def test_half_of_the_keys_is_refused_in_words(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="CHATBRIDGE_BLOBS__ACCESS_KEY_ID"):
        store(**wrong)


@pytest.mark.parametrize("endpoint", ["s3.example.com", "https://s3.example.com/bucket", ""])
def test_an_address_of_no_server_is_refused_in_words(endpoint: str) -> None:
    with pytest.raises(ValueError, match="CHATBRIDGE_BLOBS__ENDPOINT must be"):
        store(**BUCKET, endpoint=endpoint)


@pytest.mark.parametrize(
    "told",
    [{"straight": True}, {"endpoint": "http://127.0.0.1:9000"}, {"access_key_id": "key"}],
    ids=str,
)
def test_what_is_of_a_bucket_is_refused_where_none_is_named(
    told: dict[str, Any], tmp_path: Path
) -> None:
    for url in (None, f"file:{tmp_path}"):
        with pytest.raises(ValueError, match="is of a bucket, and none is named"):
            store(**told, url=url)
    assert store(**told, url="off") is None


def test_an_extra_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "chatbridge.adapters.s3.blob_store")
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(ValueError, match=r"pip install 'chatbridge-server\[s3\]'"):
        store(**BUCKET)


def test_how_much_may_be_brought_is_what_is_set() -> None:
    limits = {"max_bytes": 4, "max_files": 3, "max_bytes_a_day": 2, "max_files_a_day": 1}
    assert allowance(settings_for("memory:", blobs=limits)) == Allowance(**limits)
