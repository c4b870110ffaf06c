"""Where a value does not fit a JSON schema, in words that need no knowledge of JSON schemas."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from workflows.suggestions import nearest
from workflows.validation_messages import choice, shown

_SHOWN_CHARACTERS = 200
_CHOICES_SHOWN = 20

_TYPES: Final[Mapping[str, str]] = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "text",
}


def words_of(keyword: str | None, wanted: Any, found: str, names: Sequence[str], value: Any) -> str:
    """What to tell of a value that does not fit.

    ``keyword`` of the schema says ``wanted``; ``found`` is what the value is, as ``_TYPES`` has it,
    ``names`` are the fields that are missing or too many, and ``value`` is a short one's own.
    """
    if keyword in ("required", "dependentRequired"):
        return "; ".join(f"the field {shown(name)} is required" for name in names)
    if keyword == "additionalProperties" and names:
        return "; ".join(_unknown(name, wanted) for name in names)
    if keyword == "type":
        kinds = wanted if isinstance(wanted, list) else [wanted]
        return f"it must be {_any_of(list(map(_kind, kinds)))}, not {_article(found)}"
    if keyword == "enum":
        return f"it must be {_choices(wanted)}{_near(value, wanted)}"
    make = _WORDS.get(keyword or "")
    return make(wanted) if make else "it does not fit the schema here"


def _unknown(name: str, known: Any) -> str:
    if not known:
        return f"unknown field {shown(name)}"
    return f"unknown field {shown(name)}; {choice(name, known)}"


_WORDS: Final[Mapping[str, Callable[[Any], str]]] = {
    "const": lambda wanted: f"it must be {_shown(wanted)}",
    "minimum": lambda wanted: f"it must be at least {wanted}",
    "maximum": lambda wanted: f"it must be at most {wanted}",
    "exclusiveMinimum": lambda wanted: f"it must be more than {wanted}",
    "exclusiveMaximum": lambda wanted: f"it must be less than {wanted}",
    "multipleOf": lambda wanted: f"it must be a multiple of {wanted}",
    "minLength": lambda wanted: f"it must have at least {_many(wanted, 'character')}",
    "maxLength": lambda wanted: f"it must have at most {_many(wanted, 'character')}",
    "pattern": lambda wanted: f"it must match the pattern {_shown(wanted)}",
    "format": lambda wanted: f"it must be a {wanted}",
    "minItems": lambda wanted: f"it must have at least {_many(wanted, 'item')}",
    "maxItems": lambda wanted: f"it must have at most {_many(wanted, 'item')}",
    "uniqueItems": lambda _: "no item may be there twice",
    "contains": lambda _: "it has no item, or not as many, of the kind that it needs",
    "minContains": lambda wanted: f"it needs {_many(wanted, 'item')} of the kind that it names",
    "maxContains": lambda wanted: f"it may have {_many(wanted, 'item')} of the kind that it names",
    "items": lambda _: "it has more items than the schema knows",
    "unevaluatedItems": lambda _: "it has items that the schema does not know",
    "minProperties": lambda wanted: f"it must have at least {_many(wanted, 'field')}",
    "maxProperties": lambda wanted: f"it must have at most {_many(wanted, 'field')}",
    "propertyNames": lambda _: "a name of a field is not as the schema wants it",
    "additionalProperties": lambda _: "it has fields that the schema does not know",
    "unevaluatedProperties": lambda _: "it has fields that the schema does not know",
    "anyOf": lambda _: "it fits none of the forms that are allowed here",
    "oneOf": lambda _: "it must fit exactly one of the forms that are allowed here",
    "not": lambda _: "it is of a form that is excluded here",
    "dependentSchemas": lambda _: "its fields do not go together",
    "": lambda _: "nothing may be here",
}
KEYWORDS: Final = frozenset({*_WORDS, "required", "dependentRequired", "type", "enum"})


def _choices(wanted: Sequence[Any]) -> str:
    shown = list(map(_shown, wanted[:_CHOICES_SHOWN]))
    return _any_of(shown if len(wanted) <= _CHOICES_SHOWN else [*shown, "another of the schema's"])


def _near(value: Any, wanted: Sequence[Any]) -> str:
    texts = [each for each in wanted if isinstance(each, str)]
    meant = nearest(value, texts) if isinstance(value, str) else None
    return f"; did you mean {_shown(meant)}?" if meant else ""


def _kind(name: Any) -> str:
    return _TYPES.get(str(name), str(name))


def _article(found: str) -> str:
    return "nothing (null)" if found == "null" else _kind(found)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def _any_of(parts: Sequence[str]) -> str:
    *before, last = parts or ["nothing"]
    return f"{', '.join(before)} or {last}" if before else last


def _many(number: Any, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
