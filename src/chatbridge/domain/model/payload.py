"""What a surface wants back exactly as it gave it. Carried and kept, never opened."""

from collections.abc import Mapping
from typing import Any

Payload = Mapping[str, Any]
