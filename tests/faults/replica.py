"""chatbridge as it is served, and, for the suite's own proof, with one of its mechanisms off.

`python -m tests.faults.replica` is `chatbridge serve` with the patch that the environment names.
"""

import os
import sys

from chatbridge.__main__ import main
from tests.faults import patches

PATCH = "FAULTS_PATCH"
"""The environment variable that names a patch; without it nothing is changed."""


def serve() -> None:
    """Serve until a signal comes, then end this process."""
    if name := os.environ.pop(PATCH, None):
        patches.apply(name)
    sys.argv[:] = ["chatbridge", "serve"]
    main()


if __name__ == "__main__":
    serve()
