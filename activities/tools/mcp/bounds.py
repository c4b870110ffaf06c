"""How much and how often a server may send, checked before anything of it is parsed."""

import json
import re
from collections.abc import Callable
from typing import Any

from activities.tools.mcp.limits import (
    MAX_MESSAGE_BYTES,
    MAX_MESSAGES_AT_ONCE,
    MAX_MESSAGES_PER_SECOND,
    MAX_VALUES,
)

TOO_LONG = f"more than {MAX_MESSAGE_BYTES} bytes in one message"
TOO_MANY_VALUES = f"more than {MAX_VALUES} values in one message"
TOO_OFTEN = f"more than {MAX_MESSAGES_PER_SECOND} messages a second"

# A text counts as one value, whatever it holds.
_VALUE = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{,]', re.DOTALL)


def has_too_many_values(message: bytes | bytearray) -> bool:
    """Whether JSON of a small size would become large objects: 16 MB of ``[],[],`` are 2 GB, and
    keep everybody waiting for a quarter of a minute."""
    if sum(message.count(sign) for sign in (b"[", b"{", b",")) <= MAX_VALUES:
        return False
    return any(count > MAX_VALUES for count, _ in enumerate(_VALUE.finditer(message), 1))


def parsed_text(text: str) -> Any:
    """The JSON in a text, which counted as one value when its message was bounded.

    Raises ``ValueError``: it is none, or holds too much; ``RecursionError``.
    """
    if has_too_many_values(text.encode("utf-8", "replace")):
        raise ValueError(TOO_MANY_VALUES)
    return json.loads(text, strict=False)


class Flow:
    """Counts what a server sends: as much as it was asked for, and so much per second besides.

    A bucket of tokens. ``clock`` gives seconds that never run backwards.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left: float = MAX_MESSAGES_AT_ONCE
        self._filled_at = clock()

    def asked(self) -> None:
        """It may send one more."""
        self._left += 1

    def has_room(self) -> bool:
        """Count a message; whether it may have been sent."""
        now = self._clock()
        fresh = (now - self._filled_at) * MAX_MESSAGES_PER_SECOND
        self._filled_at = now
        self._left = max(self._left, min(MAX_MESSAGES_AT_ONCE, self._left + fresh)) - 1
        return self._left >= 0
