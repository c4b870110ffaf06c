"""Kinds of values that settings have, and when such a value makes no sense."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

_DATABASE_DRIVER = "postgresql+asyncpg"


def _web_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_sound = parts.scheme in {"http", "https"} and bool(parts.hostname)
        is_sound = is_sound and parts.port != 0
    except ValueError:  # Such as a port that is no number.
        is_sound = False
    if value and not is_sound:
        raise PydanticCustomError("url", "it must be a URL, such as https://example.org:8443")
    return value


def _database_url(value: str) -> str:
    if value and not value.startswith(f"{_DATABASE_DRIVER}://"):
        example = f"{_DATABASE_DRIVER}://user:password@host/name"
        raise PydanticCustomError(
            "database_url", "it must be a URL, such as {example}", {"example": example}
        )
    return value


# Empty where there is none.
WebUrl = Annotated[str, AfterValidator(_web_url)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
