"""The kind of one value: number, date, truth value or text."""

import math
import re
from datetime import UTC, datetime

from column_reading import look_at

# "007" and numbers of 19 digits or more are codes, not quantities: they stay text.
INTEGER = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})")
FLOAT = re.compile(r"[+-]?((0|[1-9][0-9]{0,17})(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
# Year first only: others are turned into this before, where their column leaves no doubt.
DATE = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?")
DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
TRUTH = (
    "true false", "yes no", "wahr falsch", "ja nein", "vrai faux", "oui non", "verdadero falso",
    "sí si no", "sim não", "vero sì", "да нет", "tak nie", "ano ne", "nee",
)  # fmt: skip
BOOLEANS = frozenset(" ".join(TRUTH).split())
# A code is text that looks like a number: no column with one is numeric, however few they are.
CODE = re.compile(r"[+-]?[0-9]+")
NO_DATE = datetime.min.replace(tzinfo=UTC)


def kind_of(value: str) -> str:
    """The narrowest type that one value has."""
    if INTEGER.fullmatch(value):
        return "int"
    if FLOAT.fullmatch(value):
        return "float" if math.isfinite(float(value)) else "text"
    if value.lower() in BOOLEANS:
        return "bool"
    for kind, pattern in (("date", DATE), ("datetime", DATETIME)):
        if pattern.fullmatch(value):
            return kind if moment(value) != NO_DATE else "text"
    return "text"


def is_impossible_date(value: str) -> bool:
    """A date in shape only, such as 2024-02-30."""
    if value.isalnum():
        return False
    has_shape = DATE.fullmatch(value) or DATETIME.fullmatch(value)
    return has_shape is not None or look_at(value).kind == "no day"


def moment(value: str) -> datetime:
    """A point in time to compare by; without a zone, UTC. ``NO_DATE`` for 2024-02-30."""
    try:
        parsed = datetime.fromisoformat(value if len(value) > len("2024-01") else f"{value}-01")
    except ValueError:
        return NO_DATE
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
