"""A program: a PDF on its input, its text on its output. It runs alone, with its own limits."""

import resource
import sys
from contextlib import suppress
from io import BytesIO

MAX_MEMORY = 1_000_000_000
MAX_CPU_SECONDS = 10


def main() -> None:
    """`most` characters are wanted: the program's one argument."""
    # macOS knows no such limit
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_SECONDS, MAX_CPU_SECONDS))
    from pypdf import PdfReader

    left = int(sys.argv[1]) + 1
    for page in PdfReader(BytesIO(sys.stdin.buffer.read())).pages:
        text = page.extract_text()[:left]
        sys.stdout.buffer.write(f"{text}\n\n".encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
        left -= len(text)
        if left <= 0:
            break


if __name__ == "__main__":
    main()
