"""Lengths of time, as lists show them."""

import re

_SECONDS = re.compile(r"\d+(\.\d+)?s")
_LENGTHS_SECONDS = {"d": 86_400, "h": 3_600, "m": 60}


def interval(text: str) -> str:
    """``5400s``, as the API writes it, as people write it: ``90m``."""
    if not _SECONDS.fullmatch(text):  # A later server may write it otherwise.
        return text
    seconds = float(text.removesuffix("s"))
    for unit, length in _LENGTHS_SECONDS.items():
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:.0f}{unit}"
    return text
