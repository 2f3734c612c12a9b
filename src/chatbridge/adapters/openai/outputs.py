"""What a host's tool has brought, as a model and a person read it: text or JSON, never Python."""

from collections.abc import Sequence
from typing import Any, cast

from agents import ToolOutputFileContent, ToolOutputImage, ToolOutputText
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

Part = ToolOutputText | ToolOutputImage | ToolOutputFileContent
_PART: TypeAdapter[Part] = TypeAdapter(Part)
_SHOWN = {"image": "(an image)", "file": "(a file)"}


def readable_output(output: Any) -> Any:
    """The output as the SDK hands it on well: a text, the SDK's parts, or else its JSON."""
    return output if isinstance(output, str) or _parts(output) else _json(output)


def shown_output(output: Any) -> str:
    """The output as text, in which a part that is none is only named."""
    parts = _parts(output)
    if parts:
        texts = (p.text if isinstance(p, ToolOutputText) else _SHOWN[p.type] for p in parts)
        return "\n".join(texts)
    return output if isinstance(output, str) else _json(output)


def _parts(output: Any) -> list[Part]:
    """What the SDK reads as texts, images and files; nothing where it is anything else."""
    listed = isinstance(output, list | tuple)
    given = cast(Sequence[Any], output) if listed else [output]
    if not all(isinstance(part, Part) or _says_its_type(part) for part in given):
        return []
    try:
        return [_PART.validate_python(part) for part in given]
    except ValidationError:
        return []


def _says_its_type(part: Any) -> bool:
    return isinstance(part, dict) and "type" in part


def _json(value: Any) -> str:
    try:
        return to_json(value, bytes_mode="base64", inf_nan_mode="null", fallback=str).decode()
    except ValueError:  # it holds itself
        return str(value)
