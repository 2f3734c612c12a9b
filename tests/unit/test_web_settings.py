"""The web app's settings: those of its example are those that it reads, and one is a secret."""

import re
from pathlib import Path

from scripts.web import APPS

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
# what the build sets by itself
BUILT_IN = {"NODE_ENV", "NEXT_RUNTIME"}


def read_variables() -> set[str]:
    """What the app's sources take from the environment."""
    kinds = ("*.ts", "app/**/*.ts*", "components/**/*.tsx", "lib/*", "scripts/*")
    text = "\n".join(path.read_text() for kind in kinds for path in FRONTEND.glob(kind))
    taken = re.findall(r"\bconst \{([^}]+)\} = env;", text)
    names = re.findall(r"\benv\.([A-Z_]+)", text) + re.findall(r"[A-Z_]+", " ".join(taken))
    return set(names) - BUILT_IN


def example_variables() -> set[str]:
    """What `frontend/.env.example` explains."""
    example = (FRONTEND / ".env.example").read_text()
    return set(re.findall(r"^(?:# )?([A-Z_]+)=", example, re.M))


def test_the_example_names_what_the_app_reads_and_no_more() -> None:
    assert example_variables() == read_variables()


def test_make_web_gives_the_app_what_is_its_own_and_no_more() -> None:
    set_by_make_web = {"BETTER_AUTH_SECRET", "BETTER_AUTH_URL", "CHATBRIDGE_URL", "DATABASE_URL"}
    assert set(APPS) == example_variables() - set_by_make_web


def test_the_web_app_has_one_secret() -> None:
    assert {name for name in example_variables() if "SECRET" in name} == {"BETTER_AUTH_SECRET"}
