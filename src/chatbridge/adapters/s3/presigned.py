"""Addresses by which whoever knows them may put one blob, signed by AWS's Signature Version 4.

obstore's own bind no headers: by those a browser could put any number of bytes of any type.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where it is, and with which keys. `endpoint` is with its scheme and without the bucket."""

    endpoint: str
    name: str
    region: str
    access_key_id: str
    secret_access_key: str


def presigned_put(
    bucket: Bucket, key: str, headers: Mapping[str, str], *, seconds: int, now: datetime
) -> str:
    """The address of a PUT that is good with exactly these headers, and for so long."""
    now = now.astimezone(UTC)
    day, stamp = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{day}/{bucket.region}/s3/aws4_request"
    host = bucket.endpoint.split("://", 1)[1].rstrip("/")
    path = f"/{bucket.name}/{quote(key, safe='/-_.~')}"
    signed = {"host": host, **{name.lower(): value.strip() for name, value in headers.items()}}
    names = ";".join(sorted(signed))
    asked = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{bucket.access_key_id}/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": names,
    }
    query = "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in asked.items())
    lines = [f"{name}:{signed[name]}" for name in sorted(signed)]
    request = "\n".join(["PUT", path, query, *lines, "", names, "UNSIGNED-PAYLOAD"])
    digest = hashlib.sha256(request.encode()).hexdigest()
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, digest])
    signature = _hmac(_signing_key(bucket, day), to_sign).hex()
    return f"{bucket.endpoint.rstrip('/')}{path}?{query}&X-Amz-Signature={signature}"


def _signing_key(bucket: Bucket, day: str) -> bytes:
    key = f"AWS4{bucket.secret_access_key}".encode()
    for part in (day, bucket.region, "s3", "aws4_request"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
