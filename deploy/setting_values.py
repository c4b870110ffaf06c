"""Kinds of values that settings have, and when such a value makes no sense."""

from collections.abc import Mapping
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, Json, SecretStr
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode

from activities.aes_keys import read_keys
from activities.inputs.policy import HostPattern
from activities.llm.base import Price
from activities.sandbox.backends import BACKENDS
from activities.tools.mcp.grants import Grant
from workflows.errors import BadInput

MIN_CONTEXT_TOKENS = 1_000
MIN_TOKEN_CHARACTERS = 20
_DATABASE_DRIVER = "postgresql+asyncpg"

Value = TypeVar("Value")


def _senseless(reason: str) -> PydanticCustomError:
    return PydanticCustomError("setting", "{reason}", {"reason": reason})


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _web_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_sound = parts.scheme in {"http", "https"} and bool(parts.hostname)
        is_sound = is_sound and parts.port != 0
    except ValueError:  # Such as a port that is no number.
        is_sound = False
    if value and not is_sound:
        raise _senseless("it must be a URL, such as https://example.org:8443")
    return value


def _database_url(value: str) -> str:
    if value and not value.startswith(f"{_DATABASE_DRIVER}://"):
        raise _senseless(f"it must be a URL, such as {_DATABASE_DRIVER}://user:password@host/name")
    return value


def _hosts(value: tuple[str, ...]) -> tuple[str, ...]:
    try:
        for host in value:
            HostPattern.parse(host)
    except BadInput as error:
        raise _senseless(str(error)) from error
    return value


def _grants(value: tuple[str, ...]) -> tuple[str, ...]:
    try:
        for grant in value:
            Grant.parse(grant)
    except BadInput as error:
        raise _senseless(str(error)) from error
    return value


def _keys(value: SecretStr | None) -> SecretStr | None:
    try:
        if value is not None:
            read_keys(value.get_secret_value())
    except ValueError as error:
        raise _senseless(str(error)) from None
    return value


def _token(value: SecretStr | None) -> SecretStr | None:
    if value is not None and len(value.get_secret_value()) < MIN_TOKEN_CHARACTERS:
        raise _senseless(f"it must have at least {MIN_TOKEN_CHARACTERS} characters")
    return value


def _backend(value: str) -> str:
    if value not in BACKENDS:
        raise _senseless(f"it must be {' or '.join(map(repr, BACKENDS))}")
    return value


# A variable that is set to nothing counts as one that is not set.
OrNone = Annotated[Value | None, BeforeValidator(lambda value: value or None)]

# Written `a,b,c`. Without NoDecode pydantic-settings would expect JSON.
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Hosts = Annotated[Names, AfterValidator(_hosts)]
Grants = Annotated[Names, AfterValidator(_grants)]

# Empty where there is none.
WebUrl = Annotated[str, AfterValidator(_web_url)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]

Backend = Annotated[str, AfterValidator(_backend)]
Keys = Annotated[OrNone[SecretStr], AfterValidator(_keys)]
Token = Annotated[OrNone[SecretStr], AfterValidator(_token)]

Prices = Annotated[Json[Mapping[str, Price]], NoDecode]
ContextTokens = Annotated[
    Json[Mapping[str, Annotated[int, Field(ge=MIN_CONTEXT_TOKENS)]]], NoDecode
]
