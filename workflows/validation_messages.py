"""What is wrong with a value, in our words: those of pydantic are for programmers.

Every type of error that pydantic knows has words here, also those that no model of ours can raise
today: a test compares the two.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from pydantic_core import ErrorDetails

from workflows.pattern_words import words_of
from workflows.suggestions import nearest

# The value is not known: whoever asks has no document, or it must not be told.
UNSEEN: Final = object()

MAX_SHOWN_CHARACTERS = 60
_MAX_NAMES = 24

_TEXT = "it must be text"
_WHOLE = "it must be a whole number"
_NUMBER = "it must be a number"
_BOOLEAN = "it must be true or false"
_LIST = "it must be a list"
_OBJECT = "it must be an object"
_BYTES = "it must be bytes"
_JSON = "it must be JSON"
_DAY = "it must be a date, such as 2026-11-29"
_CLOCK = "it must be a time, such as 12:00:00"
_MOMENT = "it must be a date and time, such as 2026-11-29T12:00:00Z"
_DURATION = "it must be a duration, such as 90s, 5m or 1h"
_URL = "it must be a URL, such as https://example.org/path"
_ID = "it must be an id (a UUID)"
_FOLDED = "it refers to itself, or is nested too deeply"
_FIXED = "it cannot be changed"
_REQUIRED = "this field is required"
_ODD = "it is not what belongs here"

WORDS: Final[Mapping[str, str]] = {
    "missing": _REQUIRED,
    "extra_forbidden": "there is no field of this name",
    "invalid_key": "the names of its fields must be text",
    "frozen_field": _FIXED,
    "frozen_instance": _FIXED,
    "recursion_loop": _FOLDED,
    "recursion_depth_exceeded": _FOLDED,
    "none_required": "it must be left out, or null",
    "string_type": _TEXT,
    "string_sub_type": _TEXT,
    "string_unicode": "it must be text in UTF-8",
    "string_not_ascii": "it must be text in ASCII: letters, digits and signs of English only",
    "string_pattern_mismatch": "it must match the pattern {pattern}",
    "string_too_short": "it must have at least {min_length} characters",
    "string_too_long": "it must have at most {max_length} characters",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": "it must be a whole number of fewer digits",
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "it must be a finite number",
    "multiple_of": "it must be a multiple of {multiple_of}",
    "bool_type": _BOOLEAN,
    "bool_parsing": _BOOLEAN,
    "dict_type": _OBJECT,
    "frozen_dict_type": _OBJECT,
    "ordered_dict_type": _OBJECT,
    "counter_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "mapping_type": _OBJECT,
    "dataclass_type": _OBJECT,
    "dataclass_exact_type": _OBJECT,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "named_tuple_type": _LIST,
    "deque_type": _LIST,
    "iterable_type": _LIST,
    "iteration_error": _LIST,
    "sequence_str": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "set_item_not_hashable": "it must be a text, a number, true or false",
    "too_short": "it must have at least {min_length} items",
    "too_long": "it must have at most {max_length} items",
    "greater_than": "it must be more than {gt}",
    "greater_than_equal": "it must be at least {ge}",
    "less_than": "it must be less than {lt}",
    "less_than_equal": "it must be at most {le}",
    "literal_error": "it must be {expected}",
    "enum": "it must be {expected}",
    "union_tag_invalid": "{discriminator} must be one of {expected_tags}",
    "union_tag_not_found": "it needs {discriminator}, which says what it is",
    "json_invalid": _JSON,
    "json_type": _JSON,
    "bytes_type": _BYTES,
    "bytes_too_short": "it must have at least {min_length} bytes",
    "bytes_too_long": "it must have at most {max_length} bytes",
    "bytes_invalid_encoding": "it must be encoded as {encoding}",
    "uuid_type": _ID,
    "uuid_parsing": _ID,
    "uuid_version": "it must be an id (a UUID of version {expected_version})",
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": "it must be a date alone, such as 2026-11-29",
    "date_past": "it must be a date in the past",
    "date_future": "it must be a date in the future",
    "time_type": _CLOCK,
    "time_parsing": _CLOCK,
    "datetime_type": _MOMENT,
    "datetime_parsing": _MOMENT,
    "datetime_object_invalid": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "datetime_past": "it must be a time in the past",
    "datetime_future": "it must be a time in the future",
    "timezone_naive": "it must be a time without an offset, such as 2026-11-29T12:00:00",
    "timezone_aware": "it must be a time with its offset, such as 2026-11-29T12:00:00+01:00",
    "timezone_offset": "its offset must be {tz_expected} seconds",
    "time_delta_type": _DURATION,
    "time_delta_parsing": _DURATION,
    "url_type": _URL,
    "url_parsing": _URL,
    "url_syntax_violation": _URL,
    "url_too_long": "it must have at most {max_length} characters",
    "url_scheme": "it must be a URL that begins with {expected_schemes}",
    "path_type": "it must be a path",
    "path_not_file": "there is no such file",
    "path_not_directory": "there is no such folder",
    "path_exists": "there is such a file already",
    "parent_does_not_exist": "the folder around it is not there",
    "base64_decode": "it must be base64",
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "decimal_max_digits": "it must have at most {max_digits} digits",
    "decimal_max_places": "it must have at most {decimal_places} digits after the point",
    "decimal_whole_digits": "it must have at most {whole_digits} digits before the point",
    "fraction_type": "it must be a fraction, such as 1/3",
    "fraction_parsing": "it must be a fraction, such as 1/3",
    "complex_type": _NUMBER,
    "complex_str_parsing": _NUMBER,
    "arguments_type": "it must be a list or an object",
    "missing_argument": _REQUIRED,
    "missing_keyword_only_argument": _REQUIRED,
    "missing_positional_only_argument": _REQUIRED,
    "unexpected_keyword_argument": "there is no argument of this name",
    "unexpected_positional_argument": "there are too many arguments",
    "multiple_argument_values": "it is given twice",
}

# Raised by validators of ours, in our words.
OUR_TYPES: Final = ("value_error", "setting")

_CHOICES = ("literal_error", "enum")
_MUST_BE = "it must be "

_MANY = re.compile(r"( 1 (?:character|item|byte|digit))s\b")
_QUOTED = re.compile(r"'([^']*)'")

_KINDS = (
    ((type(None),), "nothing (null)"),
    ((int, float), "a number"),
    ((str,), "text"),
    ((list, tuple), "a list"),
    ((dict,), "an object"),
)

# What people write for true and false, which is text by the rules of YAML 1.2.
_TRUE_OR_FALSE = {"yes": "true", "y": "true", "on": "true", "no": "false", "n": "false"} | {
    "off": "false"
}


def message_of(error: ErrorDetails, value: object = UNSEEN, known: Collection[str] = ()) -> str:
    """What to tell people of an error that pydantic has found.

    ``value`` is what was given; ``known`` are the fields that there are, if one is unknown.
    """
    kind = error["type"]
    context: Mapping[str, Any] = error.get("ctx", {})
    if kind in OUR_TYPES:
        return error["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden" and known:
        return _unknown_field(str(error["loc"][-1]), known)
    if kind == "string_pattern_mismatch" and (words := words_of(context["pattern"])):
        return words
    # One that nobody foresaw has words of pydantic's: none at all are better.
    words = _MANY.sub(r"\1", WORDS.get(kind, _ODD).format_map(context))
    return words if value is UNSEEN else f"{words}{_remark(kind, value, context)}"


def message_of_any(
    errors: Sequence[ErrorDetails], value: object = UNSEEN, known: Collection[str] = ()
) -> str:
    """What to tell of all that is wrong at one place: of a union, each of its members complains."""
    if not isinstance(value, str) and len(errors) > 1:
        # What names were to choose from does not matter to a number that is out of range.
        errors = [error for error in errors if error["type"] not in _CHOICES] or errors
    told = [error for error in errors if not _is_of_form(error)] or errors
    wanted = [WORDS[error["type"]] for error in told if error["type"] in WORDS]
    is_union = len(set(wanted)) > 1 and all(map(_is_of_form, told))
    if not is_union:
        return message_of(told[0], value, known)
    words = [message_of(error).removeprefix(_MUST_BE) for error in told]
    if "a number" in words:
        words = [each for each in words if each != "a whole number"]
    *before, last = dict.fromkeys(words)
    if isinstance(value, (int, float)) and any(each.startswith("a list") for each in words):
        return f"{_MUST_BE}{', '.join(before)} or {last}, not {kind_of(value)}"
    remarks = [_remark(error["type"], value, error.get("ctx", {})) for error in told]
    remark = next((each for each in remarks if ":" in each or "?" in each), remarks[0])
    return f"{_MUST_BE}{', '.join(before)} or {last}{'' if value is UNSEEN else remark}"


def _is_of_form(error: ErrorDetails) -> bool:
    """Whether it says what a value must be, and nothing of how large it is or what it holds."""
    kind = error["type"]
    return kind in _CHOICES or kind.endswith(("_type", "_parsing"))


def _remark(kind: str, value: object, context: Mapping[str, Any]) -> str:
    """What was found in place of what belongs there, and what to write."""
    if kind in (*_CHOICES, "union_tag_invalid"):
        expected = str(context.get("expected") or context.get("expected_tags") or "")
        meant = _choice_like(context.get("tag", value), _QUOTED.findall(expected))
        return f"; did you mean {meant!r}?" if meant else ""
    if kind == "int_from_float" or (kind == "int_type" and isinstance(value, float)):
        return f", not {value}"
    if not kind.endswith("_type") and kind != "bool_parsing":
        return ""
    return f", not {kind_of(value)}{_to_write(kind, value)}"


def _to_write(kind: str, value: object) -> str:
    """What to write, where a value is taken for one of another type than it was meant to be."""
    if kind == "string_type" and isinstance(value, (bool, int, float)):
        return f": write it in quotes, {quoted(value)}"
    if kind in ("list_type", "tuple_type"):
        return _as_list(value)
    if not isinstance(value, str):
        return ""
    if kind in ("int_type", "float_type") and _is_number(value):
        return f": write it without quotes, {value.strip()}"
    meant = _TRUE_OR_FALSE.get(value.strip().lower()) if kind.startswith("bool_") else None
    return f": write {meant}" if meant else ""


def _as_list(value: object) -> str:
    """How words, or the names of an object that has little else, are written as a list."""
    if isinstance(value, str):
        names = value.split()
    elif isinstance(value, dict) and all(isinstance(v, (str, type(None))) for v in value.values()):
        names = [str(name) for name in value]
    else:
        return ""
    text = json.dumps(names, ensure_ascii=False)
    return f": write {text}" if names and len(text) <= MAX_SHOWN_CHARACTERS else ""


def _choice_like(given: object, names: Sequence[str]) -> str | None:
    """The name that may be meant. What all begin with, as ``task.``, makes none likelier."""
    if not isinstance(given, str) or not names:
        return None
    shared = 0
    while len(set(names)) > 1 and len({name[: shared + 1] for name in names}) == 1:
        shared += 1
    start = names[0][:shared]
    if not given.startswith(start):
        return nearest(given, names)
    meant = nearest(given[shared:], [name[shared:] for name in names])
    return None if meant is None else f"{start}{meant}"


def kind_of(value: object) -> str:
    """What a value of JSON is called: ``a number``, ``a list``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return next((words for kinds, words in _KINDS if isinstance(value, kinds)), "that")


