"""The revisions that this version knows, without Alembic, which is loaded to migrate alone."""

from typing import Literal

Way = Literal["upgrade", "downgrade"]

REVISIONS = ("0001",)
"""Those of the scripts in migrations/versions, the oldest first; a test compares them."""

HEAD = REVISIONS[-1]
"""The one that this version serves."""
