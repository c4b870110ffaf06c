"""What a list is filtered by."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from api.client.transport import Params

Value = str | int | bool | UUID | datetime
Filter = Value | Sequence[Value] | None


def queried(params: Params | None, filters: Mapping[str, Filter]) -> Params:
    """The query of a list: a mapping, and keywords beside it, of which those that are None are left
    out."""
    given = {name: _sent(value) for name, value in filters.items() if value is not None}
    return {**(params or {}), **given}


def _sent(value: Value | Sequence[Value]) -> str | list[str]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_text(each) for each in value]
    return _text(value)


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, datetime) else str(value)
