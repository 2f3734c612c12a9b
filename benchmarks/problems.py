"""Why something could not be measured."""


class Failed(Exception):
    """It can't go on; says why, for a person."""


class NotHere(Exception):
    """It can't be measured on this machine; says why."""
