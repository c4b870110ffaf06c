"""What the items of a step with ``foreach`` are: files of an earlier step, a list that it printed,
or a list that stands there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pydantic import JsonValue

from workflows.definitions.parts import missing, part
from workflows.definitions.pipeline import Step
from workflows.definitions.references import Key, Reference, parse, references_in
from workflows.errors.inputs import ForeachMalformed, ReferenceMalformed

_WILD = frozenset("*?[")

# Of a list that stands there, so many items are looked at for each reference to a part.
_ITEMS_JUDGED = 100

# What there is of an item that is a file, beside the file.
FILE_PARTS = ("name", "stem")
_FILE_PATHS = tuple((part,) for part in FILE_PARTS)


@dataclass(frozen=True, slots=True)
class FilesOf:
    """The files of a step whose names match."""

    reference: Reference
    pattern: str | None

    def takes(self, name: str) -> bool:
        return self.pattern is None or fnmatchcase(name, self.pattern)


@dataclass(frozen=True, slots=True)
class ListOf:
    """The list that a reference into what a step printed gives."""

    reference: Reference


Source = FilesOf | ListOf | Sequence[JsonValue]


def source_of(foreach: str | Sequence[JsonValue]) -> Source:
    """Where the items come from.

    Raises:
        ForeachMalformed: it is nothing that has items.
        ReferenceMalformed: it is no reference either.
    """
    if not isinstance(foreach, str):
        return foreach
    match parse(foreach):
        case (Reference(source="steps", field="files", path=()) as reference,):
            return FilesOf(reference, None)
        case (Reference(source="steps", field="files", path=(str(pattern),)) as reference,):
            if _WILD.isdisjoint(pattern):
                raise _wrong(foreach, f"{pattern!r} is one file (all of a kind: '*.csv')")
            return FilesOf(reference, pattern)
        case (Reference(source="steps", field="json") as reference,):
            return ListOf(reference)
        case (Reference(source="inputs"),):
            raise _wrong(foreach, "an input is one file")
        case (Reference(source="parameters"),):
            raise _wrong(foreach, "a parameter is one value")
    raise _wrong(foreach, "it is no list")


def has_file_items(step: Step) -> bool:
    """Whether the items of a step are files. Raises ``ReferenceMalformed``."""
    return step.foreach is not None and isinstance(source_of(step.foreach), FilesOf)


def problem_with_item(step: Step, reference: Reference) -> str | None:
    """What is wrong with a reference to the item, or its number, in the arguments of a step.
    Raises ``ReferenceMalformed`` where its ``foreach`` is wrong itself."""
    if step.foreach is None:
        return f"{reference.text}: only a step with foreach has items; give it one"
    is_part = reference.source == "item" and bool(reference.path) and has_file_items(step)
    if is_part and reference.path not in _FILE_PATHS:
        parts = " and ".join(f"${{item.{part}}}" for part in FILE_PARTS)
        return f"{reference.text}: the items are files; there are ${{item}}, {parts}"
    if reference.path and isinstance(step.foreach, list):
        return _missing_in_list(reference, step.foreach)
    return None


def _missing_in_list(reference: Reference, items: Sequence[JsonValue]) -> str | None:
    """Which item of a list that stands there has no such part."""
    for index, item in enumerate(items[:_ITEMS_JUDGED]):
        value = item
        for key in reference.path:
            if isinstance(value, str) and "${" in value:
                break  # What it will be is not known.
            if (reason := missing(value, key)) is not None:
                return f"{reference.text}: item {index} has no such part: {reason}"
            value = part(value, key)
    return None


def problems_in_list(step: Step) -> Iterator[tuple[tuple[Key, ...], str]]:
    """What is wrong within a list that stands there; with the place of each item."""
    if not isinstance(step.foreach, list):
        return
    for index, item in enumerate(step.foreach):
        try:
            for reference in references_in(item):
                if reference.source != "parameters":
                    message = "a list holds values and ${parameters.NAME}; for a text write $${"
                    yield (index,), f"{reference.text}: {message}"
        except ReferenceMalformed as error:
            yield (index,), str(error)


def _wrong(text: str, reason: str) -> ForeachMalformed:
    return ForeachMalformed(text=text, reason=reason)
