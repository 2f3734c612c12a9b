"""A folder of an installation that has a store which chatbridge's own sources do not know."""

from pathlib import Path

INSTALLED = Path(__file__).parent
"""To be put on the path."""
