"""What steps printed, read as JSON: each text once, however many arguments refer to it."""

import json
import math
from collections.abc import Mapping

from pydantic import JsonValue

from activities.store.events import as_json
from activities.store.reading.results import StepResult
from activities.tools.schemas import MAX_ARGUMENT_DEPTH, is_deeper
from workflows.definitions.parts import missing, part
from workflows.definitions.references import Key, Reference
from workflows.errors.inputs import ReferenceUnresolved


class Printed:
    """Reads what these steps printed; of a step with items it is the list of what these did."""

    def __init__(self, results: Mapping[str, StepResult]) -> None:
        self._results = results
        self._read: dict[tuple[str, int | None], JsonValue] = {}

    def value(self, reference: Reference) -> JsonValue:
        """Raises ``ReferenceUnresolved``: it is no JSON, or has nothing there."""
        step, path = reference.name, reference.path
        items = self._results[step].printed
        if items is None:
            return part_of(reference, self._of(reference, None), path)
        if path and isinstance(path[0], int) and path[0] < len(items):
            return part_of(reference, self._of(reference, path[0]), path[1:])
        return part_of(reference, [self._of(reference, each) for each in range(len(items))], path)

    def _of(self, reference: Reference, item: int | None) -> JsonValue:
        key = (reference.name, item)
        if key not in self._read:
            self._read[key] = self._parsed(reference, item)
        return self._read[key]

    def _parsed(self, reference: Reference, item: int | None) -> JsonValue:
        result, step = self._results[reference.name], f"step {reference.name!r}"
        if item is None or result.printed is None:
            return _read_json(reference, result.stdout or "", f"what {step} printed")
        return _read_json(reference, result.printed[item], f"what item {item} of {step} printed")


def part_of(reference: Reference, value: JsonValue, path: tuple[Key, ...]) -> JsonValue:
    """What stands there in a value.

    Raises:
        ReferenceUnresolved: nothing does, or it is nested too deep.
    """
    for key in path:
        value = _item(reference, value, key)
    if is_deeper(value, MAX_ARGUMENT_DEPTH):
        what = "it" if reference.source == "item" else f"what step {reference.name!r} printed"
        raise ReferenceUnresolved(reference=reference.text, reason=_too_deep(what))
    # As it can be kept, and sent on: with no half of a character.
    cleaned: JsonValue = json.loads(as_json(value))
    return cleaned


def is_finite(value: JsonValue) -> bool:
    """Whether a value is JSON as all others read it: Python writes and reads ``NaN`` as well."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(is_finite, value.values()))
    return all(map(is_finite, value)) if isinstance(value, list) else True


def _read_json(reference: Reference, printed: str, what: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(printed.rstrip("\n"))
    except ValueError:
        reason = f"{what} is not JSON"
    except RecursionError:
        reason = _too_deep(what)
    else:
        return value
    raise ReferenceUnresolved(reference=reference.text, reason=reason) from None


def _too_deep(what: str) -> str:
    return f"{what} is nested more than {MAX_ARGUMENT_DEPTH} levels deep"


def _item(reference: Reference, value: JsonValue, key: Key) -> JsonValue:
    if (reason := missing(value, key)) is not None:
        raise ReferenceUnresolved(reference=reference.text, reason=reason)
    return part(value, key)
