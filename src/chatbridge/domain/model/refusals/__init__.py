"""Every refusal, said once: its kind, its stable code and its sentence.

Whoever refuses raises one of these; an operation's documentation names the same ones, and the
published contract has its examples from here.
"""

# ruff: noqa: F403  # each of the modules is nothing but names of refusals
from chatbridge.domain.model.refusals.dictation import *
from chatbridge.domain.model.refusals.outages import *
from chatbridge.domain.model.refusals.ownership import *
from chatbridge.domain.model.refusals.refusal import Refusal as Refusal
from chatbridge.domain.model.refusals.requests import *
from chatbridge.domain.model.refusals.sign_in import *
from chatbridge.domain.model.refusals.standing import *
