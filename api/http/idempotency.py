"""The key under which a request is done once, however often it is sent."""

import re
from typing import Annotated, Final

from fastapi import Header

from api.errors import InvalidRequest
from workflows.pointers import Problem

_MAX_CHARACTERS: Final = 255
_PRINTABLE: Final = r"^[\x20-\x7e]+$"

IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=_MAX_CHARACTERS, pattern=_PRINTABLE),
]


def checked_key(text: str) -> str | None:
    """That of a form, which has no header; None where it has none. Raises ``InvalidRequest``."""
    if not text:
        return None
    if len(text) > _MAX_CHARACTERS or not re.fullmatch(_PRINTABLE, text):
        wrong = f"a key has at most {_MAX_CHARACTERS} characters, all of them printable ASCII"
        raise InvalidRequest([Problem("/key", wrong)])
    return text
