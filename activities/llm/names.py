"""Names of tools on the wire, where only ``[a-zA-Z0-9_-]{1,64}`` is allowed."""

import hashlib
import re
from collections.abc import Iterable

MAX_CHARACTERS = 64
_DIGEST_CHARACTERS = 10

_REFUSED = re.compile(r"[^a-zA-Z0-9_-]")
_DOTTED = re.compile(r"[a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)*")


def encode(name: str) -> str:
    """A dot becomes two underscores. Where that is ambiguous or too long, a digest tells apart.

    It depends on nothing but the name: a conversation holds names of tools that are gone by now.
    """
    wire = name.replace(".", "__")
    is_reversible = wire.replace("__", ".") == name
    if is_reversible and len(wire) <= MAX_CHARACTERS and _DOTTED.fullmatch(name):
        return wire
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_CHARACTERS]
    return f"{_REFUSED.sub('_', name)[: MAX_CHARACTERS - _DIGEST_CHARACTERS - 1]}_{digest}"


class Decoder:
    """Turns names from the wire back, given the tools that were offered."""

    def __init__(self, offered: Iterable[str]) -> None:
        self._names = {encode(name): name for name in offered}

    def __call__(self, wire: str) -> str:
        """A name that was not offered is given back as it is, for whoever tells the model so."""
        return self._names.get(wire, wire)
