"""A program: checks a JSON value against a JSON schema, in a process that may be killed.

Reads ``{schema, instance, limit}`` from stdin and prints a list of misfits, for which
``schema_words`` has the words.
"""

import json
import resource
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry
from referencing.exceptions import Unresolvable

CPU_SECONDS = 10
MEMORY_BYTES = 1024**3
NAMES = 10
NAME_CHARACTERS = 200
WANTED_CHARACTERS = 4_096
CHOICES = 21  # Words show twenty, and whether there are more.


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        found = check(**json.load(sys.stdin))
    except Unresolvable:
        found = [told("the schema refers to something outside of it")]
    except RecursionError:
        found = [told("the schema, or the value, is nested too deeply")]
    json.dump(found, sys.stdout)


def check(schema: dict[str, Any], instance: Any, limit: int) -> list[dict[str, Any]]:
    # A registry that is given and empty: without one, jsonschema would fetch what is referred to.
    registry: Registry[Any] = Registry()
    errors = Draft202012Validator(schema, registry=registry).iter_errors(instance)
    return list(islice(distinct(errors), limit))


def distinct(errors: Iterable[ValidationError]) -> Iterator[dict[str, Any]]:
    """Each misfit once: parts of a schema may say the same."""
    seen = set()
    for error in errors:
        found = misfit(error)
        key = json.dumps(found, sort_keys=True)
        if key not in seen:
            seen.add(key)
            yield found


def misfit(error: ValidationError) -> dict[str, Any]:
    """What is said of an error: of several forms, of that which the value is nearest to."""
    error = best_match([error]) or error
    keyword, wanted = error.validator, error.validator_value
    value: Any = error.instance
    names: list[str] = []
    if keyword in ("anyOf", "oneOf") and error.context:
        keyword, wanted = _of_forms(error.context, keyword, wanted, value)
    elif keyword in ("required", "dependentRequired"):
        names = _missing(error)
    elif keyword == "additionalProperties" and isinstance(error.schema, dict):
        known = list(error.schema.get("properties", {}))
        if "patternProperties" not in error.schema:
            names = [name for name in value if name not in known][:NAMES]
        wanted = known[:NAMES]
    if len(json.dumps(wanted)) > WANTED_CHARACTERS:
        wanted = _brief(keyword, wanted)
    return {
        "path": list(error.absolute_path),
        "keyword": keyword,
        "wanted": wanted,
        "found": kind_of(value),
        "names": names,
        "value": value if isinstance(value, str) and len(value) <= NAME_CHARACTERS else None,
    }


def _missing(error: ValidationError) -> list[str]:
    """The field that an error is about: each that is missing is an error of its own, whose message
    begins with its name."""
    wanted: Any = error.validator_value
    instance: Any = error.instance
    if isinstance(wanted, dict):
        wanted = [name for given, names in wanted.items() if given in instance for name in names]
    missing = [name for name in wanted if name not in instance]
    return [name for name in missing if error.message.startswith(repr(name))][:1]


def _brief(keyword: Any, wanted: Any) -> Any:
    """What words show of something long: the first of several choices, and a value that is wanted,
    which the size of the schema bounds."""
    if keyword == "enum":
        return wanted[:CHOICES]
    return wanted if keyword in ("const", "pattern", "format") else None


def _of_forms(
    errors: Sequence[ValidationError], keyword: Any, wanted: Any, value: Any
) -> tuple[Any, Any]:
    """Forms that differ in their type are said as one choice; a text is nearest to some names."""
    near = [error for error in errors if not error.relative_path]
    if isinstance(value, str) and (names := [e for e in near if e.validator == "enum"]):
        return "enum", names[0].validator_value
    if len(near) < len(errors) or any(error.validator != "type" for error in near):
        return keyword, wanted
    types = [error.validator_value for error in near]
    each = [name for kind in types for name in (kind if isinstance(kind, list) else [kind])]
    return "type", list(dict.fromkeys(each))


def told(message: str) -> dict[str, Any]:
    return {"path": [], "message": message}


def kind_of(value: Any) -> str:
    kinds = (
        (bool, "boolean"),
        (int, "integer"),
        (float, "number"),
        (str, "string"),
        (list, "array"),
        (dict, "object"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")


if __name__ == "__main__":
    main()
