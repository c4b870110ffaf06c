"""State of a model that its server wants back as it came: thoughts, their signatures, and the like.

Gemini refuses the second turn without the ``extra_content`` of the first one's calls, DeepSeek and
others without ``reasoning_content``. Nothing here is read by anybody but the model that wrote it,
and none of it is its answer.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from activities.llm.untrusted import list_of, mapping_of

# Of one answer, as JSON: some 100,000 tokens. State cannot be cut, so more is not kept at all.
MAX_OPAQUE_CHARACTERS = 400_000
_MAX_DEPTH = 16

# Fields of a message, and types of parts, that hold such state.
_IS_STATE = re.compile(
    r"reason|think|thought|signature|encrypted|opaque|extra_content|provider_specific",
    re.IGNORECASE,
)
# What comes whole, and is the last one where it comes twice. All other text comes in pieces.
_IS_WHOLE = re.compile(
    r"signature|encrypted|opaque|data$|^(id|type|format|index|role|name)$", re.IGNORECASE
)

_Fields = dict[str, Any]


@dataclass(frozen=True)
class Opaque:
    """``model`` is the one that wrote it, and the only one to read it. ``fields`` belong to the
    message, ``calls`` to its calls, by their place; None where one has nothing."""

    model: str
    fields: Mapping[str, Any]
    calls: tuple[Mapping[str, Any] | None, ...] = ()

    @cached_property
    def text(self) -> str:
        """All of it, to be counted."""
        return json.dumps([self.fields, *filter(None, self.calls)])


class Gathered:
    """The pieces of what must go back with one answer."""

    def __init__(self) -> None:
        self.characters = 0
        self._pieces: dict[str, list[object]] = {}
        self._content: list[object] = []
        self._has_state_in_parts = False

    @property
    def has_begun(self) -> bool:
        return self.characters > 0

    def take(self, message: Mapping[str, object]) -> None:
        """Take what is new in a message or a piece of one."""
        for name, value in message.items():
            if _is_state(name) and value not in (None, "", [], {}):
                self._pieces.setdefault(name, []).append(value)
                self.characters += _size(value)
        self._take_content(message.get("content"))

    def opaque(self, model: str, calls: Sequence[Sequence[Mapping[str, object]]]) -> Opaque | None:
        """What goes back; None when there is nothing, or so much that it cannot be kept."""
        pieces: dict[str, Sequence[object]] = {**self._pieces}
        if self._has_state_in_parts:
            pieces["content"] = [_as_parts(content) for content in self._content]
        if not pieces and not any(calls):
            return None
        if self.characters > 2 * MAX_OPAQUE_CHARACTERS:
            return None
        try:
            fields = {name: _sound(_merged(name, values)) for name, values in pieces.items()}
            extra = tuple(_sound(_merged_mappings(many)) if many else None for many in calls)
            made = Opaque(model, fields, extra)
            return made if len(made.text) <= MAX_OPAQUE_CHARACTERS else None
        except (RecursionError, ValueError):
            return None

    def _take_content(self, content: object) -> None:
        """Text goes back among the parts once there are thoughts among them."""
        if not isinstance(content, list):
            if isinstance(content, str) and content:
                self._content.append(content)
            return
        kept = [part for part in content if _is_part(part)]
        state = [part for part in kept if mapping_of(part)["type"] != "text"]
        if kept:
            self._content.append(kept)
        self._has_state_in_parts = self._has_state_in_parts or bool(state)
        self.characters += _size(state)


@lru_cache(maxsize=1_000)
def _is_state(name: str) -> bool:
    return _IS_STATE.search(name) is not None and not name.endswith("_reason")


def _is_part(part: object) -> bool:
    """Whether it is text or a thought."""
    kind = mapping_of(part).get("type")
    return isinstance(kind, str) and (kind == "text" or _IS_STATE.search(kind) is not None)


def _as_parts(content: object) -> object:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _size(value: object) -> int:
    """About how many characters it has."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(len(key) + _size(item) for key, item in value.items())
    return sum(map(_size, value)) if isinstance(value, list) else 1


def _sound(value: Any, depth: int = _MAX_DEPTH) -> Any:
    """As it can be stored.

    Raises:
        ValueError: it is nested too deep, or not JSON.
    """
    if not depth:
        raise ValueError("nested too deep")
    if isinstance(value, dict):
        return {str(key): _sound(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_sound(item, depth - 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("not a number")
    return value


def _merged(name: str, values: Sequence[object]) -> object:
    """One value of the pieces of it; a single one is left as it is."""
    if len(values) == 1 or isinstance(values[-1], int | float | None):
        return values[-1]
    if all(isinstance(value, str) for value in values):
        given = [str(value) for value in values if value]
        return given[-1] if given and _IS_WHOLE.search(name) else "".join(given)
    if all(isinstance(value, list) for value in values):
        return _merged_items([item for value in values for item in list_of(value)])
    if all(isinstance(value, dict) for value in values):
        return _merged_mappings([mapping_of(value) for value in values])
    return values[-1]


def _merged_mappings(values: Sequence[Mapping[str, object]]) -> _Fields:
    names = dict.fromkeys(name for value in values for name in value)
    return {
        name: _merged(name, given)
        for name in names
        if (given := [value[name] for value in values if value.get(name) is not None])
    }


def _merged_items(items: Sequence[object]) -> list[object]:
    """The items of a list that came bit by bit: pieces of one thought are one item."""
    groups: list[list[object]] = []
    is_signed = False
    for item in items:
        fields = mapping_of(item)
        has_words = any(fields.get(name) for name in ("text", "thinking", "summary"))
        if groups and not (is_signed and has_words) and _continues(groups[-1][-1], fields):
            groups[-1].append(item)
        else:
            groups.append([item])
            is_signed = False
        is_signed = is_signed or bool(fields.get("signature"))
    return [
        group[0] if len(group) == 1 else _merged_mappings([mapping_of(item) for item in group])
        for group in groups
    ]


def _continues(last: object, new: Mapping[str, object]) -> bool:
    """Whether an item is another piece of the last one. What is encrypted comes whole."""
    before = mapping_of(last)
    if not before or not new or "data" in new:
        return False
    if any(before.get(name) != new.get(name) for name in ("type", "index")):
        return False
    return not (before.get("id") and new.get("id") and before["id"] != new["id"])
