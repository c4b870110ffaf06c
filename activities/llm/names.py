"""Names of tools on the wire, where only ``[a-zA-Z0-9_-]{1,64}`` is allowed."""

import hashlib
import re
from collections.abc import Iterable

MAX_CHARACTERS = 64
_DIGEST_CHARACTERS = 10

_REFUSED = re.compile(r"[^a-zA-Z0-9_-]")
# One with tokens around it is not longer.
_MAX_DECORATED_CHARACTERS = 256
_NAMED_TAG = re.compile(r"<(?:function|tool|name)=([^<>]*)>")
_TOKEN = re.compile(r"<[^<>]*>|\[/?[A-Z_]+\]|[`'\"]")
# The number of a call (Kimi), and parentheses.
_SUFFIX = re.compile(r"(:\d+|\(\))$")
_NAMESPACE = re.compile(r"^(functions?|tools?|default_api)_")
_BETWEEN_WORDS = re.compile(r"[^a-z0-9]+")
_SEPARATOR = re.compile(r"[.:/]|__")
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
        self._plain: dict[str, set[str]] = {}
        for name in self._names.values():
            self._plain.setdefault("_".join(_segments(name)), set()).add(name)

    def __call__(self, wire: str) -> str:
        """The name of the tool that is meant, if exactly one fits. A name that was not offered is
        given back as it is, for whoever tells the model so."""
        if wire in self._names:
            return self._names[wire]
        if wire in self._names.values() or len(wire) > _MAX_DECORATED_CHARACTERS:
            return wire
        fitting = {name for part in _parts(wire) for name in self._fitting(part)}
        return fitting.pop() if len(fitting) == 1 else wire

    def _fitting(self, part: str) -> set[str]:
        """The tools that a name means, with or without a namespace before it."""
        segments = _segments(part)
        for start in range(len(segments)):
            plain = "_".join(segments[start:])
            shorter = _NAMESPACE.sub("", plain)
            if fitting := self._plain.get(plain) or self._plain.get(shorter):
                return fitting
            # The namespace of an MCP server is no ornament: without it, another tool has the name.
            if plain.startswith("mcp_"):
                break
        return set()


def _parts(wire: str) -> list[str]:
    """What is between template tokens, quotes and blanks: ``<|tool|>functions.now:0<|sep|>``."""
    inner = _NAMED_TAG.sub(r" \1 ", wire)
    parts = _TOKEN.sub(" ", inner).split()
    return [_SUFFIX.sub("", part) for part in parts]


def _segments(name: str) -> tuple[str, ...]:
    """A name as it is compared, cut where namespaces end."""
    parts = _SEPARATOR.split(name.lower())
    return tuple(plain for part in parts if (plain := _BETWEEN_WORDS.sub("_", part).strip("_")))