def quoted(value: object) -> str:
    """A number, or true, as the text that was meant by it. ``str`` has a number of YAML as it was
    written: ``1.10``."""
    text = json.dumps(value) if isinstance(value, bool) else str(value)
    return f'"{text[:MAX_SHOWN_CHARACTERS]}"'


def shown(name: str) -> str:
    """A foreign name, as it may stand in a sentence."""
    kept = name if len(name) <= MAX_SHOWN_CHARACTERS else f"{name[:MAX_SHOWN_CHARACTERS]}..."
    return kept if kept.isprintable() and kept.strip() == kept and kept else repr(kept)


def choice(name: str, known: Collection[str]) -> str:
    """``did you mean skill?``, or which names there are; for the end of a sentence."""
    if meant := nearest(name, known):
        return f"did you mean {shown(meant)}?"
    listed = [shown(each) for each in list(known)[:_MAX_NAMES]]
    more = len(known) - len(listed)
    verb = "are" if len(known) > 1 else "is"
    return f"there {verb} {', '.join(listed)}{f' and {more} more' if more > 0 else ''}"


def _unknown_field(name: str, known: Collection[str]) -> str:
    return f"unknown field {shown(name)}; {choice(name, known)}"


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\s*-?[0-9]{1,18}(?:\.[0-9]{1,18})?\s*", text) is not None
