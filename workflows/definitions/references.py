"""References in a step's arguments: ``${inputs.NAME}``, ``${parameters.NAME}`` and
``${steps.ID.FIELD}``.

In a step with ``foreach`` there are ``${item}`` and ``${index}``, the number of the item from 0 on.
An item that is a value may have a path into it (``item.name``, ``item[0]``).

The nodes of a plan refer to each other's files: ``${nodes.ID.files['NAME']}``.

A step's field is ``files['NAME']`` (one file), ``files`` (all its files, as arguments of their
own), ``stdout``, ``exit_code`` or ``json`` with an optional path into it (``json.rows``,
``json['odd key'][0]``). ``$${`` stands for a plain ``${``.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from workflows.errors.inputs import ReferenceMalformed
from workflows.suggestions import nearest

Source = Literal["inputs", "parameters", "steps", "nodes", "item", "index"]
Key = str | int

STEP_FIELDS = ("files", "stdout", "exit_code", "json")

MAX_KEYS = 200
_SHOWN_CHARACTERS = 60

# What is wrong with a reference that begins soundly.
_ABOUT = {
    "nodes": "of a node there are files: ${nodes.ID.files['NAME']}",
    "inputs": "an input has a name and nothing else",
    "parameters": "a parameter has a name and nothing else",
    "steps": f"a step has an id and {', '.join(STEP_FIELDS)}",
    "index": "the index of an item is a number and has no parts",
}
_ABOUT_ALL = "it must begin with inputs, parameters or steps, or in a step with foreach be an item"
_BEGINNINGS = (*_ABOUT, "item")

_WILD = frozenset("*?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_INDEX = re.compile(r"\[(?:([0-9]{1,9})|'([^'\\]*)'|\"([^\"\\]*)\")\]")
_UNQUOTED = re.compile(r"[^\s'\"\\\[\]{}$+-]*[A-Za-z*?][^\s'\"\\\[\]{}$]*(?=\])")


@dataclass(frozen=True, slots=True)
class Reference:
    """One ``${...}``: where it points to. Inputs have no ``field`` and no ``path``; an item has no
    ``name``, and whether it is a file, its step's ``foreach`` says."""

    text: str
    source: Source
    name: str
    field: str | None = None
    path: tuple[Key, ...] = ()

    @property
    def is_file(self) -> bool:
        return self.source == "inputs" or self.field == "files"

    @property
    def is_all_files(self) -> bool:
        return self.field == "files" and not self.path

    @property
    def has_pattern(self) -> bool:
        """Whether what stands for the name of a file is a pattern of names. One with a bracket may
        well be a name."""
        return self.field == "files" and not _WILD.isdisjoint("".join(map(str, self.path)))


Part = str | Reference


def parse(text: str) -> tuple[Part, ...]:
    """Split an argument into plain text and references.

    Raises:
        ReferenceMalformed: a ``${`` that is not closed, or is none of the forms above.
    """
    parts: list[Part] = []
    plain = ""
    position = 0
    while (start := text.find("${", position)) >= 0:
        if start > position and text[start - 1] == "$":
            plain += text[position : start - 1] + "${"
            position = start + 2
            continue
        reference, end = _parse_reference(text, start)
        plain += text[position:start]
        parts += [plain, reference] if plain else [reference]
        plain = ""
        position = end
    plain += text[position:]
    return (*parts, plain) if plain or not parts else tuple(parts)


def plain(text: str) -> str:
    """Text that is none of ours, as it must be written in an argument."""
    return text.replace("${", "$${")


def references_in(value: JsonValue) -> Iterator[Reference]:
    """Every reference in a tree of JSON values, in reading order."""
    if isinstance(value, str):
        yield from (part for part in parse(value) if isinstance(part, Reference))
    elif isinstance(value, list):
        for item in value:
            yield from references_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from references_in(item)


