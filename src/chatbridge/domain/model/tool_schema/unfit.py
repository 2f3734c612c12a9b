"""Why a tool can't be offered."""


class Unfit(Exception):
    """No model may be given this schema; the message says why, in words of ours."""
