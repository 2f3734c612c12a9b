"""Why something could not be measured."""


class Failed(Exception):
    """It can't go on; says why, for a person."""
