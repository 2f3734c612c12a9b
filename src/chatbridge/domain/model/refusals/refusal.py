"""A refusal: its kind, its stable code and its sentence."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from chatbridge.domain.model.errors import ChatbridgeError

E_co = TypeVar("E_co", bound=ChatbridgeError, covariant=True)


@dataclass(frozen=True, slots=True)
class Refusal(Generic[E_co]):
    """Called, it makes the error; what is given goes into the sentence's braces, as `example` does
    for documentation."""

    kind: type[E_co]
    code: str
    sentence: str
    example: tuple[object, ...] = ()

    def __call__(self, *given: object) -> E_co:
        return self.kind(self.sentence.format(*given), code=self.code)
