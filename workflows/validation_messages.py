"""What is wrong with a value, in our words: those of pydantic are for programmers."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic_core import ErrorDetails

_WORDS = {
    "missing": "this field is required",
    "extra_forbidden": "there is no field of this name",
    "string_type": "it must be text",
    "int_type": "it must be a whole number",
    "int_parsing": "it must be a whole number",
    "int_parsing_size": "it must be a whole number of fewer digits",
    "int_from_float": "it must be a whole number",
    "float_type": "it must be a number",
    "float_parsing": "it must be a number",
    "finite_number": "it must be a finite number",
    "bool_type": "it must be true or false",
    "bool_parsing": "it must be true or false",
    "dict_type": "it must be an object",
    "model_type": "it must be an object",
    "model_attributes_type": "it must be an object",
    "mapping_type": "it must be an object",
    "dataclass_type": "it must be an object",
    "json_invalid": "it must be JSON",
    "json_type": "it must be JSON",
    "union_tag_invalid": "{discriminator} must be one of {expected_tags}",
    "union_tag_not_found": "{discriminator} must be there",
    "path_type": "it must be a path",
    "path_not_directory": "there is no such folder",
    "list_type": "it must be a list",
    "tuple_type": "it must be a list",
    "string_pattern_mismatch": "it must match the pattern {pattern}",
    "string_too_short": "it must have at least {min_length} characters",
    "string_too_long": "it must have at most {max_length} characters",
    "too_short": "it must have at least {min_length} items",
    "too_long": "it must have at most {max_length} items",
    "greater_than": "it must be more than {gt}",
    "greater_than_equal": "it must be at least {ge}",
    "less_than": "it must be less than {lt}",
    "less_than_equal": "it must be at most {le}",
    "literal_error": "it must be {expected}",
    "enum": "it must be {expected}",
    "uuid_type": "it must be an id (a UUID)",
    "uuid_parsing": "it must be an id (a UUID)",
    "time_delta_type": "it must be a duration, such as 90s, 5m or 1h",
    "datetime_type": "it must be a date and time, such as 2026-11-29T12:00:00Z",
    "datetime_parsing": "it must be a date and time, such as 2026-11-29T12:00:00Z",
    "datetime_from_date_parsing": "it must be a date and time, such as 2026-11-29T12:00:00Z",
}

_MANY = re.compile(r"( 1 (?:character|item))s$")


def message_of(error: ErrorDetails) -> str:
    """What to tell people of an error that pydantic has found."""
    words = _WORDS.get(error["type"])
    context: Mapping[str, Any] = error.get("ctx", {})
    if words is None:
        return error["msg"].removeprefix("Value error, ")
    return _MANY.sub(r"\1", words.format_map(context))
