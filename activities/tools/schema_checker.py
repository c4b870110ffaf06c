"""A program: checks a JSON value against a JSON schema, in a process that may be killed.

Reads ``{schema, instance, limit}`` from stdin and prints a list of ``{path, message}``.
"""

import json
import resource
import sys
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.exceptions import Unresolvable

CPU_SECONDS = 10
MEMORY_BYTES = 1024**3


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        found = check(**json.load(sys.stdin))
    except Unresolvable:
        found = [{"path": [], "message": "the schema refers to something outside of it"}]
    except RecursionError:
        found = [{"path": [], "message": "the schema, or the value, is nested too deeply"}]
    json.dump(found, sys.stdout)


def check(schema: dict[str, Any], instance: Any, limit: int) -> list[dict[str, Any]]:
    # A registry that is given and empty: without one, jsonschema would fetch what is referred to.
    registry: Registry[Any] = Registry()
    errors = Draft202012Validator(schema, registry=registry).iter_errors(instance)
    return [
        {"path": list(error.absolute_path), "message": error.message}
        for error in islice(errors, limit)
    ]


if __name__ == "__main__":
    main()
