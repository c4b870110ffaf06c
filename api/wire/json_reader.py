"""JSON from strangers, read strictly."""

import re

import pydantic_core
from pydantic import JsonValue

from api.wire.errors import BodyMalformed

_PLACE = re.compile(r"^(.*) at line (\d+) column (\d+)$", re.DOTALL)


def parse_json(body: bytes) -> JsonValue:
    """The value of a JSON document.

    Raises:
        BodyMalformed: with line and column.
    """
    try:
        value: JsonValue = pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError as error:
        place = _PLACE.match(str(error))
        reason, line, column = place.groups() if place else (str(error), "1", "1")
        raise BodyMalformed(form="JSON", reason=reason, line=line, column=column) from error
    return value
