"""Attachments, if any are taken: where their bytes are kept, and how much of them."""

import re
from pathlib import Path
from tempfile import TemporaryFile
from urllib.parse import unquote, urlsplit

from chatbridge.adapters.local.blob_store import LocalBlobStore
from chatbridge.adapters.memory.blob_store import MemoryBlobStore
from chatbridge.adapters.pillow.pictures import PillowPictures
from chatbridge.domain.model.attachment import Allowance
from chatbridge.domain.services.attachments import Attachments
from chatbridge.domain.services.left_attachments import LeftAttachments
from chatbridge.entrypoints.attachment_addresses import Addresses
from chatbridge.ports.attachment_repository import AttachmentRepository
from chatbridge.ports.blob_store import BlobStore
from chatbridge.settings import Settings

_WANTED = "CHATBRIDGE_BLOBS__URL must be file:/a/directory, s3://a-bucket/a-prefix or off."
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OF_A_BUCKET = ("endpoint", "region", "access_key_id", "secret_access_key", "straight")


def attachments(
    settings: Settings,
    repository: AttachmentRepository,
    blobs: BlobStore | None,
    left: LeftAttachments,
) -> Attachments | None:
    """None where none are taken."""
    if blobs is None:
        return None
    return Attachments(repository, blobs, PillowPictures(), allowance(settings), left)


def left_attachments(
    who: str, repository: AttachmentRepository, blobs: BlobStore | None, **often: float
) -> LeftAttachments | None:
    """What is to be deleted: where no bytes are taken, a server of the host's own may have rows of
    files that it keeps itself. `who` answers."""
    if blobs is None and who == "agent":
        return None
    return LeftAttachments(repository, blobs or MemoryBlobStore(), **often)


def allowance(settings: Settings) -> Allowance:
    """How much one person may bring."""
    limits = settings.blobs
    return Allowance(
        max_bytes=limits.max_bytes,
        max_files=limits.max_files,
        max_bytes_a_day=limits.max_bytes_a_day,
        max_files_a_day=limits.max_files_a_day,
    )


def attachment_addresses(settings: Settings, secret: bytes) -> Addresses:
    """Where browsers put and get their bytes. Raises ValueError."""
    public = settings.blobs.public_url
    address = urlsplit(public or "https://unset")
    if address.scheme not in ("http", "https") or not address.netloc or address.query:
        raise ValueError(
            "CHATBRIDGE_BLOBS__PUBLIC_URL must be where browsers reach chatbridge, like "
            "https://chat.example.com."
        )
    return Addresses(secret, public)


def straight_to(settings: Settings) -> str | None:
    """The origin at which browsers put bytes themselves; None where that is our own."""
    blobs = settings.blobs
    if not (blobs.straight and urlsplit((blobs.url or "").strip()).scheme == "s3"):
        return None
    address = urlsplit(blobs.endpoint)
    return f"{address.scheme}://{address.netloc}"


def blob_store(settings: Settings) -> BlobStore | None:
    """The one that is configured; None where no attachments are taken. Raises ValueError."""
    url = (settings.blobs.url or "").strip()
    address = urlsplit(url)
    match address.scheme:
        case "" if url == "off":
            return None
        case "" if not url:
            _require_no_bucket(settings)
            return _beside_the_store(settings)
        case "file" if address.path.startswith("/") and not address.netloc:
            _require_no_bucket(settings)
            return _in_a_directory(Path(unquote(address.path)))
        case "s3" if _BUCKET.fullmatch(address.netloc) and not (address.query or address.fragment):
            return _in_a_bucket(settings, address.netloc, address.path.strip("/"))
        case _:
            raise ValueError(_WANTED)


def _require_no_bucket(settings: Settings) -> None:
    # whoever sets them and forgets the bucket would look for its files in vain
    unset = type(settings.blobs)()
    told = [name for name in _OF_A_BUCKET if getattr(settings.blobs, name) != getattr(unset, name)]
    if told:
        raise ValueError(
            f"CHATBRIDGE_BLOBS__{told[0].upper()} is of a bucket, and none is named: set "
            "CHATBRIDGE_BLOBS__URL=s3://a-bucket/a-prefix, or leave it out."
        )


def _beside_the_store(settings: Settings) -> BlobStore | None:
    if settings.store_url.startswith("memory:"):
        return MemoryBlobStore()
    # beside a database elsewhere nobody counts on a directory that was never named
    if settings.store_url and "data_dir" not in settings.model_fields_set:
        return None
    return LocalBlobStore(settings.data_dir / "attachments")


def _in_a_directory(directory: Path) -> BlobStore:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # where nothing may be written, this fails as each upload would
        TemporaryFile(dir=directory).close()
    except OSError as error:
        raise ValueError(
            f"CHATBRIDGE_BLOBS__URL: files can't be kept in {directory}: {error.strerror}."
        ) from None
    return LocalBlobStore(directory)


def _in_a_bucket(settings: Settings, bucket: str, prefix: str) -> BlobStore:
    try:
        from chatbridge.adapters.s3.blob_store import S3BlobStore
        from chatbridge.adapters.s3.presigned import Bucket
    except ImportError:
        raise ValueError(
            "CHATBRIDGE_BLOBS__URL is a bucket, which needs an extra: "
            "pip install 'chatbridge-server[s3]'."
        ) from None
    blobs = settings.blobs
    server = urlsplit(blobs.endpoint)
    if server.scheme not in ("http", "https") or not server.netloc or server.path not in ("", "/"):
        raise ValueError(
            "CHATBRIDGE_BLOBS__ENDPOINT must be the server's address without the bucket, like "
            "https://s3.eu-central-1.amazonaws.com."
        )
    key, secret = blobs.access_key_id, blobs.secret_access_key
    if bool(key) != bool(secret):
        raise ValueError(
            "Set both CHATBRIDGE_BLOBS__ACCESS_KEY_ID and CHATBRIDGE_BLOBS__SECRET_ACCESS_KEY, or "
            "neither, for the keys that the environment or the machine has."
        )
    if blobs.straight and not key:
        raise ValueError(
            "CHATBRIDGE_BLOBS__STRAIGHT needs CHATBRIDGE_BLOBS__ACCESS_KEY_ID and "
            "CHATBRIDGE_BLOBS__SECRET_ACCESS_KEY, with which the addresses are signed."
        )
    return S3BlobStore(
        Bucket(
            endpoint=blobs.endpoint,
            name=bucket,
            region=blobs.region,
            access_key_id=key or "",
            secret_access_key=secret.get_secret_value() if secret else "",
        ),
        f"{prefix}/" if prefix else "",
        straight=blobs.straight,
    )
