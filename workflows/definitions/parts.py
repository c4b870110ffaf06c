"""Parts of JSON values, as references name them: ``json.rows[0]``."""

from itertools import islice

from pydantic import JsonValue

from workflows.definitions.references import Key
from workflows.suggestions import nearest
from workflows.validation_messages import kind_of

# To look for what was meant among more takes long.
_MOST_NAMES = 1_000
_NAMES_SHOWN = 10
_NAME_CHARACTERS = 60


def missing(value: JsonValue, key: Key) -> str | None:
    """Why a value has no such part, with what it has; None where it has."""
    if isinstance(value, dict):
        return None if str(key) in value else f"there is no {key!r} in the JSON{_names(value, key)}"
    if isinstance(value, list):
        if isinstance(key, int):
            return None if key < len(value) else _too_few(value, key)
        return f"there is no {key!r} in the JSON: it is a list of {len(value):,}; take one by [0]"
    return f"there is no {key!r} in the JSON: it is {kind_of(value)}, which has no parts"


def part(value: JsonValue, key: Key) -> JsonValue:
    """The part of a value that has it."""
    if isinstance(value, dict):
        return value[str(key)]
    assert isinstance(value, list)
    assert isinstance(key, int)
    return value[key]


def _names(value: dict[str, JsonValue], key: Key) -> str:
    if meant := nearest(str(key), islice(value, _MOST_NAMES)):
        return f"; did you mean {meant!r}?"
    shown = [name[:_NAME_CHARACTERS] for name in islice(value, _NAMES_SHOWN)]
    more = ", ..." * (len(value) > _NAMES_SHOWN)
    return f" (it has {', '.join(shown)}{more})" if shown else ", which is an empty object"


def _too_few(value: list[JsonValue], key: int) -> str:
    return f"there is no {key} in the JSON: the list has {len(value):,}, counted from 0 on"
