"""The end of what a program printed on stderr before it was ready: why it did not get there.

Nothing is kept from then on. What a running server prints may be anybody's data.
"""

import re

_KEPT_BYTES = 16 * 1024
_SHOWN_LINES = 20
_SHOWN_CHARACTERS = 2_000

# Colours and the like, then whatever else is no text: PostgreSQL keeps no NUL.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class LastWords:
    def __init__(self) -> None:
        self._heard = bytearray()
        self._is_listening = True

    def hear(self, printed: bytes) -> None:
        if self._is_listening:
            self._heard += printed
            del self._heard[:-_KEPT_BYTES]

    def forget(self) -> None:
        """It is ready: what it prints is no concern of ours any more."""
        self._is_listening = False
        self._heard.clear()

    @property
    def text(self) -> str:
        """Its last lines, without control characters; not redacted yet, and not shortened."""
        # A bar of progress returns to the beginning of its line: only its last state counts.
        lines = self._heard.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
        plain = (_ESCAPES.sub("", line.rstrip("\r").rpartition("\r")[2]) for line in lines)
        return "\n".join(_CONTROLS.sub("", line).rstrip() for line in plain).strip()


def shown(text: str) -> str:
    """The end of a text, so that it can stand in a message."""
    return "\n".join(text.splitlines()[-_SHOWN_LINES:])[-_SHOWN_CHARACTERS:].strip()
