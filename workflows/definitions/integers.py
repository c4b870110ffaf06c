"""Whole numbers in requests. JSON has one kind of number, so that 5.0 is the integer 5, as JSON
Schema says too; a text or ``true`` is none, and neither is 5.5."""

from typing import Annotated, Final

from pydantic import BeforeValidator, Field

# Beyond, a float is not any more what was written, so it is refused as it always was.
_EXACT_TO: Final = 2.0**53


def _as_integer(value: object) -> object:
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT_TO
    return int(value) if is_whole else value  # type: ignore[call-overload]


# Within a union it stands after the bounds: ``Annotated[int, Field(strict=True, ge=1), INTEGRAL]``.
INTEGRAL: Final = BeforeValidator(_as_integer)
Integer = Annotated[int, Field(strict=True), INTEGRAL]