def _parse_reference(text: str, start: int) -> tuple[Reference, int]:
    keys: list[Key] = []
    position = start + 2
    while position < len(text) and text[position] != "}":
        key, position = _parse_key(text, position, first=not keys)
        keys.append(key)
        if len(keys) > MAX_KEYS:
            raise _malformed(text, f"it has more than {MAX_KEYS} parts", position)
    if position >= len(text):
        raise _malformed(text, "'}' is missing", position)
    return _build(text, start, position + 1, keys), position + 1


def _parse_key(text: str, position: int, *, first: bool) -> tuple[Key, int]:
    if not first and (index := _INDEX.match(text, position)):
        number, single, double = index.groups()
        key: Key = int(number) if number is not None else single if single is not None else double
        return key, index.end()
    if not first:
        if text[position] == "[":
            raise _malformed(text, *_bracket_fault(text, position))
        if text[position] != ".":
            raise _malformed(text, "'.' or '[' is missing", position)
        position += 1
    if not (name := _NAME.match(text, position)):
        raise _malformed(text, "a name is missing", position)
    return name.group(), name.end()


def _bracket_fault(text: str, position: int) -> tuple[str, int]:
    """What is wrong with brackets, and where."""
    inside = text[position + 1 : position + 1 + _SHOWN_CHARACTERS]
    if (quote := inside[:1]) in ("'", '"'):
        if (end := text.find(quote, position + 2)) < 0:
            return f"the quote {quote} is not closed", position + 1
        if "\\" in text[position:end]:
            return "a name in brackets holds no backslash", text.index("\\", position)
        return "']' is missing", end + 1
    if name := _UNQUOTED.match(inside):
        return f"quotes are missing: ['{name.group()}']", position + 1
    return "brackets hold a number from 0 on or a name in quotes", position + 1


def _build(text: str, start: int, end: int, keys: list[Key]) -> Reference:
    whole = text[start:end]
    match keys:
        case [("inputs" | "parameters") as source, str(name)]:
            return Reference(whole, source, name)
        case ["steps", str(name), ("stdout" | "exit_code") as field]:
            return Reference(whole, "steps", name, field)
        case ["steps", str(name), "files"]:
            return Reference(whole, "steps", name, "files")
        case ["steps", str(name), "json", *path]:
            return Reference(whole, "steps", name, "json", tuple(path))
        case [("steps" | "nodes") as source, str(name), "files", str(file)]:
            return Reference(whole, source, name, "files", (file,))
        case [("item" | "index") as source, *path] if source == "item" or not path:
            return Reference(whole, source, "", None, tuple(path))
    first = str(keys[0]) if keys else ""
    reason = _ABOUT.get(first, _ABOUT_ALL)
    raise _refused(text, f"{reason}{_meant(first, keys)}", start)


def _meant(first: str, keys: Sequence[Key]) -> str:
    match keys:
        case ["steps" | "nodes" as source, str(name), "files", str(file), *parts] if parts:
            # A name with a dot, which is taken for that of a part.
            whole = ".".join([file, *map(str, parts)])
            return f" (did you mean ${{{source}.{name}.files['{whole}']}}?)"
    # The word that is wrong: where the reference begins, or which part of it a step has.
    wrong, known = (first, _BEGINNINGS) if first not in _ABOUT else (str(keys[-1]), STEP_FIELDS)
    meant = nearest(wrong, known)
    return f" (did you mean {meant}?)" if meant and meant != wrong else ""


def _malformed(text: str, reason: str, position: int) -> ReferenceMalformed:
    return _refused(text, f"{reason} at character {position}", position)


def _refused(text: str, reason: str, position: int) -> ReferenceMalformed:
    """An argument may have 128 KiB; shown is what surrounds the fault."""
    first = max(0, position - _SHOWN_CHARACTERS)
    last = position + _SHOWN_CHARACTERS
    shown = "..." * (first > 0) + text[first:last] + "..." * (last < len(text))
    return ReferenceMalformed(text=shown, reason=reason)
