"""What each peer is called, in the order of a table's columns, and where their packages are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".bench" / "venv"

COLUMNS = {
    "floor": "Floor",
    "raw": "Bytes",
    "recipe": "Recipe",
    "graph": "LangGraph",
    "memory": "chatbridge, memory",
    "postgres": "chatbridge",
    "fast": "chatbridge[fast]",
}

OURS = ("memory", "postgres", "fast")
