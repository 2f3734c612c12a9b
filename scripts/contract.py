"""Writes contracts/conversation-openapi.yaml from the app; `make contract` runs it."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr

from chatbridge.container import Container
from chatbridge.main import create_app
from chatbridge.sections import Auth, Database
from chatbridge.settings import Settings

CONTRACT = Path(__file__).resolve().parent.parent / "contracts" / "conversation-openapi.yaml"

_HEAD = "# Generated from the app: change its routes, then run `make contract`.\n"


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        """No anchors: what is said twice is written twice."""
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def contract() -> str:
    """The file's whole text; nothing is opened for it, whatever the environment says."""
    settings = Settings(
        _env_file=None,
        environment="development",
        secret=SecretStr("only a contract is written with it"),
        database=Database(url=SecretStr("memory:")),
        auth=Auth(),
    )
    document = create_app(Container(settings=settings)).openapi()
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return _HEAD + text


def main() -> None:
    """Write it."""
    CONTRACT.parent.mkdir(exist_ok=True)
    CONTRACT.write_text(contract(), encoding="utf-8")


if __name__ == "__main__":
    main()
